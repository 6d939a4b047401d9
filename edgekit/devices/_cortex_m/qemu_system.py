"""qemu-system-arm with our counting plugin."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from edgekit._run import ToolError, run
from edgekit.devices._cortex_m.counts import Counts, read_counts
from edgekit.devices._cortex_m.machines import CORES, Core, Machine
from edgekit.devices._cortex_m.toolchain import HERE
from edgekit.errors import DeviceError, MissingExtra

QEMU = "qemu-system-arm"
SEMIHOSTING = ("-semihosting-config", "enable=on,target=native")
QUIET = ("-display", "none", "-monitor", "none", "-serial", "null", "-no-reboot")


class Qemu:
    """See `emulator.Emulator`."""

    name = "qemu"
    cores: Collection[str] = tuple(CORES)

    def count(
        self, firmware: Path, core: Core, machine: Machine, markers: Sequence[int], timeout: float
    ) -> tuple[str, Counts]:
        """Run `firmware` until it ends."""
        work = firmware.parent
        _plugin(work, self.version())
        lines = "".join(f"{marker:x}\n" for marker in markers)
        (work / "markers.txt").write_text(lines, encoding="ascii")
        # Relative names: QEMU takes commas in a path for its own.
        plugin = "file=./plugin.so,markers=markers.txt,out=counts.txt"
        command = [QEMU, "-M", machine.name, *QUIET, *SEMIHOSTING, "-plugin", plugin]
        try:
            done = run([*command, "-kernel", firmware.name], cwd=work, timeout=timeout)
        except ToolError as error:
            _missing(error, QEMU, QEMU)
            raise DeviceError(
                f"the emulated {machine.name} failed: {error.message}",
                "run edgekit bench with --debug, and report this if the project was not edited",
            ) from error
        return done.stdout + done.stderr, read_counts((work / "counts.txt").read_text("ascii"))

    def version(self) -> str:
        """Name and version."""
        try:
            said = run([QEMU, "--version"]).stdout
        except ToolError as error:
            _missing(error, QEMU, QEMU)
            raise
        return f"{QEMU} {said.split('version ')[1].split()[0]}"


def plugin_api(version: str) -> int:
    """The version of the plugins' interface that a QEMU takes, e.g. of `qemu-system-arm 7.2.22`."""
    return 1 if int(version.split()[1].split(".")[0]) < 9 else 2


def _plugin(work: Path, version: str) -> None:
    api = f"-DPLUGIN_API={plugin_api(version)}"
    flags = ("-O2", "-shared", "-fPIC", "-fvisibility=hidden", api)
    try:
        run(["gcc", *flags, HERE / "plugin.c", "-o", work / "plugin.so"])
    except ToolError as error:
        _missing(error, "gcc", "gcc libc6-dev")
        raise DeviceError(f"the counter does not compile: {error.message}", error.hint) from error


def _missing(error: ToolError, tool: str, packages: str) -> None:
    if error.missing:
        hint = f"sudo apt-get install {packages}"
        raise MissingExtra(f"{tool} is not installed", hint) from error
