from __future__ import annotations

import numpy as np
import pytest
from hand_made import O, T, flatbuffer

from edgekit.bridge.names import Names, layer_names
from edgekit.graph.read import read

CONV = ("Conv2DOptions", {"strideW": 1, "strideH": 1})
DENSE = ("FullyConnectedOptions", {})


def chain(*named: tuple[str, str, str]) -> dict[int, str]:
    """Names of a chain of operators: kind, name of the kernel, name of the output."""
    tensors, ops, last = [T("x", (1, 1, 1, 1))], [], 0
    for kind, kernel, output in named:
        conv = kind == "CONV_2D"
        shape = (1, 1, 1, 1) if conv else (1, 1)
        bias = T("", (1,), data=np.zeros(1, np.float32))
        tensors += [T(kernel, shape, data=np.ones(shape, np.float32)), bias]
        tensors += [T(output, (1, 1, 1, 1) if kind != "FULLY_CONNECTED" else (1, 1))]
        weighted = kind in ("CONV_2D", "FULLY_CONNECTED")
        inputs = (last, len(tensors) - 3, len(tensors) - 2) if weighted else (last,)
        last = len(tensors) - 1
        ops.append(O(kind, inputs, (last,), {"CONV_2D": CONV, "FULLY_CONNECTED": DENSE}.get(kind)))
    return layer_names(read(flatbuffer(tensors, ops, (0,), (last,))))


CASES = {
    "keras 2, folded": (
        "CONV_2D",
        "",
        "model/activation/Relu;model/batch_normalization/FusedBatchNormV3;model/conv2d/Conv2D1",
        "conv2d",
    ),
    "keras 2, its kernel says it": (
        "CONV_2D", "model/conv2d_3/Conv2D", "model/relu/Relu;model/conv2d_5/Conv2D", "conv2d_3",
    ),
    "keras 3": ("CONV_2D", "", "sequential_1/conv2d_1_2/convolution", "conv2d_1_2"),
    "1-D": ("CONV_2D", "", "net/conv1d_1/convolution/ExpandDims;net/conv1d_1/BiasAdd", "conv1d_1"),
    "dense by tensordot": ("FULLY_CONNECTED", "", "model/dense/Tensordot/MatMul", "dense"),
    "cell of an lstm": ("FULLY_CONNECTED", "", "model/lstm/lstm_cell/MatMul_1", "lstm"),
    "renamed output": ("FULLY_CONNECTED", "", "probabilities", "probabilities"),
    "activation by itself": ("RELU6", "", "model/activation_1/Relu6", "activation_1"),
    "nobody's name": (
        "CONV_2D", "", "model_2/tf.nn.relu/Relu;model_2/tf.math.add/Add/y1", "conv_2d_0",
    ),
    "a call's name": ("FULLY_CONNECTED", "", "StatefulPartitionedCall:0", "fully_connected_0"),
    "no name": ("RELU", "", "", "relu_0"),
    "signs that layers cannot have": ("RELU", "", "a b:c/Relu", "a_b_c"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_layer_is_named_as_in_the_source(case: str) -> None:
    kind, kernel, output, name = CASES[case]
    assert chain((kind, kernel, output)) == {0: name}


def test_names_are_unique_and_layers_with_weights_are_served_first() -> None:
    names = chain(
        ("RELU", "", "net/conv/Relu"),
        ("CONV_2D", "", "net/conv/Conv2D"),
        ("CONV_2D", "", "net/conv/Conv2D"),
        ("CONV_2D", "", "net/conv_1/Conv2D"),
    )
    assert names == {0: "conv_3", 1: "conv", 2: "conv_2", 3: "conv_1"}


def test_fresh_names_avoid_those_of_the_operators() -> None:
    tensors = [T("x", (1, 2)), T("net/a/Relu", (1, 2)), T("net/a_1/Relu", (1, 2))]
    ops = [O("RELU", (0,), (1,)), O("RELU", (1,), (2,))]
    names = Names(read(flatbuffer(tensors, ops, (0,), (2,))))
    assert [names.fresh("a"), names.fresh("a"), names.fresh("b")] == ["a_2", "a_3", "b"]
