"""Padding and limits that a neighbouring layer takes over."""

from __future__ import annotations

from pathlib import Path

import pytest
from c_project import CORES, check
from chains import RELU6, Chain

from edgekit.compiler.absorb import absorb
from edgekit.compiler.lower import lower
from edgekit.compiler.program import Program
from edgekit.graph.read import read


def absorbed(model: bytes) -> Program:
    return absorb(lower(read(model, "made.tflite")))


def kinds(model: bytes) -> list[str]:
    return ["+".join((*layer.fused, layer.kind)) for layer in absorbed(model).layers]


def picture(seed: int = 0) -> Chain:
    return Chain((1, 5, 6, 3), seed)


NONE = (0, 0)


def test_padding_of_rows_and_columns_goes_into_a_convolution() -> None:
    model = picture().pad(NONE, (1, 2), (0, 3), NONE).conv(4, (3, 3), same=False).model()
    assert kinds(model) == ["PAD+CONV_2D"]
    window = absorbed(model).layers[0].operation.window
    assert (window.height, window.width) == (5, 6)
    assert (window.pad_top, window.pad_left) == (1, 0)


def test_padding_of_channels_stays() -> None:
    assert kinds(picture().pad(NONE, NONE, NONE, (0, 1)).conv(4).model()) == ["PAD", "CONV_2D"]


def test_padding_that_something_else_reads_stays() -> None:
    net = picture().pad(NONE, (1, 1), (1, 1), NONE)
    assert kinds(net.conv(4, (3, 3)).model(2)) == ["PAD", "PAD+CONV_2D"]


def test_a_mean_does_not_count_padding_but_counts_a_pad() -> None:
    model = picture().pad(NONE, (1, 1), (1, 1), NONE).pool().model()
    assert kinds(model) == ["PAD", "AVERAGE_POOL_2D"]


def test_a_limit_becomes_the_activation_of_what_comes_before() -> None:
    assert kinds(picture().conv(4).relu().model()) == ["RELU+CONV_2D"]
    assert kinds(picture().depthwise(activation=RELU6).relu().model()) == ["RELU+DEPTHWISE_CONV_2D"]
    assert kinds(picture().pool().relu().model()) == ["RELU+AVERAGE_POOL_2D"]


def test_a_limit_stays_where_the_unlimited_values_are_read() -> None:
    net = picture().conv(4)
    assert kinds(net.relu().model(net.steps[0].outputs[0])) == ["CONV_2D", "RELU"]
    net = picture().conv(4)
    before = net.last
    assert kinds(net.relu().add(before).model()) == ["CONV_2D", "RELU", "ADD"]


@pytest.mark.parametrize("core", CORES)
def test_absorbed_layers_in_c(core: str, tmp_path: Path) -> None:
    pads = (NONE, (2, 1), (1, 3), NONE)
    nets = [
        picture(1).pad(*pads).conv(5, (3, 2), same=False, stride=2).relu(),
        picture(2).pad(*pads).depthwise(stride=2, activation=RELU6).relu(),
        picture(3).pad(*pads).pad(*pads).depthwise((4, 4), 2, same=False).pool().relu(),
        picture(4).pad(*pads).conv(4),
    ]
    before = nets[0].last
    nets[0].conv(5).add(before, RELU6).relu()
    check([net.model() for net in nets], core, tmp_path)
