"""What `early_exit` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgekit.passes._options import PassOptions, option

MOST = 3
"""Exits: thresholds are found by trying all of them together."""


@dataclass(frozen=True)
class EarlyExitOptions(PassOptions):
    """Layers that are named go before a number of exits."""

    max_drop: float = option(
        0.5,
        "points of accuracy (without labels: of agreement with the original) that stopping early "
        "may cost on the guard rows",
        least=0,
        most=100,
        search=(0.25, 0.5, 1.0, 2.0),
    )
    exits: int = option(
        2,
        "how many there are, placed by multiply-accumulates",
        least=1,
        most=MOST,
        search=(1, 2, 3),
    )
    layers: tuple[str, ...] = option(
        (), f"names of the layers behind which exits are, 1 to {MOST}; none: found"
    )
    convs: int = option(
        1,
        "separable 3x3 convolutions of stride 2 that an exit begins with, each with twice the "
        "channels; of a picture only",
        least=0,
        most=4,
    )
    grid: int = option(
        4,
        "cells along each side of what the convolutions leave of a picture that an exit takes "
        "means of; 1: one mean",
        least=1,
    )
    hidden: int = option(
        0, "units of a dense layer between an exit's means and its scores; 0: none", least=0
    )
    chained: bool = option(
        True, "whether an exit also reads the means that the exits before it have taken"
    )
    train: Literal["exits", "all"] = option(
        "exits", "what learns: exits alone, so that the last answer stays as it is, or all layers"
    )
    weight: float = option(
        0.3,
        "of an exit's loss, where that of the last answer is 1 and all layers learn",
        least=0.01,
        most=1,
    )
