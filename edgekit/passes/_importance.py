"""How much a network misses each of its units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, lift
from edgekit.bridge.weights import KINDS
from edgekit.passes.base import Context
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.groups import groups

Array = NDArray[Any]
_BATCH = 64


def importance(criterion: str, tflite: bytes, known: Dependencies, context: Context) -> Array:
    """A number for each unit, the larger the more it is missed, [units].

    Args:
        criterion: `taylor`: mean square of the first-order change of the log-likelihood of the
            model's own decisions when a unit's activations become zero (Molchanov et al. 2017,
            arXiv:1611.06440; squared, the Fisher information: Theis et al. 2018,
            arXiv:1801.05787). It needs no labels: decisions are drawn from the model's scores.
            `l1`, `l2`: norms of the unit's filters over their layer's mean (Li et al. 2017,
            arXiv:1608.08710). `apoz`: share of values behind its activation that are not zero (Hu
            et al. 2016, arXiv:1607.03250). `redundancy`: squared distance from the most similar
            filter times the squared norm of what reads it (Srinivas and Babu 2015,
            arXiv:1507.06149).
        tflite: With the units silenced that have left already.
        known: Its units.
        context: Rows and seed.
    """
    if criterion == "taylor":
        return _taylor(lift(tflite, form="folded"), known, context)
    if criterion == "apoz":
        return _active(lift(tflite, form="folded"), known, context)
    if criterion == "redundancy":
        return _redundancy(known)
    return _norms(known, 1 if criterion == "l1" else 2)


def _filters(known: Dependencies, role: str) -> list[tuple[Array, Array]]:
    """Units of each kernel's axis, and what the kernel holds for each, [units, weights]."""
    found = {}
    for site in known.made(role):
        tensor = known.graph.tensors[known.graph.ops[site.op].inputs[site.place]]
        values = np.moveaxis(np.asarray(tensor.data, np.float64), site.axis, 0)
        found[tensor.index] = (site.units, values.reshape(len(values), -1))
    return list(found.values())


def _norms(known: Dependencies, order: int) -> Array:
    sums, counts = np.zeros(known.count), np.zeros(known.count)
    for units, filters in _filters(known, "rows"):
        norms = np.linalg.norm(filters, ord=order, axis=1)
        np.add.at(sums, units, norms / max(norms.mean(), 1e-30))
        np.add.at(counts, units, 1)
    return np.asarray(sums / np.maximum(counts, 1))


def _redundancy(known: Dependencies) -> Array:
    read = np.zeros(known.count)
    for units, filters in _filters(known, "columns"):
        np.add.at(read, units, (filters**2).sum(axis=1))
    found, made = np.zeros(known.count), _filters(known, "rows")
    for group in groups(known):
        own = [_rows_of(group.units, *each) for each in made if np.isin(group.units, each[0]).any()]
        filters = np.concatenate(own, axis=1)
        squares = (filters**2).sum(axis=1)
        apart = squares[:, None] + squares - 2 * filters @ filters.T
        np.fill_diagonal(apart, np.inf)
        nearest = apart.min(axis=1) if len(apart) > 1 else squares
        scores = np.maximum(nearest, 0) * read[group.units]
        found[group.units] = scores / max(scores.mean(), 1e-30)
    return found


def _rows_of(wanted: Array, units: Array, filters: Array) -> Array:
    """The filters of each wanted unit, one behind the other; zeros where it has fewer."""
    rows = [filters[units == unit].ravel() for unit in wanted]
    longest = max(row.size for row in rows)
    return np.stack([np.pad(row, (0, longest - row.size)) for row in rows])


def _active(lifted: Lifted, known: Dependencies, context: Context) -> Array:
    graph, found = known.graph, {}
    for site in known.made("columns"):
        op = graph.ops[site.op]
        index = op.inputs[KINDS[op.name].x]
        if index in known.places:
            found[index] = known.places[index]
    network = _tf.tf_keras().Model(lifted.model.inputs, [lifted.activations[i] for i in found])
    sums, counts = np.zeros(known.count), np.zeros(known.count)
    for batch in _batches(context):
        values = _tf.tensorflow().nest.flatten(network(batch, training=False))
        for (index, places), value in zip(found.items(), values, strict=True):
            more = len(value.shape) - len(graph.tensors[index].shape)
            other = tuple(a for a in range(len(value.shape)) if a != places.axis + more)
            np.add.at(sums, places.units, (np.asarray(value) != 0).mean(axis=other))
            np.add.at(counts, places.units, 1)
    return np.asarray(sums / np.maximum(counts, 1))


def _taylor(lifted: Lifted, known: Dependencies, context: Context) -> Array:
    tf, random = _tf.tensorflow(), np.random.default_rng(context.seed)
    indices = list(dict.fromkeys(known.graph.ops[s.op].outputs[0] for s in known.made("rows")))
    scores = list(lifted.scores.outputs)
    outputs = [*scores, *(lifted.activations[index] for index in indices)]
    network = _tf.tf_keras().Model(lifted.scores.inputs, outputs)
    total = np.zeros(known.count)
    for batch in _batches(context):
        with tf.GradientTape() as tape:
            found = network(batch, training=False)
            ours, inner = found[: len(scores)], found[len(scores) :]
            likelihood = sum(
                tf.reduce_sum(each * _drawn(head, each.numpy(), random))
                for head, each in zip(lifted.heads, ours, strict=True)
            )
        slopes = tape.gradient(likelihood, inner, unconnected_gradients="zero")
        change = np.zeros((known.count, len(np.asarray(inner[0]))))
        for index, value, slope in zip(indices, inner, slopes, strict=True):
            product = np.asarray(value * slope, np.float64)
            each = product.reshape(len(product), -1, product.shape[-1]).sum(axis=1)
            np.add.at(change, known.places[index].units, each.T)
        total += (change**2).sum(axis=1)
    return total / max(len(_chosen(context)), 1)


def _drawn(head: str, scores: Array, random: np.random.Generator) -> Array:
    """The slope of the log-likelihood of a decision that is drawn from scores, by the scores."""
    made: dict[str, Callable[[], Array]] = {
        "softmax": lambda: _classes(scores, random),
        "sigmoid": lambda: _coins(scores, random),
    }
    slope = made[head]() if head in made else random.normal(size=scores.shape) / _spread(scores)
    return slope.astype(np.float32)


def _classes(scores: Array, random: np.random.Generator) -> Array:
    drawn = (scores + random.gumbel(size=scores.shape)).argmax(axis=-1)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return np.asarray(np.eye(scores.shape[-1])[drawn] - shares)


def _coins(scores: Array, random: np.random.Generator) -> Array:
    shares = 1 / (1 + np.exp(-scores))
    return np.asarray((random.random(scores.shape) < shares) - shares)


def _spread(scores: Array) -> float:
    return max(float(scores.std()), 1e-6)


def _chosen(context: Context) -> Array:
    return context.rows.some()


def _batches(context: Context) -> list[list[Any]]:
    chosen = _chosen(context)
    cuts = range(0, len(chosen), _BATCH)
    tensor = _tf.tensorflow().constant
    return [[tensor(a) for a in context.rows.batch(chosen[at : at + _BATCH])] for at in cuts]
