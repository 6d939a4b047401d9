"""What each of the 256 values of a byte becomes: preprocessing with all its rounding, done here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.graph import Tensor
from edgekit.interface import prepare
from edgekit.preprocess import Preprocess

_C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "float32": "float"}
_WIDTH = 96
_MOST = 4
"""Channels that are worth a table of 256 values each."""


def byte_value(
    name: str, tensor: Tensor, preprocess: Preprocess, raw: str
) -> tuple[str, str] | None:
    """The table for raw bytes and the C expression of an input's element `i`.

    Args:
        name: Of the table.
        tensor: The input.
        preprocess: The contract.
        raw: `uint8` or `int8`.

    Returns:
        No table where a byte is only shifted; None where no table can or should be: a value is
        infinite, or there are too many channels.
    """
    values = _prepared(tensor, preprocess, raw)
    if values.shape[1] > _MOST or not np.isfinite(values).all():
        return None
    shift = int(values[0, 0]) - int(_bytes(raw)[0])
    if (
        tensor.dtype != "float32"
        and (values == _bytes(raw).astype(np.int64)[:, None] + shift).all()
    ):
        return "", f"(@type@)(row[i] + ({shift}))"
    channels = values.shape[1]
    rows = [f"    {{{row}}}," for row in map(_joined, values.T)] if channels > 1 else []
    body = "\n".join(rows or _folded(_literals(values[:, 0])))
    size = f"[{channels}][256]" if channels > 1 else "[256]"
    table = f"\nstatic const {_C_TYPES[tensor.dtype]} {name}{size} = {{\n{body}\n}};\n"
    byte = "row[i]" if raw == "uint8" else "(uint8_t)row[i]"
    return table, f"{name}[i % {channels}u][{byte}]" if channels > 1 else f"{name}[{byte}]"


def _prepared(tensor: Tensor, preprocess: Preprocess, raw: str) -> NDArray[Any]:
    """[256, channels]: what the bytes 0 to 255 become; one channel where all are alike."""
    alike = max(len(preprocess.mean), len(preprocess.std)) < 2
    rows = np.repeat(_bytes(raw)[:, None], 1 if alike else tensor.shape[-1], axis=1)
    values = prepare(rows, tensor, replace(preprocess, resize=None, dtype="auto"))
    return values if (values != values[:, :1]).any() else values[:, :1]


def _bytes(raw: str) -> NDArray[Any]:
    return np.arange(256, dtype=np.uint8).view(raw)


def _literals(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        text = str(value)
        floats = isinstance(value, np.floating)
        yield f"{text}f" if floats else text


def _joined(values: NDArray[Any]) -> str:
    return "\n     ".join(line.strip() for line in _folded(_literals(values)))


def _folded(words: Iterable[str]) -> list[str]:
    lines, line = [], "   "
    for word in words:
        if len(line) + len(word) + 2 > _WIDTH:
            lines.append(line)
            line = "   "
        line += f" {word},"
    return [*lines, line]
