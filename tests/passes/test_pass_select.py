"""Which layers a pattern means."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.errors import UsageError
from edgekit.passes.select import meant, select, settings


@dataclass(frozen=True)
class Named:
    name: str
    kind: str
    op: Any


LAYERS = [
    Named("conv2d", "Conv2D", SimpleNamespace(name="CONV_2D")),
    Named("conv2d_1", "Conv2D", SimpleNamespace(name="CONV_2D")),
    Named("dw", "DepthwiseConv2D", SimpleNamespace(name="DEPTHWISE_CONV_2D")),
    Named("head", "Dense", SimpleNamespace(name="FULLY_CONNECTED")),
]


@pytest.mark.parametrize(
    ("include", "exclude", "wanted"),
    [
        ((), (), "conv2d conv2d_1 dw head"),
        (("conv2d",), (), "conv2d"),
        (("conv2d*",), (), "conv2d conv2d_1"),
        (("Conv2D", "head"), ("conv2d",), "conv2d_1 head"),
        (("FULLY_CONNECTED",), (), "head"),
        ((), ("Dense", "*_1"), "conv2d dw"),
    ],
    ids=["all", "a name", "a pattern", "a type, less a name", "an operator", "all but some"],
)
def test_layers_are_chosen(include: Any, exclude: Any, wanted: str) -> None:
    assert [layer.name for layer in select(LAYERS, include, exclude)] == wanted.split()


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("layers", lambda name: select(LAYERS, [name])),
        ("exclude", lambda name: select(LAYERS, (), [name])),
        ("per_layer", lambda name: settings(LAYERS, {name: 1})),
    ],
    ids=["layers", "exclude", "per_layer"],
)
def test_a_pattern_that_matches_nothing_is_refused(key: str, asked: Any) -> None:
    with pytest.raises(UsageError, match=f"{key}: 'convolution' matches no layer") as raised:
        asked("convolution")
    assert "there are: conv2d (Conv2D), conv2d_1 (Conv2D)" in raised.value.hint


def test_a_name_goes_before_a_pattern_and_a_pattern_before_a_type() -> None:
    found = settings(LAYERS, {"conv2d_1": 1, "conv2d*": 2, "conv*": 3, "Conv2D": 4, "Dense": 5})
    assert found == {"conv2d": 3, "conv2d_1": 1, "head": 5}


@pytest.mark.parametrize(
    ("pattern", "wanted"), [("dw", True), ("DepthwiseConv2D", True), ("d*", False), ("*", False)]
)
def test_a_layer_is_meant_by_its_name_or_type(pattern: str, wanted: bool) -> None:
    assert meant(LAYERS[2], [pattern]) is wanted
