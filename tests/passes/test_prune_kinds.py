"""Models of Keras 3, of legacy Keras and from ONNX, with attention and recurrent layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import compressing
import numpy as np
import pytest

from edgekit import _tf
from edgekit.convert import float_tflite
from edgekit.evaluate.weights import find
from edgekit.graph.read import read
from edgekit.importers.base import load
from edgekit.passes import base
from edgekit.structure.dead import dead
from edgekit.structure.dependencies import dependencies
from edgekit.structure.heads import widths


@pytest.fixture(scope="module")
def attention() -> bytes:
    keras = _tf.keras3()
    layers = keras.layers
    keras.utils.set_random_seed(0)
    x = keras.Input((6, 8), name="x")
    y = layers.MultiHeadAttention(4, 3, name="attend")(x, x)
    return float_tflite(keras.Model(x, layers.Dense(5)(layers.Flatten()(y))))


def matrices(tflite: bytes) -> dict[str, np.ndarray]:
    """Weights by the name of the tensor that is made with them."""
    graph = read(tflite)
    return {graph.tensors[w.op.outputs[0]].name: np.asarray(w.values) for w in find(graph)}


def test_whole_heads_go_and_all_that_they_alone_read_is_dead(attention: bytes) -> None:
    ((name, width),) = widths(attention).items()
    assert width == 3
    pruned = compressing.run(
        {"pass": "prune", "heads": True, "sparsity": 0.5}, base.Candidate(attention)
    )
    assert list(pruned.log[0].layers) == [name]
    changed = [w for w in matrices(pruned.tflite).values() if (w == 0).any()]
    (kernel,) = changed  # [outputs, heads x width]
    heads = (kernel.reshape(8, 4, 3) == 0).all(axis=(0, 2))
    assert heads.sum() == 2
    assert (kernel == 0).mean() == 0.5
    known = dependencies(read(pruned.tflite))
    assert (~dead(known)).sum() >= 2, "units of the heads change nothing any more"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("legacy", [False, True], ids=["keras 3", "legacy keras"])
def test_unrolled_recurrent_layers_are_pruned_as_what_they_consist_of(
    kind: str, legacy: bool
) -> None:
    keras: Any = _tf.tf_keras() if legacy else _tf.keras3()
    x = keras.Input((4, 3))
    y = getattr(keras.layers, kind)(5, unroll=True)(x)
    tflite = float_tflite(keras.Model(x, keras.layers.Dense(2)(y)))
    options = {"pass": "prune", "sparsity": 0.6, "schedule": "splicing", "allocate": "uniform"}
    pruned = compressing.run(options, base.Candidate(tflite))
    assert {round(e["sparsity"], 1) for e in pruned.log[0].layers.values()} == {0.6}
    assert len(pruned.log[0].layers) == 3


@pytest.mark.slow
@pytest.mark.parametrize("legacy", [False, True], ids=["keras 3", "legacy keras"])
def test_convolutions_of_both_keras_are_spliced_in_rounds(legacy: bool) -> None:
    keras: Any = _tf.tf_keras() if legacy else _tf.keras3()
    layers = keras.layers
    x = keras.Input((8, 8, 3))
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3)(x)))
    y = layers.Dense(4)(layers.GlobalAveragePooling2D()(layers.DepthwiseConv2D(3)(y)))
    tflite = float_tflite(keras.Model(x, y))
    options = {"pass": "prune", "sparsity": 0.5, "schedule": "splicing", "rounds": 2}
    pruned = compressing.run(options, base.Candidate(tflite))
    zeros = {w.op.name: float((w.values == 0).mean()) for w in find(read(pruned.tflite))}
    assert zeros["DEPTHWISE_CONV_2D"] == 0
    assert zeros["CONV_2D"] > 0.3
    assert pruned.traits == {"sparse"}


@pytest.mark.slow
def test_a_network_from_onnx_is_pruned_by_sensitivity(real_models: Path) -> None:
    tflite = load(real_models / "mnist_keras3" / "cntk_mnist_nchw.onnx").tflite
    options = {"pass": "prune", "sparsity": 0.8, "allocate": "sensitivity", "rounds": 2}
    pruned = compressing.run(options, base.Candidate(tflite))
    kernels = [w for w in find(read(pruned.tflite)) if w.op.name in ("CONV_2D", "FULLY_CONNECTED")]
    zeros = sum(int((w.values == 0).sum()) for w in kernels)
    assert zeros / sum(w.values.size for w in kernels) == pytest.approx(0.8, abs=0.01)
