import numpy as np
import pytest
from small_nets import NONE, RELU, RELU6, Net, as_model, rows_of, sqnr, wild_depthwise

from edgekit.calibrate.equalise import difference, equalise, find_pairs
from edgekit.calibrate.layers import Net as Layers
from edgekit.errors import ModelError
from edgekit.graph import edit
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.runtimes.litert import tensors

RNG = np.random.default_rng(1)
IMAGES = rows_of(RNG.normal(size=(40, 8, 8, 3)))


def pairs_of(net: Net, *outputs: int) -> list[str]:
    layers = Layers(edit.unpack(net.tflite(*outputs)))
    return [layers.name(first.output) for first, _ in find_pairs(layers)[0]]


@pytest.mark.parametrize("activation", [NONE, RELU], ids=["no activation", "relu"])
def test_the_float_function_stays_the_same(activation: int) -> None:
    before = wild_depthwise(activation).tflite()
    result = equalise(before, IMAGES)
    assert result.pairs == ("y0", "y1", "y2")
    assert result.tflite != before
    assert difference(before, result.tflite, IMAGES, limit=40) < 1e-5


def test_a_depthwise_net_with_wild_channels_gains_in_int8() -> None:
    model = as_model(wild_depthwise().tflite())
    held = rows_of(np.random.default_rng(2).normal(size=(40, 8, 8, 3)))
    plain, equalised = (
        load("int8").quantize(model, IMAGES, QuantizeOptions(equalise=choice))
        for choice in ("off", "on")
    )
    before = sqnr(model.tflite, plain.tflite, held)
    after = sqnr(model.tflite, equalised.tflite, held)
    assert after > before + 6
    effect = equalised.effects["equalise"]
    assert effect["applied"]
    assert effect["after_db"] > effect["before_db"] + 6
    assert effect["pairs"] == 3


def test_auto_keeps_equalisation_where_it_helps() -> None:
    model = as_model(wild_depthwise().tflite())
    result = load("int8").quantize(model, IMAGES, QuantizeOptions(equalise="auto"))
    assert result.effects["equalise"]["applied"]


def test_channels_come_to_share_one_range() -> None:
    before = wild_depthwise().tflite()
    first = read(before).ops[0].outputs[0]

    def spread(tflite: bytes) -> float:
        runs = [tensors(tflite, row)[first] for row in IMAGES()]
        peaks = np.stack(runs).max(axis=(0, 1, 2, 3))
        return float(peaks.max() / peaks.min())

    assert spread(before) > 300
    assert spread(equalise(before, IMAGES).tflite) < spread(before) / 25


def test_relu6_pairs_are_left_alone_and_named() -> None:
    before = wild_depthwise(RELU6).tflite()
    result = equalise(before, IMAGES)
    assert result.tflite == before
    assert result.pairs == ()
    assert result.skipped == ("y0", "y1", "y2")


def test_a_layer_with_a_reader_besides_is_left_alone() -> None:
    net = wild_depthwise()
    first = next(i for i, tensor in enumerate(net.tensors) if tensor.name == "y0")
    assert pairs_of(net, first) == ["y1", "y2"]


def test_a_scale_passes_through_pooling_but_not_through_tanh() -> None:
    weights = RNG.normal(size=(4, 1, 1, 3))
    last = RNG.normal(size=(2, 4))
    options = ("Pool2DOptions", {"filterWidth": 2, "filterHeight": 2, "strideW": 2, "strideH": 2})
    pooled = Net(8, 8, 3).conv(weights).op("MAX_POOL_2D", (1, 4, 4, 4), options).mean().dense(last)
    squashed = Net(8, 8, 3).conv(weights).op("TANH", (1, 8, 8, 4)).mean().dense(last)
    assert pairs_of(pooled) == ["y0"]
    assert pairs_of(squashed) == []
    assert difference(pooled.tflite(), equalise(pooled.tflite(), IMAGES).tflite, IMAGES) < 1e-5


def test_another_function_is_found_out() -> None:
    one, other = wild_depthwise(seed=0).tflite(), wild_depthwise(seed=1).tflite()
    with pytest.raises(ModelError, match="equalisation changes"):
        difference(one, other, IMAGES)
