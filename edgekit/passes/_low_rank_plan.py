"""How each layer is split and at which rank: by energy, or by a budget over all layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import LiftedLayer
from edgekit.errors import UsageError
from edgekit.graph.count import layer_macs
from edgekit.graph.graph import Graph
from edgekit.passes._factors import Factoring, Kernel, Split, splits, windows
from edgekit.passes._low_rank_options import LowRankOptions

Array = NDArray[Any]
_PER_OUTPUT = 16
"""Multiply-accumulates that cost as much as one output of an int8 layer, which is scaled, rounded
and stored. Without it, layers would be split that then take more instructions."""
_TRIED = 16
"""Ranks that a split is tried at whose loss is not known for all of them at once."""
_HALVINGS = 60


@dataclass(frozen=True)
class Choice:
    """A way to split a layer.

    Attributes:
        split: How; "" for a layer that stays whole.
        rank: Channels between the two.
        lost: Of the energy of the layer.
        parameters: Of both, biases too.
        macs: Of both.
        work: `macs`, and what outputs cost besides.
    """

    split: Split | None
    rank: int
    lost: float
    parameters: int
    macs: int
    work: int


@dataclass(frozen=True, eq=False)
class Splittable:
    """A layer and all that is known of it.

    Attributes:
        layer: In the folded form.
        kernel: Its weights and what they weigh.
        places: Height and width of input and output.
        options: Its own.
    """

    layer: LiftedLayer
    kernel: Kernel
    places: tuple[tuple[int, int], tuple[int, int]]
    options: LowRankOptions

    @cached_property
    def whole(self) -> Choice:
        """The layer as it is."""
        outputs = self.kernel.values.shape[-1]
        pixels, weights = int(np.prod(self.places[1])), self.kernel.values.size
        macs = pixels * weights
        work = macs + _PER_OUTPUT * pixels * outputs
        return Choice(None, outputs, 0.0, weights + outputs, macs, work)

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The ways to split it that pay, in parameters and in work."""
        return tuple(each for each in self._all() if self.pays(each))

    def pays(self, choice: Choice) -> bool:
        """Whether the two cost less than the whole; with weights beside them, in parameters."""
        lighter = self.options.sparse or choice.work < self.whole.work
        return bool(choice.parameters < self.whole.parameters and lighter)

    def _all(self) -> Iterator[Choice]:
        window, method = self.kernel.window, self.options.method
        possible = splits(window)
        for split in [each for each in possible if each == method] or possible:
            factoring = Factoring(self.kernel, split)
            ranks = self._ranks(split, factoring.most)
            for rank, lost in zip(ranks, factoring.lost(ranks), strict=True):
                yield self.choice(split, rank, lost)

    def _ranks(self, split: Split, most: int) -> list[int]:
        if self.options.rank:
            return [min(self.options.rank, most)]
        step = self.options.multiple
        ranks = [r for r in range(step, most + 1, step) if self.pays(self.choice(split, r, 0.0))]
        if split == "channel" or len(ranks) <= _TRIED:
            return ranks
        chosen = np.unique(np.geomspace(1, len(ranks), _TRIED).round().astype(int))
        return [ranks[place - 1] for place in chosen]

    def choice(self, split: Split, rank: int, lost: float) -> Choice:
        """What it costs to split the layer so."""
        inputs, outputs = self.kernel.values.shape[2:]
        first, second = windows(self.kernel.window, split)
        # the places that the first is computed at: an axis that it does not take is still whole
        before, behind = self.places
        between = [
            behind[axis] if first[axis] > 1 or second[axis] == 1 else before[axis]
            for axis in (0, 1)
        ]
        thin, thick = int(np.prod(between)), int(np.prod(behind))
        seen = 1 if split == "depthwise" else inputs
        sizes = (int(np.prod(first)) * seen * rank, int(np.prod(second)) * rank * outputs)
        beside = round(self.options.sparse * self.kernel.values.size)
        macs = thin * sizes[0] + thick * sizes[1]
        if self.options.sparse:  # beside them a whole kernel, whatever is zero in it
            macs += self.whole.macs
        work = macs + _PER_OUTPUT * (thin * rank + thick * outputs)
        return Choice(split, rank, lost, sum(sizes) + rank + outputs + beside, macs, work)


def places_of(graph: Graph, layer: LiftedLayer) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of a layer's input and output; of a dense one, its rows."""
    shapes = [graph.tensors[i].shape for i in (layer.op.inputs[0], layer.op.outputs[0])]
    if layer.kind == "Dense":
        rows = int(np.prod(shapes[1][:-1]))
        return (rows, 1), (rows, 1)
    before, behind = shapes
    return (before[1], before[2]), (behind[1], behind[2])


def choose(
    layers: Sequence[Splittable], graph: Graph, parameters: int, options: LowRankOptions
) -> dict[str, Choice]:
    """Layer name -> how it is split; layers that stay whole are left out.

    Args:
        layers: That may be split.
        graph: The whole.
        parameters: Of all layers with weights.
        options: Of the pass.

    Raises:
        UsageError: A budget that cannot be reached.
    """
    macs = sum(layer_macs(graph))
    if not options.budget:
        found = {each.layer.name: _by_energy(each, parameters, macs) for each in layers}
    else:
        wholes = {"parameters": parameters, "macs": macs}
        found = by_budget(layers, wholes, options, "ranks of 1")
    return {name: choice for name, choice in found.items() if choice.split}


def _by_energy(each: Splittable, parameters: int, macs: int) -> Choice:
    """What costs least of what loses no more than the layer may, or is of the rank that is told."""
    allowed = (1 - each.options.energy) * each.kernel.energy
    fitting = [c for c in each.choices if each.options.rank or c.lost <= allowed]
    return min(
        fitting,
        key=lambda choice: choice.parameters / parameters + choice.macs / max(macs, 1),
        default=each.whole,
    )


def by_budget(
    layers: Sequence[Splittable], wholes: Mapping[str, int], options: LowRankOptions, least: str
) -> dict[str, Choice]:
    """The ranks that lose least within the budget: all layers at the same loss for a saving.

    That is Lagrange's condition; the price of a saving is found by halving.

    Args:
        layers: That may be split.
        wholes: What all of the network costs now, by the name of the option.
        options: With shares of that.
        least: What a budget is out of reach of, for the message.

    Raises:
        UsageError: It is.
    """
    limits = {name: getattr(options, name) for name in wholes if getattr(options, name)}
    others = {
        name: wholes[name] - sum(getattr(each.whole, name) for each in layers) for name in limits
    }

    def cost(choice: Choice) -> float:
        return float(sum(getattr(choice, name) / wholes[name] for name in limits))

    def chosen(price: float) -> dict[str, Choice]:
        return {each.layer.name: _cheapest(each, cost, price) for each in layers}

    def shares(found: Mapping[str, Choice]) -> dict[str, float]:
        sums = {name: sum(getattr(choice, name) for choice in found.values()) for name in limits}
        return {name: (sums[name] + others[name]) / wholes[name] for name in limits}

    def holds(found: Mapping[str, Choice]) -> bool:
        return all(share <= limits[name] for name, share in shares(found).items())

    _refuse_beyond(shares(chosen(np.inf)), limits, least)
    low, high = -40.0, 40.0  # powers of two: energies may be of any size
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(chosen(2.0**middle)) else (middle, high)
    return chosen(2.0**high)


def _refuse_beyond(shares: Mapping[str, float], limits: Mapping[str, float], least: str) -> None:
    for name, share in shares.items():
        if share > limits[name]:
            raise UsageError(
                f"{name} = {limits[name]:g} cannot be reached: with {least} {share:.2f} stay",
                "ask for less, exclude fewer layers, or remove channels, too",
            )


def _cheapest(each: Splittable, cost: Callable[[Choice], float], price: float) -> Choice:
    """What the layer costs least as, when a share of the budget has this price."""
    if np.isinf(price):
        return min((each.whole, *each.choices), key=cost)
    # What the answers lose is a parabola that trusts itself too far; its geometric mean with the
    # share that the layer loses spares layers from being emptied
    unit = np.sqrt(each.kernel.energy) or 1.0
    return min((each.whole, *each.choices), key=lambda c: c.lost / unit + price * cost(c))
