"""Values as Java source: ASCII alone, so that the compiler's encoding does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from edgekit.interface import Port
from edgekit.preprocess import Preprocess

_CHUNK = 4000
"""Characters of a literal: a constant holds 65,535 bytes, a character takes three at most."""


def string(text: str) -> str:
    """A string literal."""
    return '"' + "".join(_escaped(unit) for unit in _units(text)) + '"'


def floating(value: float | None) -> str:
    """A float literal; 0 for what is not there."""
    return f"{np.float32(value or 0)}f"


def double(value: float) -> str:
    """A double literal that gives the same number back."""
    return "Double.NaN" if np.isnan(value) else repr(float(value))


def doubles(values: Sequence[float]) -> str:
    """An array of doubles."""
    return f"new double[] {{{', '.join(map(double, values))}}}"


def ports(sides: Sequence[Port]) -> str:
    """Constructors of `Port`, one a line."""
    return ",\n".join(f"      {_port(port)}" for port in sides)


def preprocess(value: Preprocess) -> str:
    """The arguments of `Preprocess`."""
    resizes = "true" if value.resize is not None else "false"
    words = [string(value.dtype), resizes, double(value.scale), double(value.offset)]
    return f"          {', '.join([*words, doubles(value.mean), doubles(value.std)])}"


def lines(labels: Sequence[str]) -> str:
    """Statements that append a line a label, none of them with a constant that is too long."""
    text = "".join(f"{label}\n" for label in labels)
    parts = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
    return "\n".join(f"    lines.append({string(part)});" for part in parts)


def _port(port: Port) -> str:
    shape = ", ".join(map(str, port.shape))
    numbers = f"{floating(port.scale)}, {port.zero_point or 0}"
    return f"new Port({string(port.name)}, {string(port.dtype)}, {numbers}, new int[] {{{shape}}})"


def _units(text: str) -> Iterator[int]:
    """UTF-16 code units, which are Java's characters."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return iter(np.frombuffer(raw, "<u2").tolist())


def _escaped(unit: int) -> str:
    if chr(unit) in '"\\':
        return f"\\{chr(unit)}"
    if unit < 32:
        return f"\\{unit:03o}"  # a Unicode escape of a line's end would end the line
    return chr(unit) if unit < 127 else f"\\u{unit:04x}"
