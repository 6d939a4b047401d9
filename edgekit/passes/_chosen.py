"""Which layers a pass works on, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from edgekit.bridge.lift import LiftedLayer
from edgekit.errors import ModelError, UsageError
from edgekit.passes._options import PassOptions
from edgekit.passes.select import meant, select, settings
from edgekit.problem import Problem

Own = TypeVar("Own", bound=PassOptions)
_SHOWN = 6


def choose_layers(layers: Sequence[LiftedLayer], options: Own) -> dict[str, Own]:
    """Layer name -> its own options, for the layers that a pass is told to work on.

    Args:
        layers: All that there are.
        options: With `layers`, `exclude` and `per_layer`.

    Raises:
        ModelError: The model has no layer with weights.
        UsageError: A pattern that matches nothing, or one that leaves nothing over.
    """
    if not layers:
        raise ModelError("the model has no layer with weights", "leave the compression passes out")
    found = select(layers, options.layers, options.exclude)  # type: ignore[attr-defined]
    exceptions = settings(layers, dict(options.per_layer))  # type: ignore[attr-defined]
    if not found:
        raise UsageError("exclude leaves no layer over", "exclude fewer layers")
    return {layer.name: options.variant(exceptions.get(layer.name, {})) for layer in found}


def sort_out(
    layers: Sequence[LiftedLayer],
    options: Own,
    wanted: Mapping[str, Own],
    why: Callable[[LiftedLayer, Own], str],
) -> tuple[list[LiftedLayer], dict[str, str], list[LiftedLayer]]:
    """The layers that are `wanted`, why each cannot be worked on (""), and those that can.

    Args:
        layers: All that there are.
        options: Of the pass.
        wanted: Layer name -> its own options.
        why: Says why a layer cannot be worked on, "" where it can.

    Raises:
        UsageError: The user named a layer that cannot be worked on.
    """
    found = [layer for layer in layers if layer.name in wanted]
    unfit = {layer.name: why(layer, wanted[layer.name]) for layer in found}
    for layer in found:
        if unfit[layer.name]:
            refuse_meant(layer, options, unfit[layer.name])
    return found, unfit, [layer for layer in found if not unfit[layer.name]]


def refuse_meant(layer: LiftedLayer, options: Any, why: str) -> None:
    """Raise UsageError where the user named a layer (or its type) that a pass cannot work on."""
    for key, patterns in (("layers", options.layers), ("per_layer", dict(options.per_layer))):
        if meant(layer, patterns):
            raise UsageError(f"{key}: {layer.name} ({layer.kind}) {why}", "leave that layer out")


def note(layers: Sequence[LiftedLayer], message: str, hint: str) -> list[Problem]:
    """A note about layers that a pass leaves as they are; none where there are none.

    Args:
        layers: They are named in place of `{}` in the message.
        message: What is the case.
        hint: What the user can do.
    """
    if not layers:
        return []
    shown = ", ".join(layer.name for layer in layers[:_SHOWN])
    more = f" and {len(layers) - _SHOWN} more" if len(layers) > _SHOWN else ""
    return [Problem("note", layers[0].name, message.format(shown + more), hint)]


def notes(name: str, layers: Sequence[LiftedLayer], unfit: Mapping[str, str]) -> list[Problem]:
    """A note for each reason why layers are left as they are.

    Args:
        name: Of the pass.
        layers: That it was told to work on.
        unfit: Layer name -> the reason, empty for those that it works on.
    """
    return [
        problem
        for why in dict.fromkeys(filter(None, unfit.values()))
        for problem in note(
            [layer for layer in layers if unfit.get(layer.name) == why],
            f"{name} leaves {{}} as is: a layer that {why}",
            "nothing needs doing; exclude says that it is meant",
        )
    ]
