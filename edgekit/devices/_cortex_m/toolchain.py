"""What a toolchain for Cortex-M must do, and what the two that there are have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Protocol

from edgekit._run import ToolError, run
from edgekit.devices._cortex_m.instructions import Instruction
from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.errors import DeviceError

HERE = Path(__file__).parent
STACK, LEAST_STACK = 1 << 16, 1 << 11
"""Bytes of stack that a firmware has where there is room, and those that it must have."""

OWN_FLAGS = ("-std=gnu11", "-Os")
SECTIONS = ("-ffunction-sections", "-fdata-sections")


class TooBigError(DeviceError):
    """The firmware does not fit the machine."""


class Toolchain(Protocol):
    """A C compiler with linker and disassembler; raises MissingExtra where it is not installed."""

    def compile_c(self, source: Path, output: Path, core: Core, flags: Sequence[str]) -> None:
        """Compile one C file.

        Raises:
            DeviceError: It does not compile for this core; the message has the first complaint.
        """
        ...

    def link(self, objects: Sequence[Path], output: Path, core: Core, machine: Machine) -> None:
        """Link `objects`, which lie beside `output`, for the memory of `machine`.

        Raises:
            TooBigError: They do not fit.
            DeviceError: The linker refuses them otherwise.
        """
        ...

    def disassemble(self, firmware: Path) -> dict[int, Instruction]:
        """The instructions of a firmware by address."""
        ...

    def version(self) -> str:
        """Name and version, e.g. `arm-none-eabi-gcc 12.2.1`."""
        ...


def run_compiler(command: Sequence[str | Path], source: Path, core: Core) -> None:
    """Run a compiler; see `Toolchain.compile_c`. A missing one is left to the caller."""
    try:
        run(command, timeout=300)
    except ToolError as error:
        if error.missing:
            raise
        raise DeviceError(
            f"{source.name} does not compile for {core.name}: {_complaint(error.stderr)}",
            "a project with kernels for one core compiles for that core alone: leave out --core",
        ) from error


def run_linker(command: Sequence[str], output: Path, core: Core, machine: Machine) -> None:
    """Run a linker beside `output`; see `Toolchain.link`."""
    output.with_suffix(".ld").write_text(_layout(machine), encoding="utf-8")
    try:
        run(command, cwd=output.parent, timeout=120)
    except ToolError as error:
        if re.search("overflowed|will not fit", error.stderr):
            raise TooBigError(
                f"the firmware does not fit {machine.name}", "use a smaller model or another --core"
            ) from error
        raise DeviceError(
            f"{output.name} does not link for {core.name}: {_complaint(error.stderr)}",
            "if the project was edited, build it again; else report this",
        ) from error


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


def _complaint(said: str) -> str:
    """The first error among what compiler or linker wrote."""
    found = re.search(r"^.*(\berror:|undefined|overflow).*$", said, re.IGNORECASE | re.MULTILINE)
    line = found[0] if found else (said.strip().splitlines() or ["no reason given"])[0]
    return re.sub(r"^\S*/", "", line.strip())[:200]
