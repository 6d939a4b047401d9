"""What `edgekit zoo NAME` makes: a network, counted, and perhaps written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgekit.zoo._count import macs, parameters
from edgekit.zoo._save import refuse_place, save
from edgekit.zoo._spec import chosen
from edgekit.zoo._types import Shape
from edgekit.zoo.base import refuse_shape


def make(
    name: str,
    settings: Sequence[tuple[str, str]],
    shape: Shape = (),
    classes: int = 0,
    seed: int = 0,
    place: Path | None = None,
) -> dict[str, Any]:
    """Build a network and count it.

    Args:
        name: Of the network, with or without `/key=value`.
        settings: Options besides, as text.
        shape: Of one input; (): the network's own.
        classes: 0: its own.
        seed: Of the weights.
        place: Where to write it; None: nowhere.

    Raises:
        UsageError: No such network, options or shape that it has not.
        OutputError: It cannot be written.
    """
    name, *more = name.removeprefix("zoo:").split("/")
    inner = [one.partition("=")[::2] for one in more]
    network, options = chosen(name, [*inner, *settings])
    shape, classes = shape or network.shape, classes or network.classes
    refuse_shape(name, shape, classes)
    if place is not None:
        refuse_place(place)
    model = network.build(options, shape, classes, seed=seed)
    if place is not None:
        save(model, place)
    return {
        "name": name,
        "options": options.to_json(),
        "input": list(shape),
        "classes": classes,
        "parameters": parameters(model),
        "macs": macs(model),
        "path": str(place) if place else None,
    }
