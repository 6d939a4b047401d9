from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lift_cases import random_net, train
from made_tflite import Made, Step, build, options

from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.bridge.prove import prove
from edgekit.errors import UsageError
from edgekit.graph.read import read

RANDOM = np.random.default_rng(1)
FORMS = pytest.mark.parametrize("form", ["normalised", "folded"])


def twins() -> bytes:
    """Two dense layers whose biases are equal, and so stored once; an ADD reads them, too."""
    zeros = np.zeros(4, np.float32)
    tensors = [
        Made("x", (1, 4)),
        *(Made(n, (4, 4), data=RANDOM.normal(size=(4, 4)).astype(np.float32)) for n in "vw"),
        Made("b", (4,), data=zeros),
        *(Made(name, (1, 4)) for name in ("one", "two", "three")),
    ]
    steps = [
        Step("FULLY_CONNECTED", (0, 1, 3), (4,), options("FullyConnected")),
        Step("FULLY_CONNECTED", (4, 2, 3), (5,), options("FullyConnected")),
        Step("ADD", (5, 3), (6,), options("Add")),
    ]
    return build(tensors, steps, (0,), (6,))


@FORMS
def test_what_was_not_trained_keeps_its_bytes(form: Any) -> None:
    tflite = random_net().tflite()
    assert lower(lift(tflite, form=form)) == tflite


@FORMS
def test_the_trained_model_comes_back_into_the_same_graph(form: Any) -> None:
    tflite = random_net().tflite()
    lifted = lift(tflite, form=form)
    train(lifted)
    lowered = lower(lifted)
    prove(lifted, lowered)
    before, after = read(tflite), read(lowered)
    assert [op.name for op in before.ops] == [op.name for op in after.ops]
    assert [(t.name, t.shape, t.dtype) for t in before.tensors] == [
        (t.name, t.shape, t.dtype) for t in after.tensors
    ]
    for layer in lifted.layers:
        for index in (layer.kernel, layer.bias):
            assert not np.array_equal(before.tensors[index].data, after.tensors[index].data)
    axes = next(tensor.index for tensor in before.tensors if tensor.name == "axes")
    np.testing.assert_array_equal(before.tensors[axes].data, after.tensors[axes].data)


@FORMS
def test_layers_whose_equal_biases_were_stored_once_part_when_they_are_trained(form: Any) -> None:
    tflite = twins()
    lifted = lift(tflite, form=form)
    assert len(lifted.layers) == 2
    train(lifted)
    lowered = lower(lifted)
    prove(lifted, lowered)
    before, after = read(tflite), read(lowered)
    np.testing.assert_array_equal(after.tensors[3].data, before.tensors[3].data)
    assert len(after.tensors) == len(before.tensors) + 2
    assert after.ops[2].inputs == before.ops[2].inputs


def test_a_layer_without_bias_stays_without() -> None:
    tensors = [
        Made("x", (1, 4)),
        Made("w", (3, 4), data=RANDOM.normal(size=(3, 4)).astype(np.float32)),
        Made("y", (1, 3)),
    ]
    steps = [Step("FULLY_CONNECTED", (0, 1, -1), (2,), options("FullyConnected"))]
    lifted = lift(build(tensors, steps, (0,), (2,)))
    train(lifted)
    assert lifted.layers[0].bias_array() is None
    assert read(lower(lifted)).ops[0].inputs == (0, 1, -1)
    prove(lifted, lower(lifted))


@FORMS
def test_given_kernels_are_stored_as_they_are(form: Any) -> None:
    tflite = random_net().tflite()
    lifted = lift(tflite, form=form)
    wanted = {layer.name: np.round(layer.kernel_array(), 1) for layer in lifted.layers[:2]}
    lowered = read(lower(lifted, wanted))
    for layer in lifted.layers[:2]:
        stored = np.unique(lowered.tensors[layer.kernel].data)
        assert set(stored) == set(np.unique(wanted[layer.name]))
    last = lifted.layers[2].kernel
    np.testing.assert_array_equal(lowered.tensors[last].data, read(tflite).tensors[last].data)


def test_zeros_stay_zeros_under_a_scale() -> None:
    lifted = lift(random_net().tflite())
    layer = lifted.layers[0]
    kernel = np.asarray(layer.layer.kernel).copy()
    kernel[..., ::2] = 0.0
    layer.layer.set_weights([kernel])
    stored = read(lower(lifted)).tensors[layer.kernel].data
    assert stored is not None
    assert not stored[::2].any()
    assert stored[1::2].all()


def test_kernels_of_unknown_layers_and_shapes_are_refused() -> None:
    lifted = lift(random_net().tflite())
    name = lifted.layers[0].name
    with pytest.raises(UsageError, match="no layer 'nobody'") as unknown:
        lower(lifted, {"nobody": np.zeros((1, 1))})
    assert name in unknown.value.hint
    with pytest.raises(UsageError, match=f"the kernel of layer '{name}'"):
        lower(lifted, {name: np.zeros((1, 1))})
