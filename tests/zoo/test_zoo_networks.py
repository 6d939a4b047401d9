"""What networks of the zoo cost, against their sources; what comes out of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.zoo import _count, base
from edgekit.zoo.base import Figure

QUICK = {"cnn4", "dilated", "fcn1d", "tcn1d", "resnet8", "tc_resnet"}
"""Small enough for every run; one figure each."""
FIGURES = [
    pytest.param(
        name,
        figure,
        id=f"{name}-{number}",
        marks=[] if name in QUICK and not number else [pytest.mark.slow],
    )
    for name in base.names()
    for number, figure in enumerate(base.load(name).figures)
]


def built(name: str, options: dict[str, Any], *shape: int, classes: int = 0, **more: Any) -> Any:
    network = base.load(name)
    return network.build(base.options_of(network, options), shape, classes, **more)


@pytest.mark.parametrize(("name", "figure"), FIGURES)
def test_a_network_costs_what_it_says(name: str, figure: Figure) -> None:
    model = built(name, dict(figure.options), *figure.shape)
    assert (_count.parameters(model), _count.macs(model)) == (figure.parameters, figure.macs)


@pytest.mark.parametrize("name", base.names())
def test_figures_are_those_of_the_source(name: str) -> None:
    for figure in base.load(name).figures:
        counts = figure.parameters, figure.macs
        for mine, theirs in zip(counts, figure.published, strict=True):
            if theirs is not None:
                assert figure.source
                assert abs(mine / theirs - 1) <= figure.within, (name, figure.options)


KERAS_OWN = {
    "MobileNet": ("mobilenet_v1", {}),
    "MobileNetV2": ("mobilenet_v2", {}),
    "MobileNetV3Small": ("mobilenet_v3", {}),
    "MobileNetV3Large": ("mobilenet_v3", {"size": "large"}),
    "Xception": ("xception", {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KERAS_OWN)
def test_they_are_the_networks_that_keras_has(name: str) -> None:
    from edgekit import _tf

    network, options = KERAS_OWN[name]
    mine = built(network, options)
    shape = mine.input_shape[1:]  # without it, some of Keras' own take pictures of any size
    theirs = getattr(_tf.keras3().applications, name)(weights=None, input_shape=shape)
    assert theirs.count_params() == mine.count_params()
    if any(type(layer).__name__ == "SeparableConv2D" for layer in theirs.layers):
        return  # two layers in one, whose multiply-accumulates the zoo's count does not know
    # paddings of its own, and dense layers that it writes as convolutions
    assert _count.macs(theirs) == pytest.approx(_count.macs(mine), rel=0.02)


REAL = {
    "resnet8": ("ic_resnet8/pretrainedResnet.h5", {}, (), 0),
    "ds_cnn": ("kws_dscnn/kws_ref_model", {}, (), 12),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_they_are_the_networks_that_others_trained(name: str, real_models: Path) -> None:
    from edgekit.convert import float_tflite
    from edgekit.evaluate.weights import find
    from edgekit.importers.base import load

    path, options, shape, classes = REAL[name]
    theirs = read(load(real_models / path).tflite)
    mine = read(float_tflite(built(name, options, *shape, classes=classes)))
    assert count.macs(mine) == count.macs(theirs)
    kernels = [sum(each.values.size for each in find(graph)) for graph in (mine, theirs)]
    assert kernels[0] == kernels[1]


def test_the_block_of_googlenet_has_the_weights_of_its_table() -> None:
    """arXiv:1409.4842, table 1: inception (3a) has 159 K parameters and 128 M operations."""
    from edgekit import _tf
    from edgekit.zoo._builder import Builder
    from edgekit.zoo.inception import block

    b = Builder(0)
    x = _tf.keras3().Input((28, 28, 192))
    model = _tf.keras3().Model(x, block(b, x, (64, 96, 128, 16, 32, 32), norm=False))
    weights = sum(int(np.prod(w.shape)) for w in model.weights if len(w.shape) > 1)
    assert weights // 1024 == 159
    assert round(_count.macs(model) / 1e6) == 128


def test_the_context_module_has_the_weights_of_its_paper() -> None:
    """arXiv:1511.07122, section 3: about 64 C^2."""
    from edgekit import _tf
    from edgekit.zoo._builder import Builder
    from edgekit.zoo.dilated import DilatedOptions, context

    x = _tf.keras3().Input((8, 8, 12))
    options = DilatedOptions(channels=12, norm=False)
    model = _tf.keras3().Model(x, context(Builder(0), x, options))
    weights = sum(int(np.prod(w.shape)) for w in model.weights if len(w.shape) > 1)
    assert weights == 64 * 12**2


def test_a_shift_moves_each_group_to_a_neighbour() -> None:
    from edgekit import _tf
    from edgekit.zoo._builder import Builder
    from edgekit.zoo.shiftnet import shift

    x = _tf.keras3().Input((4, 5, 20))
    model = _tf.keras3().Model(x, shift(Builder(0), x))
    values = np.random.default_rng(0).normal(size=(1, 4, 5, 20)).astype(np.float32)
    found, padded = np.asarray(model(values)), np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    places = np.repeat(np.arange(9), [2, 2, 2, 2, 4, 2, 2, 2, 2])
    for channel, place in enumerate(places):
        down, right = divmod(int(place), 3)
        wanted = padded[:, down : down + 4, right : right + 5, channel]
        np.testing.assert_array_equal(found[..., channel], wanted)


def test_a_seed_decides_whatever_else_is_built() -> None:
    first = built("resnet8", {}, 8, 8, 1, seed=3)
    built("cnn4", {}, 8, 8, 1)
    second, other = (built("resnet8", {}, 8, 8, 1, seed=seed) for seed in (3, 4))
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    for one, two in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    kernels = zip(first.get_weights(), other.get_weights(), strict=True)
    assert any(not np.array_equal(one, two) for one, two in kernels)


def test_every_option_has_a_range() -> None:
    from edgekit.zoo._describe import options

    for name in base.names():
        network = base.load(name)
        for one in options(network):
            values = one["choices"] if "choices" in one else [one["least"], one["most"]]
            for value in values:  # the ends can be built from
                base.options_of(network, {one["key"]: value})
            if "choices" in one:
                assert one["default"] in values
            else:
                assert one["least"] <= one["default"] <= one["most"]
        assert {field.name for field in dataclasses.fields(network.Options)}


@pytest.mark.slow
@pytest.mark.parametrize("name", base.names())
def test_networks_can_be_built_at_the_ends_of_their_options(name: str) -> None:
    from edgekit.zoo._describe import options

    for one in options(base.load(name)):
        values = one["choices"] if "choices" in one else [one["least"], one["most"]]
        for value in values:
            model = built(name, {one["key"]: value}, 10, 12, 2, classes=3)
            assert model.output.shape == (None, 3)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "out of range": ({"width": 9}, r"mobilenet_v1: width = 9 is out of range: 0.1 or more and at"),
    "no choice": ({"kernel": 4}, "mobilenet_v1: kernel = 4 is no choice"),
    "unknown": ({"widht": 1.0}, "mobilenet_v1: widht is unknown"),
    "no number": ({"width": "wide"}, "mobilenet_v1: width = 'wide': not a number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_options_that_cannot_be_are_refused(case: str) -> None:
    values, message = WRONG[case]
    with pytest.raises(UsageError, match=message) as refused:
        base.options_of(base.load("mobilenet_v1"), values)
    assert refused.value.hint


@pytest.mark.parametrize("shape", [(0, 4, 1), (4,), (1, 2, 3, 4), (1 << 20, 1 << 20, 1)])
def test_shapes_that_cannot_be_are_refused(shape: tuple[int, ...]) -> None:
    network = base.load("cnn4")
    with pytest.raises(UsageError, match="cnn4 cannot take an input of"):
        network.build(network.Options(), shape, 10)
