"""The Arm GNU toolchain: compile and link a firmware; sizes, symbols and code of what it made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from edgekit._run import ToolError, run
from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.errors import DeviceError, MissingExtra

PREFIX = "arm-none-eabi-"
HERE = Path(__file__).parent
STACK, LEAST_STACK = 1 << 16, 1 << 11
"""Bytes of stack that a firmware has where there is room, and those that it must have."""

# Our own loops must not become calls of memset and memcpy, which the model may do without.
OWN_FLAGS = ("-std=gnu11", "-Os", "-fno-tree-loop-distribute-patterns")
LINK_FLAGS = ("-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections")
SECTIONS = ("-ffunction-sections", "-fdata-sections")


class TooBigError(DeviceError):
    """The firmware does not fit the machine."""


@dataclass(frozen=True)
class Symbol:
    """A function or object of a firmware: address (no Thumb bit) and size in bytes."""

    address: int
    size: int


@dataclass(frozen=True)
class Sizes:
    """Of a linked firmware, in bytes: text and constants and initial data; data and bss."""

    flash: int
    ram: int


def compile_c(source: Path, output: Path, core: Core, flags: Sequence[str]) -> None:
    """Compile one C file.

    Raises:
        DeviceError: It does not compile for this core; the first complaint is in the message.
        MissingExtra: No compiler, or no C library.
    """
    command = [f"{PREFIX}gcc", *core.flags, *SECTIONS, *flags, "-c", source, "-o", output]
    try:
        run([str(word) for word in command], timeout=300)
    except ToolError as error:
        _missing(error)
        raise DeviceError(
            f"{source.name} does not compile for {core.name}: {_complaint(error.stderr)}",
            "a project with kernels for one core compiles for that core alone: leave out --core",
        ) from error


def link(objects: Sequence[Path], output: Path, core: Core, machine: Machine) -> None:
    """Link `objects` for the memory of `machine`.

    Raises:
        TooBigError: They do not fit.
        DeviceError: The linker refuses them otherwise.
        MissingExtra: No compiler, or no C library.
    """
    script = output.with_suffix(".ld")
    script.write_text(_layout(machine), encoding="utf-8")
    command = [f"{PREFIX}gcc", *core.flags, *LINK_FLAGS, f"-Wl,-T,{script.name}"]
    names = [path.name for path in objects]
    try:
        run([*command, *names, "-lm", "-o", output.name], cwd=output.parent, timeout=120)
    except ToolError as error:
        _missing(error)
        if "overflowed" in error.stderr or "will not fit" in error.stderr:
            raise TooBigError(
                f"the firmware does not fit {machine.name}", "use a smaller model or another --core"
            ) from error
        raise DeviceError(
            f"{output.name} does not link for {core.name}: {_complaint(error.stderr)}",
            "if the project was edited, build it again; else report this",
        ) from error


def sizes(firmware: Path) -> Sizes:
    """What a linked firmware takes, as `size` counts it."""
    said = run([f"{PREFIX}size", firmware]).stdout.splitlines()[1].split()
    text, data, bss = (int(word) for word in said[:3])
    return Sizes(text + data, data + bss)


def symbols(firmware: Path) -> dict[str, Symbol]:
    """The functions and objects of a firmware by name."""
    lines = run([f"{PREFIX}nm", "-S", firmware]).stdout.splitlines()
    found = {}
    for words in (line.split() for line in lines):
        size = int(words[1], 16) if len(words) == 4 else 0
        found[words[-1]] = Symbol(int(words[0], 16) & ~1, size)
    return found


def disassembly(firmware: Path) -> str:
    """The code of a firmware as objdump prints it, without raw bytes."""
    return run([f"{PREFIX}objdump", "-d", "--no-show-raw-insn", firmware], timeout=120).stdout


def version() -> str:
    """Name and version of the compiler, e.g. `arm-none-eabi-gcc 12.2.1`."""
    return f"{PREFIX}gcc {run([f'{PREFIX}gcc', '-dumpfullversion']).stdout.strip()}"


def _layout(machine: Machine) -> str:
    tables = machine.tables or machine.code
    return Template((HERE / "layout.ld").read_text(encoding="utf-8")).substitute(
        code_origin=machine.code.origin,
        code_length=machine.code.length,
        tables_origin=tables.origin,
        tables_length=tables.length,
        tables="TABLES" if machine.tables else "CODE",
        ram_origin=machine.ram.origin,
        ram_length=machine.ram.length,
        stack=STACK,
        least_stack=LEAST_STACK,
    )


def _missing(error: ToolError) -> None:
    """Raise MissingExtra where the tool itself is what is missing."""
    if error.missing or "nano.specs" in error.stderr or "stdint.h: No such" in error.stderr:
        raise MissingExtra(
            "the compiler for Cortex-M is not installed, or not whole",
            "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
        ) from error


def _complaint(said: str) -> str:
    """The first error among what compiler or linker wrote."""
    found = re.search(r"^.*(\berror:|undefined|overflow).*$", said, re.IGNORECASE | re.MULTILINE)
    line = found[0] if found else (said.strip().splitlines() or ["no reason given"])[0]
    return re.sub(r"^\S*/", "", line.strip())[:200]
