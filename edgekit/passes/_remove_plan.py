"""Which groups of channels `remove` works on, how far, and which it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.bridge.names import layer_names
from edgekit.errors import ModelError, UsageError
from edgekit.evaluate.weights import find
from edgekit.graph.graph import Op
from edgekit.passes._remove_options import RemoveOptions
from edgekit.passes.select import Layer, select, settings
from edgekit.problem import Problem
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.groups import Group
from edgekit.structure.weighted_rules import TABLES

_SHOWN = 6


def wanted(
    layers: Sequence[Layer],
    found: Sequence[Group],
    options: RemoveOptions,
    others: Sequence[str] = (),
) -> tuple[list[Group], dict[int, float]]:
    """The groups that may lose channels, and place -> share where that is given.

    Args:
        layers: That make channels.
        found: All groups.
        options: Layers and amounts.
        others: Why further layers keep theirs, for the message where no group can lose any.

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
        raise ModelError(f"there is nothing to remove: {_whys(found, others)}", "leave remove out")
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


def _whys(found: Sequence[Group], others: Sequence[str]) -> str:
    whys = [f"{group.layers[0]}: {group.why}" for group in found if group.why] + [*others]
    return "; ".join(whys[:_SHOWN]) or "no layer makes channels that others read"


@dataclass(frozen=True)
class Table:
    """A layer that can lose channels and is not trained: an embedding."""

    name: str
    op: Op

    @property
    def kind(self) -> str:
        """Of layer, as for those that are trained."""
        return "Embedding"


def tables(known: Dependencies) -> list[Table]:
    """The embeddings of a network."""
    ops, names = known.graph.ops, layer_names(known.graph)
    found = dict.fromkeys(site.op for site in known.made("rows") if ops[site.op].name in TABLES)
    return [Table(names[index], ops[index]) for index in found]


def fused(known: Dependencies) -> list[str]:
    """Layers whose weights are of one operator that makes no channels which could leave."""
    graph, names = known.graph, layer_names(known.graph)
    reached = {site.op for site in known.sites}
    left = {each.op.index: each.op.name for each in find(graph) if each.op.index not in reached}
    return [f"{names[index]}: nothing of {name} can leave" for index, name in left.items()]


def stuck(found: Sequence[Group]) -> list[Problem]:
    """A note that names the layers that cannot shrink, but for those that end the model."""
    stuck = [group for group in found if group.why]
    if not stuck:
        return []
    names = [f"{group.layers[0]} ({group.why})" for group in stuck[:_SHOWN]]
    more = f" and {len(stuck) - _SHOWN} more" if len(stuck) > _SHOWN else ""
    message = f"remove leaves as is: {'; '.join(names)}{more}"
    return [Problem("note", stuck[0].layers[0], message, "nothing needs doing")]
