"""A board in QEMU whose UART is a pseudo-terminal of this machine."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import IO

from edgekit.devices._cortex_m.machines import Machine
from edgekit.devices._cortex_m.qemu_system import QEMU
from edgekit.errors import DeviceError, MissingExtra

NS_PER_INSTRUCTION_SHIFT = 5
"""Each instruction takes 2**5 ns, about what one of 31 MHz does: the same time in every run."""


class QemuBoard:
    """Runs from construction to `close`.

    Attributes:
        port: Of its UART, e.g. `/dev/pts/3`.
    """

    def __init__(self, firmware: Path, machine: Machine) -> None:
        """Start it.

        Raises:
            MissingExtra: QEMU is not installed.
            DeviceError: It ended at once.
        """
        icount = f"shift={NS_PER_INSTRUCTION_SHIFT},sleep=off"
        quiet = ("-display", "none", "-monitor", "none", "-no-reboot")
        command = [QEMU, "-M", machine.name, *quiet, "-icount", icount]
        command += ["-serial", "pty", "-kernel", str(firmware)]
        try:
            self._process = subprocess.Popen(
                [*_ends_with_us(), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            hint = "sudo apt-get install qemu-system-arm"
            raise MissingExtra(f"{QEMU} is not installed", hint) from error
        assert self._process.stdout is not None
        self._said: IO[bytes] = self._process.stdout
        self.port = self._port(machine)

    def close(self) -> None:
        """End it; may be called twice."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._said.close()

    def _port(self, machine: Machine) -> str:
        """QEMU says it in its first line, before the machine starts."""
        text = self._said.readline().decode(errors="replace").strip()
        found = re.search(r"(/dev/\S+)", text)
        if not found:
            self.close()
            raise DeviceError(
                f"the emulated {machine.name} does not start: {text or 'no reason given'}",
                f"run {QEMU} --version; edgekit doctor says what is missing",
            )
        return found[1]


def _ends_with_us() -> list[str]:
    """Where this process is killed, nothing else would end firmware that waits for ever."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
