"""The Arm GNU toolchain with newlib-nano, as Debian packages it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgekit._run import ToolError, run
from edgekit.devices._cortex_m import toolchain
from edgekit.devices._cortex_m.instructions import Instruction, read_disassembly
from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.errors import MissingExtra

PREFIX = "arm-none-eabi-"
COMPILER = f"{PREFIX}gcc"
NANO = ("-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections")


class Gcc:
    """See `toolchain.Toolchain`."""

    def compile_c(self, source: Path, output: Path, core: Core, flags: Sequence[str]) -> None:
        """Compile one C file."""
        command = [COMPILER, *core.flags, *toolchain.SECTIONS, *flags, "-c", str(source)]
        command += ["-o", str(output)]
        try:
            toolchain.run_compiler(command, source, core)
        except ToolError as error:
            raise _not_whole() from error

    def link(self, objects: Sequence[Path], output: Path, core: Core, machine: Machine) -> None:
        """Link against newlib-nano, of which only what is called is taken."""
        script = f"-Wl,-T,{output.with_suffix('.ld').name}"
        names = [path.name for path in objects]
        if not Path(_file("nano.specs")).is_file():
            raise _not_whole()
        command = [COMPILER, *core.flags, *NANO, script, *names, "-lm", "-o", output.name]
        toolchain.run_linker(command, output, core, machine)

    def disassemble(self, firmware: Path) -> dict[int, Instruction]:
        """By objdump."""
        command = [f"{PREFIX}objdump", "-d", "--no-show-raw-insn", str(firmware)]
        return read_disassembly(run(command, timeout=120).stdout)

    def version(self) -> str:
        """Name and version."""
        return f"{COMPILER} {run([COMPILER, '-dumpfullversion']).stdout.strip()}"


def _file(name: str) -> str:
    """Where the compiler finds a file of its libraries; the bare name if nowhere."""
    return run([COMPILER, f"-print-file-name={name}"]).stdout.strip()


def _not_whole() -> MissingExtra:
    return MissingExtra(
        "the compiler for Cortex-M is not installed, or has no C library",
        "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
    )
