"""Which groups of channels `remove` works on, how far, and which it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgekit.bridge.lift import LiftedLayer
from edgekit.errors import ModelError, UsageError
from edgekit.passes._remove_options import RemoveOptions
from edgekit.passes.select import select, settings
from edgekit.problem import Problem
from edgekit.structure.groups import Group

_SHOWN = 6


def wanted(
    layers: Sequence[LiftedLayer], found: Sequence[Group], options: RemoveOptions
) -> tuple[list[Group], dict[int, float]]:
    """The groups that may lose channels, and place -> share where that is given.

    Raises:
        ModelError: No group can lose any.
        UsageError: A pattern that matches nothing, or a group named that cannot.
    """
    if not layers:
        raise ModelError("the model has no layer with weights", "leave the compression passes out")
    named = {layer.name for layer in select(layers, options.layers, options.exclude)}
    left_out = {layer.name for layer in layers} - named if options.exclude else set()
    given = settings(layers, dict(options.per_layer))
    for group in found:
        _refuse_named(group, options, given)
    able = [
        group
        for group in found
        if not group.why and named.intersection(group.layers) and not left_out & {*group.layers}
    ]
    if not able and not options.blocks:
        raise ModelError(f"there is nothing to remove: {_whys(found)}", "leave remove out")
    own = {
        place: float(given[layer]["share"])
        for place, group in enumerate(able)
        for layer in group.layers
        if layer in given
    }
    shares = {} if options.budget else dict.fromkeys(range(len(able)), options.share)
    return able, shares | own


def _refuse_named(group: Group, options: RemoveOptions, given: Mapping[str, Any]) -> None:
    for layer in group.layers:
        asked = layer in options.layers or (layer in given and given[layer]["share"])
        if group.why and asked:
            raise UsageError(f"{layer} cannot lose channels: {group.why}", "leave that layer out")


def _whys(found: Sequence[Group]) -> str:
    whys = [f"{group.layers[0]}: {group.why}" for group in found if group.why]
    return "; ".join(whys[:_SHOWN]) or "no layer makes channels that others read"


def stuck(found: Sequence[Group]) -> list[Problem]:
    """A note that names the layers that cannot shrink, but for those that end the model."""
    stuck = [group for group in found if group.why]
    if not stuck:
        return []
    names = [f"{group.layers[0]} ({group.why})" for group in stuck[:_SHOWN]]
    more = f" and {len(stuck) - _SHOWN} more" if len(stuck) > _SHOWN else ""
    message = f"remove leaves as is: {'; '.join(names)}{more}"
    return [Problem("note", stuck[0].layers[0], message, "nothing needs doing")]
