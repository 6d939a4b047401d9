"""What an emulator must do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgekit.devices._cortex_m.counts import Counts
from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.devices._cortex_m.toolchain import Toolchain


class Emulator(Protocol):
    """Runs a firmware and counts; raises MissingExtra where it is not installed.

    Attributes:
        name: For people.
        cores: Names of the cores that it has.
    """

    name: str
    cores: Collection[str]

    def count(
        self, firmware: Path, core: Core, machine: Machine, markers: Sequence[int], timeout: float
    ) -> tuple[str, Counts]:
        """Run `firmware` until it ends.

        Args:
            firmware: An ELF file; the folder it lies in may be written to.
            core: That it was compiled for.
            machine: That it was linked for.
            markers: Addresses: begin and end of an inference, then the entry of each layer.
            timeout: Seconds.

        Returns:
            What it wrote, and what was counted.

        Raises:
            DeviceError: It never ended, or the emulator failed.
        """
        ...

    def version(self) -> str:
        """Name and version, e.g. `qemu-system-arm 7.2.22`."""
        ...


@dataclass(frozen=True)
class Kit:
    """What it takes to measure a C project."""

    toolchain: Toolchain
    emulator: Emulator
