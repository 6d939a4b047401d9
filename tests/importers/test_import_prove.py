"""The proof: a corrupted layer is found and named, whatever was fused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit import _tf
from edgekit.convert import Function, float_tflite, keras_function
from edgekit.errors import ModelError
from edgekit.graph.edit import pack, unpack
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers import _keras_object
from edgekit.importers.base import load
from edgekit.importers.prove import prove
from edgekit.model import TensorSpec

BOTH = pytest.mark.parametrize(
    "library", ["keras3", pytest.param("tf_keras", marks=pytest.mark.slow)]
)
BLOCKS = ("left", "right", "merged")


def block(keras: Any, x: Any, name: str) -> Any:
    """Conv + BatchNormalization + ReLU: one operator in the flatbuffer."""
    layers = keras.layers
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def branched(keras: Any) -> Any:
    """Two branches whose layers alternate in the source's order, with a sub-model at the end."""
    keras.utils.set_random_seed(1)
    x = keras.Input((8, 8, 3), name="image")
    stem = block(keras, x, "stem")
    left, right = block(keras, stem, "left"), block(keras, stem, "right")
    y = block(keras, keras.layers.Add(name="add")([left, right]), "merged")
    inner = keras.Sequential(
        [
            keras.layers.Input((8, 8, 4)),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(6, activation="relu", name="hidden"),
            keras.layers.Dense(3, name="scores"),
        ],
        name="head",
    )
    net = keras.Model(x, keras.layers.Softmax(name="softmax")(inner(y)))
    rng = np.random.default_rng(2)
    for layer in net.layers:
        if layer.name.endswith("norm"):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return net


def corrupt(data: bytes, weights: np.ndarray) -> bytes:
    """The flatbuffer with one constant of the given size changed."""
    graph: Graph = read(data)
    model = unpack(data)
    consumers = [op for op in graph.ops if op.name in ("CONV_2D", "FULLY_CONNECTED")]
    hit = [op.inputs[1] for op in consumers if _same(graph, op.inputs[1], weights)]
    assert len(hit) == 1
    buffer = model.buffers[model.subgraphs[0].tensors[hit[0]].buffer]
    values = np.frombuffer(bytes(buffer.data), np.float32).copy()
    values[: max(1, values.size // 3)] *= 1.5
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return pack(model)


def _same(graph: Graph, index: int, weights: np.ndarray) -> bool:
    """Whether a constant is the kernel, up to the scale that BatchNormalization put on channels."""
    data = graph.tensors[index].data
    if data is None or data.size != weights.size:
        return False
    kernel = np.moveaxis(weights, -1, 0).reshape(weights.shape[-1], -1)
    ratio = np.asarray(data).reshape(kernel.shape) / kernel
    return bool(np.allclose(ratio, ratio[:, :1], rtol=1e-3))


@BOTH
@pytest.mark.parametrize(
    ("layer", "named"),
    [
        ("stem_conv", "stem_conv"),
        ("left_conv", "left_conv"),
        ("right_conv", "right_conv"),
        ("merged_conv", "merged_conv"),
        ("hidden", "head/hidden"),
        ("scores", "head/scores"),
    ],
)
def test_the_corrupted_layer_is_named(library: str, layer: str, named: str) -> None:
    net = branched(getattr(_tf, library)())
    holder = net if layer.endswith("conv") else net.get_layer("head")
    function = keras_function(net)
    bad = corrupt(float_tflite(function), holder.get_layer(layer).get_weights()[0])
    with pytest.raises(ModelError, match=f"the first layer that differs is '{named}'$"):
        prove(
            bad,
            lambda row: _keras_object._outputs(net, row, 0),
            lambda row: _keras_object._layer_outputs(net, row, 0),
        )


@BOTH
def test_looking_at_the_layers_leaves_the_model_as_it_was(library: str) -> None:
    net = branched(getattr(_tf, library)())
    row = (np.ones((1, 8, 8, 3), np.float32),)
    before = _keras_object._outputs(net, row, 0)[0]
    names = [name for name, _ in _keras_object._layer_outputs(net, row, 0)]
    assert names[:3] == ["stem_conv", "stem_norm", "stem_relu"]
    assert {"head/hidden", "head/scores", "head", "softmax"} <= set(names)
    assert "call" not in net.get_layer("add").__dict__
    np.testing.assert_array_equal(before, _keras_object._outputs(net, row, 0)[0])


def identity(shape: tuple[int, ...] = (1, 4), scale: float = 2.0) -> bytes:
    spec = TensorSpec("x", shape, "float32")
    return float_tflite(Function(lambda x: [x * scale], (spec,), ("y",)))


def test_a_proof_states_samples_tolerance_and_difference() -> None:
    proof = prove(identity(), lambda row: (row[0] * 2.0,), samples=5)
    assert proof["samples"] == 5
    assert proof["max_difference"] == 0.0
    assert 1e-5 <= proof["tolerance"] < 1e-3


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (lambda row: (row[0] * 2.001,), "differs from its source by"),
        (lambda row: (row[0], row[0]), "the source has 2 outputs, the flatbuffer 1"),
        (lambda row: (np.zeros(5),), "has 5 values in the source, 4 converted"),
        (lambda row: (row[0] * np.nan,), "nothing can be proved"),
        (lambda row: (np.where(row[0] > 0, np.nan, row[0] * 2.0),), "by inf"),
    ],
    ids=["a wrong factor", "two outputs", "another size", "all NaN", "some NaN"],
)
def test_what_differs_is_refused(reference: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        prove(identity(), reference)


def test_small_outputs_are_held_to_a_small_tolerance() -> None:
    with pytest.raises(ModelError, match="differs"):
        prove(identity(scale=1e-4), lambda row: (row[0] * 2e-4,))


def test_values_that_are_nan_on_both_sides_agree() -> None:
    tf = _tf.tensorflow()
    spec = TensorSpec("x", (1, 64), "float32")
    log = float_tflite(Function(lambda x: [tf.math.log(x)], (spec,), ("y",)))
    with np.errstate(invalid="ignore"):
        proof = prove(log, lambda row: (np.log(row[0]),))
    assert proof["max_difference"] < 1e-5


def test_integers_stay_inside_the_embedding() -> None:
    tf = _tf.tensorflow()
    seen = []
    table = np.arange(10, dtype=np.float32).reshape(5, 2)
    spec = TensorSpec("words", (1, 50), "int32")
    data = float_tflite(Function(lambda x: [tf.gather(tf.constant(table), x)], (spec,), ("y",)))

    def reference(row: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        seen.append(row[0])
        return [table[row[0]]]

    prove(data, reference)
    assert np.unique(seen).tolist() == [0, 1, 2, 3, 4]


def test_the_proof_is_fast(real_models: Path) -> None:
    """Under 0.3 s for a small model, on top of the conversion."""
    model = load(real_models / "ic_resnet8" / "pretrainedResnet.h5")
    start = time.perf_counter()
    prove(model.tflite, lambda row: _keras_object._outputs(model.keras, row, 0))
    assert time.perf_counter() - start < 0.9  # three times, for a busy machine
