from __future__ import annotations

from typing import Any

import lift_cases
import numpy as np
import pytest
from hand_made import O, T, flatbuffer
from lift_cases import random_net, train
from made_tflite import Made, Step, build, conv_options, one_op, options, small_net

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.bridge.prove import prove
from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.importers.prove import seeded_rows
from edgekit.runtimes.litert import LiteRT

RANDOM = np.random.default_rng(0)
FAST = (
    "conv, norm, relu, flatten, dense",
    "convolution, grouped",
    "depthwise, multiplier, strides",
    "transposed, even kernel",
    "dense on a series",
    "hard_sigmoid",
    "squeeze and excite",
    "simple rnn",
    "shared dense",
    "two heads and their trunk",
    "tokens and a table",
)


@pytest.fixture(scope="module")
def cases() -> dict[str, bytes]:
    keras = _tf.keras3()
    with _tf.silent():
        return {name: lift_cases.tflite(lift_cases.CASES[name], keras) for name in FAST}


def outputs_by_row(tflite: bytes, count: int) -> tuple[list[Any], np.ndarray]:
    with LiteRT(tflite) as runtime:
        rows = [row[0] for row in seeded_rows(runtime.inputs, 5, count)]
        return rows, np.concatenate([runtime.run((row,))[0] for row in rows])


@pytest.mark.parametrize("form", ["normalised", "folded"])
@pytest.mark.parametrize("name", FAST)
def test_a_keras_layer_computes_the_same_for_one_and_for_many(
    cases: dict[str, bytes], name: str, form: Any
) -> None:
    lifted = lift(cases[name], form=form)
    assert prove(lifted, samples=1) < 1e-4
    assert prove(lifted, samples=3) < 1e-4
    assert lower(lifted) == cases[name]


@pytest.mark.parametrize("name", ["convolution, grouped", "simple rnn", "transposed, even kernel"])
def test_training_goes_through_and_comes_back(cases: dict[str, bytes], name: str) -> None:
    lifted = lift(cases[name])
    before = [layer.kernel_array().copy() for layer in lifted.layers]
    train(lifted)
    for old, layer in zip(before, lifted.layers, strict=True):
        assert not np.array_equal(old, layer.kernel_array())
    prove(lifted, lower(lifted))
    assert len(read(lower(lifted)).tensors) == len(read(cases[name]).tensors)


def test_the_batch_is_open_and_rows_do_not_see_each_other() -> None:
    tflite = random_net().tflite()
    lifted = lift(tflite)
    rows, wanted = outputs_by_row(tflite, 5)
    assert lifted.model.input_shape == (None, 6, 6, 2)
    assert lifted.model.output_shape == (None, 3)
    np.testing.assert_allclose(lifted.model(np.concatenate(rows)), wanted, rtol=1e-4, atol=1e-5)


def test_normalised_kernels_have_magnitude_one_and_a_scale_behind() -> None:
    lifted = lift(random_net().tflite())
    assert [layer.kind for layer in lifted.layers] == ["Conv2D", "DepthwiseConv2D", "Dense"]
    for layer in lifted.layers:
        kernel = np.asarray(layer.layer.weights[0])
        assert not layer.layer.use_bias
        assert np.abs(kernel).max() == pytest.approx(1.0)
        np.testing.assert_allclose(
            layer.kernel_array(), kernel * np.asarray(layer.scale.scale).reshape(shape_of(layer))
        )


def shape_of(layer: LiftedLayer) -> tuple[int, ...]:
    return (1, 1, -1, 1) if layer.kind == "DepthwiseConv2D" else (-1,)


def test_folded_layers_hold_what_the_flatbuffer_holds() -> None:
    tflite = random_net().tflite()
    tensors = read(tflite).tensors
    for layer in lift(tflite, form="folded").layers:
        assert layer.scale is None
        np.testing.assert_array_equal(layer.layer.weights[1], tensors[layer.bias].data)
        np.testing.assert_array_equal(
            np.sort(layer.kernel_array(), axis=None), np.sort(tensors[layer.kernel].data, axis=None)
        )


def test_every_activation_is_known_by_its_tensor_index() -> None:
    tflite = random_net().tflite()
    lifted, graph = lift(tflite), read(tflite)
    assert set(lifted.activations) == {0, *(op.outputs[0] for op in graph.ops)}
    for index, value in lifted.activations.items():
        assert tuple(value.shape) == (None, *graph.tensors[index].shape[1:])


def test_layers_are_wrapped_when_they_hold_their_weights() -> None:
    layers = _tf.tf_keras().layers
    seen = {}

    def wrap(layer: LiftedLayer) -> Any:
        seen[layer.name] = np.asarray(layer.layer.weights[0]).copy()
        if layer.kind != "Dense":
            return layer.layer
        return _tf.tf_keras().Sequential([layer.layer, layers.Rescaling(2.0)])

    net = random_net()
    lifted = lift(net.tflite(), form="folded", wrap=wrap)
    plain = lift(net.tflite(), form="folded")
    x = np.ones((2, 6, 6, 2), np.float32)
    np.testing.assert_allclose(lifted.model(x), 2.0 * np.asarray(plain.model(x)), rtol=1e-5)
    for layer in plain.layers:
        np.testing.assert_array_equal(seen[layer.name], layer.layer.weights[0])


def test_after_comes_behind_the_activation_and_before_every_reader() -> None:
    net = random_net()
    first = read(net.tflite()).ops[0].outputs[0]
    rescaling = _tf.tf_keras().layers.Rescaling
    shifts = {0: rescaling(0.5), first: rescaling(1.0, -1.0)}
    lifted = lift(net.tflite(), form="folded", after=shifts.get)
    plain = lift(net.tflite(), form="folded")
    x = RANDOM.normal(size=(2, 6, 6, 2)).astype(np.float32)
    keras = _tf.tf_keras()
    shifted = keras.Model(lifted.model.input, lifted.activations[first])(x)
    usual = keras.Model(plain.model.input, plain.activations[first])(0.5 * x)
    np.testing.assert_allclose(shifted, np.asarray(usual) - 1.0, rtol=1e-5, atol=1e-6)
    assert np.min(shifted) == pytest.approx(-1.0), "it is applied to what RELU left"


HEADS = {
    "softmax": ("SOFTMAX", {"beta": 1.0}, "softmax"),
    "softmax with a temperature": ("SOFTMAX", {"beta": 2.0}, "softmax"),
    "logistic": ("LOGISTIC", None, "sigmoid"),
    "log softmax": ("LOG_SOFTMAX", {}, "softmax"),
    "tanh": ("TANH", None, "linear"),
}
KINDS = {"SOFTMAX": "SoftmaxOptions", "LOG_SOFTMAX": "LogSoftmaxOptions"}


@pytest.mark.parametrize("case", HEADS)
@pytest.mark.parametrize("moved", [False, True], ids=["bare", "reshaped"])
def test_scores_end_before_the_last_activation(case: str, moved: bool) -> None:
    kind, values, head = HEADS[case]
    given = (KINDS[kind], values) if values is not None else None
    net = random_net().op(kind, (1, 3), given)
    if moved:
        net.op("RESHAPE", (1, 1, 3), ("ReshapeOptions", {}))
    lifted = lift(net.tflite())
    x = RANDOM.normal(size=(4, 6, 6, 2)).astype(np.float32)
    scores, outputs = np.asarray(lifted.scores(x)), np.asarray(lifted.model(x))
    assert lifted.heads == (head,)
    assert scores.shape == outputs.shape
    nn = _tf.tensorflow().nn
    undo = {"softmax": nn.softmax, "sigmoid": nn.sigmoid, "linear": lambda y: y}[head]
    wanted = np.exp(outputs) if case == "log softmax" else outputs
    np.testing.assert_allclose(undo(scores), wanted, rtol=1e-5, atol=1e-6)


def test_an_output_that_is_read_inside_is_both() -> None:
    net = random_net()
    inner = read(net.tflite()).ops[0].outputs[0]
    lifted = lift(net.tflite(inner))
    assert [tuple(y.shape) for y in lifted.model.outputs] == [(None, 6, 6, 4), (None, 3)]
    prove(lifted)


def test_one_kernel_read_by_many_operators_is_one_layer() -> None:
    """As an unrolled LSTM has them: one step with the bias, the next without."""
    dense = ("FullyConnectedOptions", {})
    weights, bias = RANDOM.normal(size=(4, 4)), RANDOM.normal(size=4)
    tensors = [
        T("x", (1, 4)),
        T("w", (4, 4), data=weights.astype(np.float32)),
        T("b", (4,), data=bias.astype(np.float32)),
        *(T(name, (1, 4)) for name in ("one", "two", "three")),
    ]
    ops = [
        O("FULLY_CONNECTED", (0, 1, 2), (3,), dense),
        O("FULLY_CONNECTED", (3, 1, -1), (4,), dense),
        O("ADD", (4, 2), (5,), ("AddOptions", {})),
    ]
    lifted = lift(flatbuffer(tensors, ops, (0,), (5,)))
    assert [(layer.ops, layer.bias) for layer in lifted.layers] == [((0, 1), -1)]
    prove(lifted)
    layer = lifted.layers[0].layer
    layer.set_weights([weight * 1.5 for weight in layer.get_weights()])
    prove(lifted, lower(lifted))
    assert len(read(lower(lifted)).tensors) == len(tensors)


def test_the_same_constant_under_two_settings_is_two_layers() -> None:
    kernel = Made("w", (2, 3, 3, 2), data=RANDOM.normal(size=(2, 3, 3, 2)).astype(np.float32))
    bias = Made("b", (2,), data=np.zeros(2, np.float32))
    tensors = [
        Made("x", (1, 6, 6, 2)),
        kernel,
        bias,
        Made("a", (1, 6, 6, 2)),
        Made("y", (1, 3, 3, 2)),
    ]
    steps = [
        Step("CONV_2D", (0, 1, 2), (3,), conv_options()),
        Step("CONV_2D", (3, 1, 2), (4,), conv_options(strideW=2, strideH=2)),
    ]
    lifted = lift(build(tensors, steps, (0,), (4,)))
    assert [layer.ops for layer in lifted.layers] == [(0,), (1,)]
    prove(lifted)


def custom() -> bytes:
    x, y = Made("x", (1, 4)), Made("model/strange/Magic", (1, 4))
    return one_op("CUSTOM", [x, y], custom="Magic")


def loop() -> bytes:
    x, y = Made("x", (1, 4)), Made("model/rnn/while", (1, 4))

    def edit(model: Any) -> None:
        model.subgraphs.append(model.subgraphs[0].__class__())
        body = model.subgraphs[1]
        body.inputs = body.outputs = [0]
        body.tensors, body.operators = [model.subgraphs[0].tensors[0]], []

    kind = options("While", condSubgraphIndex=1, bodySubgraphIndex=1)
    return build([x, y], [Step("WHILE", (0,), (1,), kind)], (0,), (1,), edit)


def computed_kernel() -> bytes:
    tensors = [
        Made("x", (1, 4, 4, 2)),
        Made("w", (3, 1, 1, 2)),
        Made("b", (3,)),
        Made("y", (1, 4, 4, 3)),
    ]
    return one_op("CONV_2D", tensors, conv_options())


def fused_tanh() -> bytes:
    """LiteRT's kernels run it as if there were no activation."""
    x, y = Made("x", (1, 4)), Made("sum", (1, 4))
    return one_op("ADD", [x, x, y], options("Add", fusedActivationFunction=4))


def computed_axes() -> bytes:
    x, order = Made("x", (1, 4)), Made("order", (2,), "INT32")
    return one_op("TRANSPOSE", [x, order, Made("turned", (4, 1))])


def constant_output() -> bytes:
    tensors = [
        Made("x", (1, 4)),
        Made("c", (1, 4), data=np.ones((1, 4), np.float32)),
        Made("y", (1, 4)),
    ]
    add = Step("ADD", (1, 1), (2,), options("Add"))
    return build(tensors, [add], (0,), (2,))


REFUSED = {
    "custom operator": (custom, "layer 'strange' (operator 0, custom operator Magic)"),
    "loop": (loop, "layer 'rnn' (operator 0, WHILE) cannot be trained: it is a loop"),
    "quantized": (
        small_net,
        "layer 'conv' (operator 0, CONV_2D) cannot be trained: its weights are int8",
    ),
    "kernel that is an input": (computed_kernel, "its weights are computed, not constant"),
    "fused tanh": (fused_tanh, "layer 'sum' (operator 0, ADD) cannot be trained: its fused"),
    "computed axes": (computed_axes, "layer 'turned' (operator 0, TRANSPOSE)"),
    "output that is a constant": (constant_output, "output 'y' does not depend on the input"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trained_is_refused_by_name(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ModelError) as error:
        lift(make())
    assert message in error.value.message
    assert error.value.hint


def test_hard_sigmoid_means_what_the_source_meant() -> None:
    """relu6(x + 3) / 6 in Keras 3, clip(0.2 x + 0.5) in tf_keras: the flatbuffer says which."""
    results = {}
    for keras in (_tf.keras3(), _tf.tf_keras()):
        case = lift_cases.one((1,), lambda L: L.Activation("hard_sigmoid"))
        with _tf.silent():
            lifted = lift(lift_cases.tflite(case, keras))
        results[keras.__version__[0]] = np.asarray(
            lifted.model(np.array([[-2.0]], np.float32))
        ).item()
    assert results == {"3": pytest.approx(1 / 6), "2": pytest.approx(0.1)}
