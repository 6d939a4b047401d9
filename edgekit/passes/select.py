"""Which layers a pass works on: by name, name pattern, or type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

from edgekit.errors import UsageError

V = TypeVar("V")
_SHOWN = 12


class Layer(Protocol):
    """What selection looks at: `bridge.lift.LiftedLayer` has it."""

    @property
    def name(self) -> str:
        """Unique short name."""

    @property
    def kind(self) -> str:
        """Class of the Keras layer: `Conv2D`, `Dense`, ..."""

    @property
    def op(self) -> Any:
        """The operator, whose `name` is `CONV_2D`, `FULLY_CONNECTED`, ..."""


L = TypeVar("L", bound=Layer)


def matches(pattern: str, layer: Layer) -> bool:
    """Whether `layer` is meant: its name fits `pattern` (*, ?, [...]), or it is of that type."""
    return fnmatchcase(layer.name, pattern) or _is_type(pattern, layer)


def select(
    layers: Sequence[L], include: Iterable[str] = (), exclude: Iterable[str] = ()
) -> list[L]:
    """The layers that fit a pattern of `include` (none given: all) and none of `exclude`.

    Raises:
        UsageError: A pattern that matches no layer; names the layers there are.
    """
    include, exclude = tuple(include), tuple(exclude)
    refuse_unmatched(layers, include, "layers")
    refuse_unmatched(layers, exclude, "exclude")
    return [
        layer
        for layer in layers
        if (not include or any(matches(pattern, layer) for pattern in include))
        and not any(matches(pattern, layer) for pattern in exclude)
    ]


def settings(layers: Sequence[Layer], per_layer: Mapping[str, V]) -> dict[str, V]:
    """The setting of each layer that a pattern of `per_layer` fits, by layer name.

    A layer's own name goes before a pattern, a pattern before a type; among equals the last.

    Raises:
        UsageError: A pattern that matches no layer; names the layers there are.
    """
    refuse_unmatched(layers, per_layer, "per_layer")
    found: dict[str, V] = {}
    for layer in layers:
        fitting = [pattern for pattern in per_layer if matches(pattern, layer)]
        if fitting:
            best = max(enumerate(fitting), key=lambda item: (_rank(item[1], layer), item[0]))[1]
            found[layer.name] = per_layer[best]
    return found


def meant(layer: Layer, patterns: Iterable[str]) -> bool:
    """Whether a pattern names just this layer or its type, rather than happening to fit it."""
    return any(pattern == layer.name or _is_type(pattern, layer) for pattern in patterns)


def refuse_unmatched(layers: Sequence[Layer], patterns: Iterable[str], key: str) -> None:
    """Raise UsageError for the first of `patterns` (of the option `key`) that fits no layer."""
    for pattern in patterns:
        if not any(matches(pattern, layer) for layer in layers):
            raise UsageError(f"{key}: '{pattern}' matches no layer", _meant(pattern, layers))


def _is_type(pattern: str, layer: Layer) -> bool:
    return pattern in (layer.kind, layer.op.name)


def _rank(pattern: str, layer: Layer) -> int:
    if pattern == layer.name:
        return 2
    return 0 if _is_type(pattern, layer) else 1


def _meant(pattern: str, layers: Sequence[Layer]) -> str:
    choices = [name for layer in layers for name in (layer.name, layer.kind)]
    near = get_close_matches(pattern, choices, 1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return guess + _there_are(layers)


def _there_are(layers: Sequence[Layer]) -> str:
    if not layers:
        return "the model has no layer with weights"
    shown = [f"{layer.name} ({layer.kind})" for layer in layers[:_SHOWN]]
    more = f" and {len(layers) - _SHOWN} more" if len(layers) > _SHOWN else ""
    return f"there are: {', '.join(shown)}{more}"
