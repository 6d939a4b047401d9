"""How each layer is split and at which rank: by energy, or by a budget over all layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import UsageError
from edgekit.graph.count import layer_macs
from edgekit.graph.graph import Graph
from edgekit.passes._low_rank_options import LowRankOptions
from edgekit.passes._splittable import Choice, Splittable

Array = NDArray[Any]
_HALVINGS = 60


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
