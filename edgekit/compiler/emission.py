"""Where operations put their C: constants, kernels, and the names that the text uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core

KERNELS = Path(__file__).parent / "kernels"
_LOCAL = re.compile(r'^#include "([^"]+)"\n', re.MULTILINE)
_C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "float32": "float",
}
_WIDTH = 96
_WORD = 4  # what a member of a struct takes at most on a 32-bit core


class Sources:
    """Constants and kernels of a whole program, each once.

    Args:
        prefix: Of every name with static storage.
        core: Chooses among the twins of a kernel.

    Attributes:
        bytes: Of the constants; arrays exactly, structs at a word a member.
    """

    def __init__(self, prefix: str, core: Core) -> None:
        self.prefix = prefix
        self.core = core
        self.constants: list[str] = []
        self.kernels: list[str] = []
        self.defines = {f"EK_OPTIMIZE_{core.optimize.upper()}"}
        self.bytes = 0
        self._arrays: dict[tuple[str, bytes], str] = {}
        self._used: set[Path] = set()

    def array(self, name: str, values: NDArray[Any]) -> str:
        """A constant array; one that is there already is used again. Returns its C name."""
        values = np.ascontiguousarray(values)
        key = values.dtype.name, values.tobytes()
        if key not in self._arrays:
            self._arrays[key] = name
            self.bytes += values.nbytes
            head = f"static const {_C_TYPES[values.dtype.name]} {name}[{values.size}] = {{"
            self.constants.append("\n".join([head, *_rows(values.ravel()), "};"]))
        return self._arrays[key]

    def struct(self, kind: str, name: str, fields: Sequence[str]) -> str:
        """A constant struct; returns its C name."""
        self.bytes += _WORD * len(fields)
        lines = [f"    {field}," for field in fields]
        self.constants.append("\n".join([f"static const {kind} {name} = {{", *lines, "};"]))
        return name

    def use(self, header: str) -> None:
        """Take in a header of `kernels/` and what it includes, each once.

        Args:
            header: Its path below `kernels/`, without the ending for a core.
        """
        self._take(self._twin(KERNELS / header))

    def _twin(self, path: Path) -> Path:
        special = path.with_name(f"{path.stem}_{self.core.isa}{path.suffix}")
        return special if special.is_file() else path

    def _take(self, path: Path) -> None:
        if path in self._used:
            return
        self._used.add(path)
        text = path.read_text(encoding="ascii")
        for include in _LOCAL.findall(text):
            self._take(self._twin((path.parent / include).resolve()))
        self.kernels.append(_LOCAL.sub("", text).strip() + "\n")


class Emission:
    """The C of one layer, as its operation writes it.

    Attributes:
        inputs: C expressions of type `int8_t *`, one an input.
        output: The same for the output.
        scratch: The same for the working memory.
    """

    def __init__(
        self, sources: Sources, layer: str, inputs: Sequence[str], output: str, scratch: str
    ) -> None:
        self._sources = sources
        self._layer = layer
        self.inputs = tuple(inputs)
        self.output = output
        self.scratch = scratch

    def array(self, what: str, values: NDArray[Any]) -> str:
        """A constant of this layer; returns its C name."""
        return self._sources.array(f"{self._layer}_{what}", values)

    def struct(self, kind: str, what: str, fields: Iterable[object]) -> str:
        """A constant struct of this layer, its members in order; returns its C name."""
        return self._sources.struct(kind, f"{self._layer}_{what}", [str(each) for each in fields])

    def use(self, header: str) -> None:
        """Take in a kernel: a header of `kernels/`, `add/add.h`."""
        self._sources.use(header)

    def define(self, name: str) -> None:
        """Set a macro that kernels ask for with `#if`."""
        self._sources.defines.add(name)


def _rows(values: NDArray[Any]) -> list[str]:
    rows, row = [], "   "
    for value in values.tolist():
        text = _literal(value, values.dtype)
        if len(row) + len(text) + 2 > _WIDTH:
            rows.append(row)
            row = "   "
        row += f" {text},"
    return [*rows, row]


def _literal(value: Any, dtype: Any) -> str:
    if dtype == np.float32:
        text = str(np.float32(value))
        return f"{text}f" if "." in text or "e" in text else f"{text}.0f"
    if dtype == np.int32 and value == -(1 << 31):
        return "-2147483647 - 1"
    return f"{value}u" if dtype == np.uint32 else str(value)
