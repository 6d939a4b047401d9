from __future__ import annotations

from typing import Any

import numpy as np
from hand_made import dense_int8

from edgekit.evaluate.blame import at_fault, named, suspects
from edgekit.evaluate.layers import Layer
from edgekit.graph.read import read

EYE = np.eye(2)
GRAPH = read(dense_int8([EYE, EYE, EYE], [1.0, 1.0, 1.0, 1.0]))


def layer(index: int, db: float, why: Any = None, channel: float = 60.0) -> Layer:
    """A row of the table: op `index`, whose output is y0, y1, ... (the input is x)."""
    name = f"y{index}" if index >= 0 else "x"
    return Layer(index, "FULLY_CONNECTED", name, (1, 2), db, channel, why, "because" if why else "")


def names(layers: tuple[Layer, ...]) -> list[str]:
    return [each.name for each in layers]


def test_the_worst_comes_first_and_inherited_noise_is_no_fault() -> None:
    table = (layer(0, 15, "range"), layer(1, 2, "accumulated"), layer(2, 8, "weights"))
    assert names(at_fault(table, GRAPH)) == ["y2", "y0"]


def test_a_layer_may_be_bad_in_most_of_its_channels_only() -> None:
    table = (layer(0, 15, "range"), layer(1, 40, "outlier channel", channel=-3))
    assert names(at_fault(table, GRAPH)) == ["y1", "y0"]


def test_where_none_is_bad_those_are_named_that_lose_most() -> None:
    table = (layer(-1, 60), layer(0, 45), layer(1, 25), layer(2, 24.5))
    assert names(at_fault(table, GRAPH)) == ["y1", "y0"]


def test_suspects_are_first_those_at_fault() -> None:
    table = (layer(-1, 60), layer(0, 30), layer(1, 12, "range"), layer(2, 5, "accumulated"))
    assert names(at_fault(table, GRAPH)) == ["y1"]
    assert names(suspects(table, GRAPH)) == ["y1", "y0"]


def test_a_message_names_three_and_says_why() -> None:
    table = tuple(layer(index, 10 + index, "range") for index in range(3))
    assert named(table, GRAPH, most=2) == (
        "FULLY_CONNECTED y0 (range: because), FULLY_CONNECTED y1 (range: because) and 1 more"
    )
    assert named((), GRAPH) == ""
    assert named((layer(0, 30.04),), GRAPH) == "FULLY_CONNECTED y0 (30.0 dB)"
