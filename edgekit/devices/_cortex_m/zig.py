"""Clang and LLD from the package `ziglang`, capstone to disassemble: a toolchain by pip alone.

It has no C library but the memory functions and arithmetic helpers of its compiler-rt.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgekit.devices._cortex_m import toolchain
from edgekit.devices._cortex_m.elf import read_elf
from edgekit.devices._cortex_m.instructions import Instruction, without_width
from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.errors import MissingExtra

EXTRA = "emulator"
CLANG = ("-fno-sanitize=undefined", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-g0")


class Zig:
    """See `toolchain.Toolchain`."""

    def compile_c(self, source: Path, output: Path, core: Core, flags: Sequence[str]) -> None:
        """Compile one C file."""
        command = [*_compiler(core), *toolchain.SECTIONS, *flags, "-c", str(source)]
        command += ["-o", str(output)]
        toolchain.run_compiler(command, source, core)

    def link(self, objects: Sequence[Path], output: Path, core: Core, machine: Machine) -> None:
        """Link without a C library."""
        script = f"-Wl,-T,{output.with_suffix('.ld').name}"
        names = [path.name for path in objects]
        options = ["-nostdlib", "-rtlib=compiler-rt", "-Wl,--gc-sections", "-Wl,-e,reset", script]
        command = [*_compiler(core), *options, *names, "-o", output.name]
        toolchain.run_linker(command, output, core, machine)

    def disassemble(self, firmware: Path) -> dict[int, Instruction]:
        """By capstone."""
        capstone = require("capstone")
        mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
        engine = capstone.Cs(capstone.CS_ARCH_ARM, mode)
        engine.skipdata = True
        found: dict[int, Instruction] = {}
        for start, content in read_elf(firmware).code:
            previous = ""
            for address, _, name, operands in engine.disasm_lite(content, start):
                mnemonic = without_width(name)
                found[address] = Instruction(address, mnemonic, operands, previous)
                previous = mnemonic
        return found

    def version(self) -> str:
        """Name and version."""
        from importlib.metadata import version

        return f"ziglang {version('ziglang')}"


def require(module: str) -> Any:
    """The optional module `module`.

    Raises:
        MissingExtra: It is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingExtra.of(module, EXTRA)
    return importlib.import_module(module)


def _compiler(core: Core) -> list[str]:
    require("ziglang")
    abi = "eabihf" if "-mfloat-abi=hard" in core.flags else "eabi"
    cpu = core.name.replace("-", "_")
    target = ["-target", f"thumb-freestanding-{abi}", f"-mcpu={cpu}"]
    return [sys.executable, "-m", "ziglang", "cc", *target, *CLANG]
