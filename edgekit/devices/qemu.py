"""Cortex-M cores in QEMU: exact instruction counts, sizes, and estimates of cycles and energy.

While kernels are written, `measure` is all that is needed; it also answers when values are wrong:

    found = measure(Path("build/kws-cortex-m4"), manifest["c_project"], core="cortex-m4")
    print(found.mismatched, found.instructions, found.cycles, found.layers)
    print(found.listing("kws_layer_01"))    # count and cycles of each instruction of a function
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit.devices._cortex_m.driver import EmulatedCortexM
from edgekit.devices._cortex_m.machines import CORES
from edgekit.equipment import Needs, Option

if TYPE_CHECKING:
    from edgekit.devices._cortex_m.emulator import Kit
    from edgekit.devices._cortex_m.measured import Measured


class Driver(EmulatedCortexM):
    """The Arm GNU toolchain and qemu-system-arm, both of Debian."""

    title = "Cortex-M emulated by QEMU: exact instructions, estimated cycles"
    options: ClassVar[Mapping[str, Option]] = {
        "core": Option(f"core to emulate, if not the build's own: {', '.join(CORES)}"),
        "inferences": Option("golden vectors to run, if not all of the build's", "whole"),
    }
    needs = Needs(tools=("arm-none-eabi-gcc", "qemu-system-arm", "gcc"))

    @classmethod
    def kit(cls) -> Kit:
        """Toolchain and emulator."""
        from edgekit.devices._cortex_m.emulator import Kit
        from edgekit.devices._cortex_m.gcc import Gcc
        from edgekit.devices._cortex_m.qemu_system import Qemu

        return Kit(Gcc(), Qemu())


def measure(
    build: Path, manifest: Mapping[str, Any], core: str | None = None, vectors: int | None = None
) -> Measured:
    """What a C project costs on an emulated core; see `measure_with`."""
    from edgekit.devices._cortex_m.measure import measure_with

    return measure_with(Driver.kit(), build, manifest, core, vectors)
