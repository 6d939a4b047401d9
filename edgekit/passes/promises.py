"""What passes promise, checked on flatbuffers: on the float one, and on the integers made of it.

Nothing is taken from a training framework: the constants of the file are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from edgekit.evaluate.encodings import distinct
from edgekit.evaluate.learned_ranges import ranges_kept
from edgekit.evaluate.matching import match
from edgekit.evaluate.weights import Weights, find
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.problem import Problem

__all__ = ["Promise", "broken", "broken_in_integers", "ranges_kept"]
Kind = Literal["sparsity", "block", "n_m", "distinct", "blocks", "rank", "shared"]
_HINT = "leave the layer out of the pass, or report the model to edgekit"
_INTEGER_HINT = "build without equalisation (--set quantize.equalise=off), or leave the layer out"


@dataclass(frozen=True)
class Promise:
    """A property of one kernel.

    Attributes:
        layer: Its name, for messages.
        tensor: Index of the kernel in the float flatbuffer.
        kind: `sparsity`: a share of zeros. `block`: a share of blocks that are all zero.
            `n_m`: in every `m` weights in a row, along the kernel's last axis in the flatbuffer,
            at most `n` are not zero (Zhou et al. 2021, arXiv:2102.04010). `distinct`: a number
            of different values. `blocks`: a number of different blocks of `block[1]` weights in a
            row; per channel, of integers with a scale for each channel in the whole kernel all the
            same, since factors of channels are in the scales. `rank`: a number of output channels,
            of a layer that makes what the next one makes its outputs of.
        value: The share 0..1 or the number that is promised; not read for `n_m`.
        per: Whether it holds for the whole kernel (`tensor`) or each output channel (`channel`);
            `block` and `n_m` are about the whole kernel.
        block: Height and width of a block in Keras' layout [all inputs, outputs], from the first
            weight on; blocks at the far edges may be smaller. Of `blocks`: 1 and their length.
        n: See `n_m`.
        m: See `n_m`.
    """

    layer: str
    tensor: int
    kind: Kind
    value: float
    per: Literal["tensor", "channel"] = "tensor"
    block: tuple[int, int] = (1, 1)
    n: int = 0
    m: int = 0

    def to_json(self) -> dict[str, Any]:
        """The promise as a manifest or a checkpoint stores it."""
        return {**asdict(self), "block": list(self.block)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Promise:
        """The promise that `to_json` stored."""
        return cls(**{**content, "block": tuple(content["block"])})


def broken(promises: Iterable[Promise], float_tflite: bytes) -> list[Problem]:
    """An error for each promise that the float flatbuffer does not keep."""
    held = {weights.tensor.index: weights for weights in find(read(float_tflite))}
    problems = []
    for promise in promises:
        weights = held.get(promise.tensor)
        lack = _lack(promise, weights) if weights else f"tensor {promise.tensor} holds no weights"
        if lack:
            problems.append(Problem("error", promise.layer, f"{promise.layer}: {lack}", _HINT))
    return problems


def broken_in_integers(
    promises: Iterable[Promise], float_tflite: bytes, built_tflite: bytes
) -> list[Problem]:
    """An error for each promise that does not hold in the stored integers of the built file.

    Every zero of the float kernel must be zero there (there may be more), and integers are counted
    where distinct values were promised.

    Args:
        promises: Tensors are those of `float_tflite`.
        float_tflite: What was quantized.
        built_tflite: What came out, in any number format.
    """
    left, right = read(float_tflite), read(built_tflite)
    held = {weights.tensor.index: weights for weights in find(left)}
    mates = _mates(left, right)
    problems = []
    for promise in promises:
        weights, built = held.get(promise.tensor), mates.get(promise.tensor)
        if weights is None or built is None:
            lack = "its weights are not found in the built file"
        else:
            lack = _lost_zeros(promise, weights, built) or _lack(promise, built)
        if lack:
            where = f"{promise.layer} in the built file"
            problems.append(Problem("error", promise.layer, f"{where}: {lack}", _INTEGER_HINT))
    return problems


def _mates(left: Graph, right: Graph) -> dict[int, Weights]:
    """Kernel of the float graph, by tensor index -> its counterpart in the built graph."""
    pairs = match(left, right)
    ours = find(left)
    by_output = {(each.op.outputs[0], each.place): each.tensor.index for each in ours}
    by_name = {each.tensor.name: each.tensor.index for each in ours}
    mates: dict[int, Weights] = {}
    for built in find(right):
        key = pairs.get(built.op.outputs[0], -1), built.place
        index = by_output.get(key, by_name.get(built.tensor.name))
        if index is not None:
            mates.setdefault(index, built)
    return mates


def _lost_zeros(promise: Promise, weights: Weights, built: Weights) -> str:
    if (
        promise.kind in ("distinct", "blocks", "rank", "shared")
        or weights.values.shape != built.values.shape
    ):
        return ""
    lost = int((weights.zeros & ~built.zeros).sum())
    return f"{lost:,} weights that were zero are not" if lost else ""


def _lack(promise: Promise, weights: Weights) -> str:
    """What is missing, empty where the promise is kept."""
    return _CHECKS[promise.kind](promise, weights)


def _sparsity(promise: Promise, weights: Weights) -> str:
    rows = weights.by_channel(weights.zeros)
    rows = rows if promise.per == "channel" else rows.reshape(1, -1)
    return _share(promise, rows, "zeros")


def _block(promise: Promise, weights: Weights) -> str:
    zeros, (height, width) = weights.by_channel(weights.zeros).T, promise.block
    edges = [(0, -zeros.shape[0] % height), (0, -zeros.shape[1] % width)]
    padded = np.pad(zeros, edges, constant_values=True)
    grid = padded.reshape(padded.shape[0] // height, height, -1, width)
    return _share(promise, grid.all(axis=(1, 3)).reshape(1, -1), f"zero blocks {height}x{width}")


def _share(promise: Promise, rows: np.ndarray, what: str) -> str:
    """One less than promised is rounding: a share of few weights is no whole number."""
    counts = rows.sum(axis=1)
    if (counts + 1 > promise.value * rows.shape[1]).all():
        return ""
    worst = int(np.argmin(counts))
    channel = f" in channel {worst}" if promise.per == "channel" and len(rows) > 1 else ""
    share = 100 * counts[worst] / rows.shape[1]
    return f"{share:.1f} % {what}{channel}, {100 * promise.value:.1f} % promised"


def _n_m(promise: Promise, weights: Weights) -> str:
    kept = ~weights.zeros.reshape(-1, weights.values.shape[-1])
    padded = np.pad(kept, [(0, 0), (0, -kept.shape[1] % promise.m)])
    groups = padded.reshape(-1, promise.m).sum(axis=1)
    over = int((groups > promise.n).sum())
    if not over:
        return ""
    rule = f"at most {promise.n} of {promise.m} weights in a row"
    return f"{over:,} of {len(groups):,} groups break the promise of {rule}"


def _distinct(promise: Promise, weights: Weights) -> str:
    rows = weights.by_channel(weights.values)
    rows = rows if promise.per == "channel" else rows.reshape(1, -1)
    counts = distinct(rows)
    if counts.max() <= promise.value:
        return ""
    where = f" in channel {int(counts.argmax())}" if promise.per == "channel" else ""
    return f"{counts.max():,} different weights{where}, {promise.value:g} promised"


def _blocks(promise: Promise, weights: Weights) -> str:
    rows = weights.by_channel(weights.values)
    scaled = weights.tensor.quantization
    alike = scaled is not None and len(scaled.scale) == len(rows)
    groups = rows if promise.per == "channel" and not alike else rows.reshape(1, -1)
    length = promise.block[1]
    counts = [len(np.unique(group.reshape(-1, length), axis=0)) for group in groups]
    if max(counts) <= promise.value:
        return ""
    return f"{max(counts):,} different blocks of {length}, {promise.value:g} promised"


def _rank(promise: Promise, weights: Weights) -> str:
    channels = len(weights.by_channel(weights.values))
    if channels <= promise.value:
        return ""
    return f"{channels:,} channels, a rank of {promise.value:g} promised"


def _shared(promise: Promise, weights: Weights) -> str:
    if weights.readers >= promise.value:
        return ""
    return f"{weights.readers} layers read its bytes, {promise.value:g} promised"


_CHECKS = {
    "sparsity": _sparsity,
    "block": _block,
    "n_m": _n_m,
    "distinct": _distinct,
    "blocks": _blocks,
    "rank": _rank,
    "shared": _shared,
}
