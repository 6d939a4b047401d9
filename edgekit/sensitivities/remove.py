"""Each group of channels alone made narrower: what `remove` misses least is silenced first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from edgekit.bridge.names import layer_names
from edgekit.bridge.weights import KINDS
from edgekit.graph.read import read
from edgekit.passes._importance import importance
from edgekit.passes.base import Context
from edgekit.sensitivities.changes import Change, Kernels, Layer
from edgekit.structure.dependencies import Dependencies, dependencies
from edgekit.structure.groups import Cost, Group, groups
from edgekit.structure.silence import silence
from edgekit.structure.units import Array, Mask

CRITERION = "taylor"
"""What `remove` goes by where it is not told otherwise."""


def layers(context: Context, levels: Sequence[float]) -> Iterator[Layer]:
    """Every group of channels that can shrink, at each level that it has channels for.

    Args:
        context: The model, rows to judge channels on, and the seed.
        levels: Shares of a group's channels that leave; one channel at least stays.
    """
    known = dependencies(read(context.original))
    able = [group for group in groups(known) if not group.why]
    if not able:
        return
    context.progress.step(f"judging the channels of {len(able)} groups")
    scores, cost = importance(CRITERION, context.original, known, context), Cost(known)
    ops = {layer_names(known.graph)[op.index]: op.name for op in known.graph.ops}
    for group in able:
        masks = {level: _keep(known.count, group, scores, level) for level in levels}
        changes = [
            Change(
                level,
                partial(_silenced, context.original, known, keep),
                parameters=_saved(cost, keep)[0],
                macs=_saved(cost, keep)[1],
            )
            for level, keep in masks.items()
            if keep[group.units].any() and not keep.all()
        ]
        whole = _saved(cost, _keep(known.count, group, scores, 1.0))
        yield Layer("remove", group.layers, ops[group.layers[0]], *whole, tuple(changes))


def _keep(count: int, group: Group, scores: Array, level: float) -> Mask:
    """The units that stay."""
    keep = np.ones(count, bool)
    order = np.argsort(scores[group.units], kind="stable")
    keep[group.units[order[: round(level * len(order))]]] = False
    return keep


def _saved(cost: Cost, keep: Mask) -> tuple[int, int]:
    """Parameters and multiply-accumulates that leave."""
    whole = np.ones(len(keep), bool)
    return (
        round(cost.parameters(whole) - cost.parameters(keep)),
        round(cost.macs(whole) - cost.macs(keep)),
    )


def _silenced(tflite: bytes, known: Dependencies, keep: Mask) -> Kernels:
    """The kernels that read what leaves, with zeros there."""
    after = read(silence(tflite, known, keep))
    readers = [op for op in known.graph.ops if op.name in KINDS]
    found = {}
    for index in dict.fromkeys(op.inputs[KINDS[op.name].kernel] for op in readers):
        before, now = known.graph.tensors[index].data, after.tensors[index].data
        if before is not None and now is not None and not np.array_equal(before, now):
            found[index] = now
    return found
