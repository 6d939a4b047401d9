"""Raw rows to stored inputs, and stored outputs to real values, as interface.json says.

    raw row -> resized (bilinear, half-pixel centres, no antialiasing)
            -> ((x * scale + offset) - mean) / std, in float64, rounded once to float32
            -> for integers: divided by the scale in float32, rounded half away from zero, plus the
               zero point, clamped; NaN is the zero point

The bits are those that edgekit made of the data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
WHOLE = ("int32", "int64", "bool")
"""Inputs that take class numbers or tokens as they are."""


@dataclass(frozen=True)
class Port:
    """An input or output: `shape` with the batch axis; real = scale * (stored - zero_point)."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True)
class Interface:
    """What interface.json holds."""

    name: str
    sha256: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    preprocess: dict[str, Any]
    labels: tuple[str, ...]
    tolerance: tuple[float | None, ...]


@lru_cache(maxsize=1)
def interface() -> Interface:
    """Of this model."""
    data: dict[str, Any] = json.loads((HERE / "interface.json").read_text(encoding="utf-8"))
    for side in ("inputs", "outputs"):
        ports = [Port(**{**port, "shape": tuple(port["shape"])}) for port in data[side]]
        data[side] = tuple(ports)
    data |= {key: tuple(data[key]) for key in ("labels", "tolerance")}
    return Interface(**data)


def preprocess(row: Any, place: int = 0) -> np.ndarray:
    """A raw row, without a batch axis, as input `place` stores it, with one.

    Raises:
        ValueError: Its shape is not the input's, or it holds numbers that such an input cannot.
    """
    port = interface().inputs[place]
    row = np.asarray(row)
    if port.dtype in WHOLE:
        stored = row.astype(port.dtype)
        if not np.array_equal(stored, row):
            raise ValueError(f"input '{port.name}' takes whole numbers of {port.dtype}")
    else:
        stored = quantize(_real(row), port)
    if stored.shape != port.shape[1:]:
        raise ValueError(f"input '{port.name}' takes {port.shape[1:]}, not {row.shape}")
    return np.ascontiguousarray(stored[None])


def quantize(real: np.ndarray, port: Port) -> np.ndarray:
    """float32 values as a port stores them."""
    dtype = np.dtype(port.dtype)
    if dtype.kind not in "iu":
        return real.astype(dtype)
    steps = np.asarray(real, np.float32)
    if port.scale is not None:
        with np.errstate(over="ignore"):
            steps = steps / np.float32(port.scale)
    steps = np.nan_to_num(steps)
    whole = np.trunc(steps).astype(np.float64)
    away = np.abs(steps - whole) >= 0.5
    rounded = whole + away * np.sign(steps) + (port.zero_point or 0)
    info = np.iinfo(dtype)
    return np.asarray(np.clip(rounded, info.min, info.max), dtype)


def dequantize(stored: np.ndarray, place: int = 0) -> np.ndarray:
    """Stored values of output `place` as float32; what is not quantized keeps its type."""
    port = interface().outputs[place]
    if port.scale is None:
        return stored
    whole = np.asarray(stored).astype(np.int64) - (port.zero_point or 0)
    return np.asarray(whole * np.float64(np.float32(port.scale)), np.float32)


def _real(row: np.ndarray) -> np.ndarray:
    """The real values of a raw row, float32."""
    of = interface().preprocess
    if of["resize"] is not None:
        row = resize(row, *of["resize"])
    plain = (of["scale"], of["offset"], of["mean"], of["std"]) == (1.0, 0.0, [], [])
    if plain:
        return row.astype(np.float32)
    value = row.astype(np.float64) * of["scale"] + of["offset"]
    if of["mean"]:
        value -= np.asarray(of["mean"], np.float64)
    if of["std"]:
        value /= np.asarray(of["std"], np.float64)
    with np.errstate(over="ignore"):
        return np.asarray(value, np.float32)


def resize(row: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear resize of [H, W] or [H, W, C]; float32 unless it has that size."""
    if row.ndim not in (2, 3):
        raise ValueError(f"a picture [height, width] or [height, width, channels], not {row.shape}")
    if row.shape[:2] == (height, width):
        return row
    value = row.astype(np.float32)
    for axis, size in ((0, height), (1, width)):
        low, high, weight = _neighbours(value.shape[axis], size)
        weight = weight.reshape([-1 if i == axis else 1 for i in range(value.ndim)])
        value = value.take(low, axis) * (1 - weight) + value.take(high, axis) * weight
    return value


def _neighbours(size: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    centre = np.clip((np.arange(new) + 0.5) * (size / new) - 0.5, 0, size - 1)
    low = np.floor(centre).astype(np.int64)
    return low, np.minimum(low + 1, size - 1), (centre - low).astype(np.float32)
