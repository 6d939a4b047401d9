"""Random preprocessing contracts with rows, and what Python makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.graph import Quantization, Tensor
from edgekit.interface import Interface, Port, prepare
from edgekit.preprocess import NAMED, Preprocess

ROWS = 25
CONTRACTS = 40
"""Together 1,000 vectors; where every contract has to be compiled, fewer with more rows."""


@dataclass(frozen=True)
class Contract:
    """An interface, and rows with what they become.

    Attributes:
        interface: With one input.
        shape: Of the rows.
        rows: float64 [rows, values], exact whatever the rows are stored as.
        real: float32 [rows, values]: after the preprocessing.
        stored: [rows, values] as the input stores them.
    """

    interface: Interface
    shape: tuple[int, ...]
    rows: NDArray[np.float64]
    real: NDArray[np.float32]
    stored: NDArray[Any]


def contracts(
    dtypes: tuple[str, ...], count: int = CONTRACTS, rows: int = ROWS, seed: int = 7
) -> Iterator[Contract]:
    """`count` of them, each with as many `rows`; the input's dtypes in turn."""
    random = np.random.default_rng(seed)
    for number in range(count):
        yield _contract(random, number, dtypes[number % len(dtypes)], rows)


def _contract(random: np.random.Generator, number: int, dtype: str, count: int) -> Contract:
    wanted = _shape(random)
    preprocess = _preprocess(random, wanted, number)
    shape = wanted
    if preprocess.resize is not None:
        shape = (int(random.integers(1, 9)), int(random.integers(1, 9)), *wanted[2:])
    rows = [_row(random, shape, preprocess.dtype) for _ in range(count)]
    tensor = _tensor(random, wanted, dtype)
    with np.errstate(all="ignore"):
        real = [preprocess.apply(row) for row in rows]
        stored = [prepare(row, tensor, preprocess) for row in rows]
    known = tensor.quantization
    scale = float(known.scale[0]) if known else None
    zero = int(known.zero_point[0]) if known else None
    port = Port("in", (1, *wanted), dtype, scale, zero)
    output = Port("out", (1, 1), "float32")
    return Contract(
        Interface(f"case {number}", "0" * 64, (port,), (output,), preprocess),
        shape,
        np.stack([row.astype(np.float64).ravel() for row in rows]),
        np.stack([np.broadcast_to(value, wanted).ravel() for value in real]),
        np.stack([np.broadcast_to(value, wanted).ravel() for value in stored]),
    )


def _shape(random: np.random.Generator) -> tuple[int, ...]:
    rank = int(random.integers(1, 4))
    return tuple(int(random.integers(1, 7)) for _ in range(rank))


def _preprocess(random: np.random.Generator, wanted: tuple[int, ...], number: int) -> Preprocess:
    channels = wanted[-1]
    found = [NAMED["raw"], NAMED["unit"], NAMED["symmetric"], _free(random, channels)][number % 4]
    if len(wanted) >= 2 and number % 3:
        found = replace(found, resize=wanted[:2])
    return replace(found, dtype=("auto", "auto", "uint8", "float32", "int16")[number % 5])


def _free(random: np.random.Generator, channels: int) -> Preprocess:
    mean, std = (
        tuple(random.uniform(0.1, 2, random.choice([0, 1, channels])).tolist()) for _ in range(2)
    )
    return Preprocess(
        scale=float(random.uniform(-2, 2)), offset=float(random.uniform(-3, 3)), mean=mean, std=std
    )


def _row(random: np.random.Generator, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    if dtype == "int16":
        return random.integers(-(1 << 15), 1 << 15, shape).astype(np.int16)
    if dtype == "uint8" or random.random() < 0.3:
        return random.integers(0, 256, shape).astype(np.uint8)
    row = random.normal(0, 10.0 ** random.integers(-2, 4), shape)
    if random.random() < 0.3:
        row = np.where(random.random(shape) < 0.3, random.choice(_ODD, shape), row)
    return row.astype(np.float32)


_ODD = np.array([np.nan, np.inf, -np.inf, -0.0, 3e38, -3e38, 1e-40, 0.5, 1.5, 2.5, -0.5, -2.5])


def _tensor(random: np.random.Generator, wanted: tuple[int, ...], dtype: str) -> Tensor:
    known = None
    if dtype != "float32":
        limits = np.iinfo(dtype)
        # powers of two meet the halves that rounding is about
        scale = random.choice([2.0 ** random.integers(-8, 2), random.uniform(1e-3, 2)])
        zero = int(random.integers(max(limits.min, -200), min(limits.max, 200) + 1))
        known = Quantization(np.array([scale], np.float32), np.array([zero], np.int64), 0)
    shape = (1, *wanted)
    return Tensor(0, "in", shape, shape, dtype, None, known, None, None, False)
