"""A layer that may become two thin ones: the ways to split it, what they cost and lose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgekit.bridge.lift import LiftedLayer
from edgekit.graph.graph import Graph
from edgekit.passes._factors import Factoring, Kernel, Split, splits, windows
from edgekit.passes._low_rank_options import LowRankOptions

_PER_OUTPUT = 16
"""Multiply-accumulates that cost as much as one output of an int8 layer, which is scaled, rounded
and stored. Without it, layers would be split that then take more instructions."""
_TRIED = 16
"""Ranks that a split is tried at whose loss is not known for all of them at once."""


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

    def told(self, choice: Choice) -> dict[str, float]:
        """Share of the energy that is kept; parameters and multiply-accumulates, now and before."""
        energy = 1 - choice.lost / self.kernel.energy if self.kernel.energy else 1.0
        return {
            "energy": round(energy, 4),
            "parameters": float(choice.parameters),
            "parameters_before": float(self.whole.parameters),
            "macs": float(choice.macs),
            "macs_before": float(self.whole.macs),
        }


def places_of(graph: Graph, layer: LiftedLayer) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of a layer's input and output; of a dense one, its rows."""
    shapes = [graph.tensors[i].shape for i in (layer.op.inputs[0], layer.op.outputs[0])]
    if layer.kind == "Dense":
        rows = int(np.prod(shapes[1][:-1]))
        return (rows, 1), (rows, 1)
    before, behind = shapes
    return (before[1], before[2]), (behind[1], behind[2])
