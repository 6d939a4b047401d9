"""The serial driver on a board that QEMU emulates: the whole protocol without hardware.

The firmware is that of `c_project/serial/`. QEMU gives every instruction the same time, so that
what is measured is a count of instructions in disguise: good for trying and for tests, never the
latency of a board, and marked `emulated` for that. A window takes less time than it says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit.devices._cortex_m.machines import CORES, find_core
from edgekit.devices.base import Job, Window
from edgekit.devices.serial import BAUD, COMMON
from edgekit.devices.serial import Driver as SerialDriver
from edgekit.equipment import Needs, Option

if TYPE_CHECKING:
    from edgekit.devices._cortex_m.qemu_board import QemuBoard
    from edgekit.devices._serial.line import Line
    from edgekit.devices._serial.timing import Timed


class Driver(SerialDriver):
    """Compiles, starts the board, talks to its UART."""

    title = "Cortex-M emulated by QEMU, over its UART: MLPerf Tiny's protocol without a board"
    kind = "emulator"
    real_time = False
    options: ClassVar[Mapping[str, Option]] = {
        "core": Option(f"core to emulate, if not the build's own: {', '.join(CORES)}"),
        **COMMON,
    }
    needs = Needs(("arm-none-eabi-gcc", "qemu-system-arm"), ("serial",), "serial")

    def __init__(self) -> None:
        super().__init__()
        self._work = tempfile.TemporaryDirectory(prefix="edgekit-")
        self._board: QemuBoard | None = None
        self._machine: dict[str, str] = {}

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Nothing is, ever."""
        return []

    def identity(self) -> str:
        """Many may run."""
        return ""

    def _open(self, job: Job) -> Line:
        from edgekit.devices._cortex_m.gcc import Gcc
        from edgekit.devices._cortex_m.project import read_project
        from edgekit.devices._cortex_m.qemu_board import QemuBoard
        from edgekit.devices._cortex_m.serial_firmware import make_serial
        from edgekit.devices._serial.line import Line

        project = read_project(job.folder, job.manifest)
        core = find_core(job.options.get("core") or project.core)
        work = Path(tempfile.mkdtemp(dir=self._work.name))
        firmware, machine = make_serial(Gcc(), project, core, work)
        self._board = QemuBoard(firmware, machine)
        self._machine = {"core": core.name, "machine": machine.name}
        return Line(self._board.port, BAUD)

    def _window(self, timed: Timed, late_s: float) -> Window:
        found = super()._window(timed, late_s)
        codes = (*found.codes, "emulated")
        return replace(found, end_s=found.start_s + timed.seconds, codes=codes)

    def _environment(self) -> Mapping[str, Any]:
        return {
            **super()._environment(),
            **self._machine,
            "emulated": "each instruction takes the same time: not the latency of a board",
        }

    def _reach(self) -> None:
        """There is nothing without a build."""

    def _close(self) -> None:
        super()._close()
        self._work.cleanup()

    def _hang_up(self) -> None:
        super()._hang_up()
        if self._board is not None:
            self._board.close()
