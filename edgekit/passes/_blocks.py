"""Whole layers leave: those that add least to what the network knows.

A linear probe tells from a tensor, averaged over its places, the scores of the network; what the
probe behind a block tells better than that in front of it is what the block adds (Chen and Zhao
2018, Shallowing deep networks: layer-wise pruning based on feature representations, TPAMI).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, lift
from edgekit.bridge.names import layer_names
from edgekit.bridge.weights import has_weights
from edgekit.errors import UsageError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.passes._remove_options import RemoveOptions
from edgekit.passes.base import Candidate, Context
from edgekit.passes.select import select
from edgekit.structure.bypass import Block, blocks, bypass

Array = NDArray[Any]
_RIDGE = 1e-2
_BATCH = 64


def without_blocks(
    candidate: Candidate, options: RemoveOptions, context: Context
) -> tuple[Candidate, tuple[str, ...]]:
    """The candidate without the blocks that add least, and the names of their layers.

    Raises:
        UsageError: There are not so many blocks that can leave.
    """
    gone: list[str] = []
    tflite = candidate.tflite
    for number in range(options.blocks):
        graph, lifted = read(tflite), lift(tflite, form="folded")
        named = {each.name for each in select(lifted.layers, options.layers, options.exclude)}
        found = [block for block in blocks(graph) if set(_layers(graph, block)) <= named]
        if not found:
            raise UsageError(
                f"blocks = {options.blocks}: after {number} no layers are left whose output has "
                "the shape of what goes in",
                f"give blocks = {number}" if number else "leave blocks out",
            )
        best = _least(found, lifted, context)
        gone += _layers(graph, best)
        tflite = bypass(tflite, best)
    return dataclasses.replace(candidate, tflite=tflite), tuple(gone)


def _layers(graph: Graph, block: Block) -> tuple[str, ...]:
    names = layer_names(graph)
    return tuple(names[n] for n in block.ops if has_weights(graph, graph.ops[n]))


def _least(found: Sequence[Block], lifted: Lifted, context: Context) -> Block:
    """The block that adds least; of equal ones the largest."""
    indices = list(dict.fromkeys(index for b in found for index in (b.start, b.end)))
    features, scores = _pooled(lifted, indices, context)
    told = {index: _told(features[index], scores) for index in indices}
    return min(found, key=lambda b: (round(told[b.end] - told[b.start], 6), -len(b.ops)))


def _pooled(
    lifted: Lifted, indices: Sequence[int], context: Context
) -> tuple[dict[int, Array], Array]:
    """Each tensor's mean over its places, and the scores, [rows, ...]."""
    tf, outputs = _tf.tensorflow(), list(lifted.scores.outputs)
    inner = [lifted.activations[index] for index in indices]
    network = _tf.tf_keras().Model(lifted.scores.inputs, [*outputs, *inner])
    parts: list[list[Array]] = [[] for _ in (*outputs, *inner)]
    chosen = context.rows.some()
    for start in range(0, len(chosen), _BATCH):
        batch = [tf.constant(a) for a in context.rows.batch(chosen[start : start + _BATCH])]
        for part, value in zip(parts, network(batch, training=False), strict=True):
            array = np.asarray(value, np.float64)
            part.append(array.reshape(len(array), -1, array.shape[-1]).mean(axis=1))
    whole = [np.concatenate(part) for part in parts]
    return dict(zip(indices, whole[len(outputs) :], strict=True)), np.hstack(whole[: len(outputs)])


def _told(features: Array, scores: Array) -> float:
    """Share of the scores' variance that a linear probe tells on rows it was not made from."""
    half = len(features) // 2
    middle, spread = features[:half].mean(axis=0), features[:half].std(axis=0) + 1e-9
    x, goal = (features - middle) / spread, scores - scores[:half].mean(axis=0)
    moments = x[:half].T @ x[:half] / half + _RIDGE * np.eye(x.shape[1])
    probe = np.linalg.solve(moments, x[:half].T @ goal[:half] / half)
    missed = ((goal[half:] - x[half:] @ probe) ** 2).sum()
    return float(1 - missed / max((goal[half:] ** 2).sum(), 1e-30))
