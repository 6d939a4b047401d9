from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_tflite import Made, Step, build, one_op, options, small_net

from edgekit.graph.count import layer_macs, macs, parameters, weight_bytes
from edgekit.graph.read import read

# Figures of MLPerf Tiny's reference networks; parameters are those of the fused graphs.
REAL = {
    "resnet8 float": ("ic_resnet8/pretrainedResnet_float", 12_501_632, 77_706),
    "resnet8 int8": ("ic_resnet8/pretrainedResnet_int8", 12_501_632, 77_706),
    "keyword spotting": ("kws_dscnn/kws_ref_model_int8", 2_656_768, 22_604),
    "keyword spotting, dynamic range": ("kws_dscnn/kws_ref_model_dynrange", 2_656_768, 22_604),
    "visual wake words": ("vww_mobilenetv1/vww_96_float", 7_489_664, 210_850),
    # 28 steps of 4 gates of 20 cells with 28 inputs and 20 states, then 560 x 10
    "lstm": ("tflm_examples/mnist_lstm_int8", 28 * 4 * 20 * (28 + 20) + 5600, 9_530),
}


@pytest.mark.parametrize(("file", "count", "weights"), REAL.values(), ids=REAL.keys())
def test_real_models(real_models: Path, file: str, count: int, weights: int) -> None:
    graph = read((real_models / f"{file}.tflite").read_bytes())
    assert macs(graph) == count
    assert parameters(graph) == weights


def test_a_small_net_layer_by_layer() -> None:
    graph = read(small_net())
    assert layer_macs(graph) == (1 * 4 * 4 * 3 * 3 * 3 * 2, 0, 48 * 2, 0)
    assert macs(graph) == 960
    assert parameters(graph) == 54 + 3 + 96 + 2  # not the two numbers of the reshape
    assert weight_bytes(graph) == (54 + 12, 8, 96 + 8, 0)


def floats(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


STRIDE = {"strideW": 1, "strideH": 1}
LAYERS: dict[str, tuple[str, list[Made], Any, int]] = {
    "depthwise convolution": (
        "DEPTHWISE_CONV_2D",
        [Made("x", (1, 5, 5, 3)), Made("w", (1, 3, 3, 6), data=floats(1, 3, 3, 6)),
         Made("y", (1, 5, 5, 6))],
        options("DepthwiseConv2D", depthMultiplier=2, **STRIDE),
        5 * 5 * 6 * 9,
    ),
    "grouped convolution": (
        "CONV_2D",
        [Made("x", (1, 4, 4, 8)), Made("w", (4, 1, 1, 2), data=floats(4, 1, 1, 2)),
         Made("y", (1, 4, 4, 4))],
        options("Conv2D", **STRIDE),
        4 * 4 * 4 * 2,
    ),
    "transposed convolution": (
        "TRANSPOSE_CONV",
        [Made("to", (4,), "INT32", np.array([1, 4, 4, 1], np.int32)),
         Made("w", (1, 2, 2, 3), data=floats(1, 2, 2, 3)), Made("x", (1, 2, 2, 3)),
         Made("y", (1, 4, 4, 1))],
        options("TransposeConv", strideW=2, strideH=2),
        2 * 2 * 3 * 1 * 2 * 2,
    ),
    "dense over a sequence": (
        "FULLY_CONNECTED",
        [Made("x", (1, 7, 5)), Made("w", (4, 5), data=floats(4, 5)), Made("y", (1, 7, 4))],
        options("FullyConnected", keepNumDims=True),
        7 * 4 * 5,
    ),
    "matrix product": (
        "BATCH_MATMUL",
        [Made("x", (2, 3, 5)), Made("z", (2, 5, 4)), Made("y", (2, 3, 4))],
        options("BatchMatMul"),
        2 * 3 * 4 * 5,
    ),
    "matrix product, left side turned": (
        "BATCH_MATMUL",
        [Made("x", (2, 5, 3)), Made("z", (2, 5, 4)), Made("y", (2, 3, 4))],
        options("BatchMatMul", adjX=True),
        2 * 3 * 4 * 5,
    ),
    "recurrent filter": (
        "SVDF",
        [Made("x", (1, 8)), Made("f", (4, 8), data=floats(4, 8)),
         Made("t", (4, 3), data=floats(4, 3)), Made("y", (1, 4))],
        options("SVDF", rank=1),
        4 * 8 + 4 * 3,
    ),
    "no arithmetic that counts": ("RELU", [Made("x", (1, 8)), Made("y", (1, 8))], None, 0),
}  # fmt: skip


@pytest.mark.parametrize(("name", "tensors", "made", "count"), LAYERS.values(), ids=LAYERS.keys())
def test_layers(name: str, tensors: list[Made], made: Any, count: int) -> None:
    assert macs(read(one_op(name, tensors, made))) == count


def test_shared_weights_count_once() -> None:
    tensors = [
        Made("x", (1, 3)),
        Made("w", (3, 3), data=floats(3, 3)),
        Made("h", (1, 3)),
        Made("y", (1, 3)),
    ]
    dense = options("FullyConnected")
    steps = [
        Step("FULLY_CONNECTED", (0, 1), (2,), dense),
        Step("FULLY_CONNECTED", (2, 1), (3,), dense),
    ]
    graph = read(build(tensors, steps, [0], [3]))
    assert parameters(graph) == 9
    assert weight_bytes(graph) == (36, 0)
    assert macs(graph) == 18
