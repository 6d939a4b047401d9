"""Pruning by least squares: the weights that go are those that are missed least, and what stays
makes up for them, without training.

Which go is decided over all layers that share their zeros (`_surgeon`). Then, from the first layer
to the last, the weights that stay are solved for the original's outputs on the inputs that the
layer really gets: those of layers that were pruned before it (Frantar and Alistarh 2022,
arXiv:2208.11580).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.bridge.makers import thinned
from edgekit.passes._allocate import Costs
from edgekit.passes._fisher import fisher
from edgekit.passes._moments import own, shared
from edgekit.passes._surgeon import Matrix, choose, damped, least_squares
from edgekit.passes.base import Context

Array = NDArray[Any]
Names = tuple[str, ...]
LARGEST = 4096  # inputs of a layer: more cost minutes


def fits(layer: LiftedLayer) -> bool:
    """Whether the layer can be solved: one matrix times patches of its input, and not too large."""
    if len(layer.ops) > 1 or layer.kind not in ("Conv2D", "Dense") or thinned(layer.op):
        return False
    grouped = layer.kind == "Conv2D" and layer.layer.groups > 1
    inputs = int(np.prod(layer.kernel_array().shape[:-1]))
    return not grouped and inputs <= LARGEST


def solve(
    tflite: bytes, groups: Mapping[Names, float], context: Context, costs: Costs | None = None
) -> bytes:
    """The float flatbuffer with zeros, and with weights and biases that make up for them.

    Args:
        tflite: To be pruned; zeros that it has stay, and its layers' outputs are aimed at.
        groups: Names of layers that `fits` is true of -> the share of zeros in all of them
            together.
        context: Rows, temperature, seed. Progress gets a step, and how much of it is done.
        costs: Layer name -> what a weight counts in the share of its group; 1 without.
    """
    student, original = (lift(tflite, form="folded") for _ in range(2))
    chosen = {name for names in groups for name in names}
    context.progress.step(f"choosing zeros of {len(chosen)} layer{'s' * (len(chosen) > 1)}")
    kept: dict[str, Array] = {}
    for number, (names, share) in enumerate(groups.items()):
        kept |= _kept(original, names, share, context, costs or {})
        context.progress.advance(number + 1, len(groups) + len(chosen))
    layers = [layer for layer in student.layers if layer.name in chosen]
    for number, layer in enumerate(layers, start=1):
        _make_up(layer, kept[layer.name], student, original, context)
        context.progress.advance(len(groups) + number, len(groups) + len(chosen))
    return lower(student)


def _kept(
    model: Lifted, names: Names, share: float, context: Context, costs: Costs
) -> dict[str, Array]:
    """Layer name -> what is kept of its matrix."""
    layers = [layer for layer in model.layers if layer.name in names]
    temperature = context.fine_tune.temperature
    felt = fisher(model, layers, context.rows, temperature=temperature, seed=context.seed)
    unknown = max((float(each.mean()) for each in felt.values()), default=1.0)
    matrices = [
        Matrix(
            goal=_matrix(layer),
            moments=damped(moments),
            felt=felt.get(layer.name, np.full(layer.layer.kernel.shape[-1], unknown)),
            kept=_used(layer),
            price=costs.get(layer.name, 1.0),
        )
        for layer, moments in zip(layers, own(model, layers, context.rows), strict=True)
    ]
    *_, last = choose(matrices, share)
    return {layer.name: kept for layer, kept in zip(layers, last, strict=True)}


def _make_up(
    layer: LiftedLayer, kept: Array, student: Lifted, original: Lifted, context: Context
) -> None:
    """Give the layer the weights that do best with what it is given."""
    goal = _matrix(next(each for each in original.layers if each.name == layer.name))
    mine, cross = shared(layer, student, original, context.rows)
    wanted = cross @ goal + (damped(mine) - mine) @ goal
    solved = least_squares(damped(mine), wanted, kept)
    layer.layer.kernel.assign(solved[:-1].reshape(layer.layer.kernel.shape))
    if layer.layer.bias is not None:
        layer.layer.bias.assign(solved[-1])


def _matrix(layer: LiftedLayer) -> Array:
    """The kernel [inputs, outputs] with the bias as its last row."""
    kernel = layer.kernel_array()
    flat = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
    bias = layer.bias_array()
    return np.vstack([flat, np.zeros(flat.shape[1]) if bias is None else bias])


def _used(layer: LiftedLayer) -> Array:
    """Which weights of the matrix there are: those that are not zero, and the biases."""
    used: Array = _matrix(layer) != 0
    used[-1] = layer.bias >= 0
    return used
