"""Operators that converters seldom write, made by hand: a batch gives what LiteRT gives by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from made_tflite import Made, Step, build, conv_options, one_op, options

from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.bridge.prove import prove

RANDOM = np.random.default_rng(3)
X = Made("x", (1, 4, 6, 2))
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID
RELU, CLIP, RELU6 = (
    getattr(schema.ActivationFunctionType, name) for name in ("RELU", "RELU_N1_TO_1", "RELU6")
)


def ints(*values: int, name: str = "c", dtype: Any = np.int32) -> Made:
    return table(np.array(values, dtype), name)


def table(values: Any, name: str = "c") -> Made:
    kinds = {"float32": "FLOAT32", "int32": "INT32", "int64": "INT64", "bool": "BOOL"}
    values = np.asarray(values)
    return Made(name, values.shape, kinds[values.dtype.name], values)


def floats(*shape: int) -> Made:
    return table(RANDOM.normal(size=shape).astype(np.float32))


def clear(*indices: int) -> Callable[[Any], None]:
    """Tensors that are computed, though their place in the table gave them values."""

    def edit(model: Any) -> None:
        for index in indices:
            model.subgraphs[0].tensors[index].buffer = 0

    return edit


def out(*shape: int, dtype: str = "FLOAT32") -> Made:
    return Made("y", shape, dtype)


def pool(name: str) -> Callable[[], bytes]:
    chosen = options("Pool2D", strideW=2, strideH=2, filterWidth=3, filterHeight=2, padding=SAME)
    return lambda: one_op(name, [X, out(1, 2, 3, 2)], chosen)


def unary(name: str) -> Callable[[], bytes]:
    return lambda: one_op(name, [X, out(1, 4, 6, 2)])


def binary(name: str, result: str = "FLOAT32", kind: Any = None) -> Callable[[], bytes]:
    """With a constant of a lower rank."""
    return lambda: one_op(name, [X, floats(6, 2), out(1, 4, 6, 2, dtype=result)], kind)


def flags(name: str, kind: Any = None) -> Callable[[], bytes]:
    a, b = Made("a", (1, 5), "BOOL"), Made("b", (1, 5), "BOOL")
    return lambda: one_op(name, [a, b, out(1, 5, dtype="BOOL")], kind)


def integers(name: str, kind: Any = None) -> Callable[[], bytes]:
    a = Made("a", (1, 5), "INT32")
    return lambda: one_op(name, [a, ints(2, 3, 4, 5, 6), out(1, 5, dtype="INT32")], kind)


def reduction(name: str, keep: bool, shape: tuple[int, ...], *axes: int) -> Callable[[], bytes]:
    return lambda: one_op(name, [X, ints(*axes), out(*shape)], options("Reducer", keepDims=keep))


OPS: dict[str, Callable[[], bytes]] = {
    "CEIL": unary("CEIL"),
    "ROUND": unary("ROUND"),
    "SIGN": unary("SIGN"),
    "RELU": unary("RELU"),
    "RELU_N1_TO_1": unary("RELU_N1_TO_1"),
    "RELU_0_TO_1": unary("RELU_0_TO_1"),
    "L2_NORMALIZATION": lambda: one_op("L2_NORMALIZATION", [X, out(1, 4, 6, 2)], options("L2Norm")),
    "ZEROS_LIKE": unary("ZEROS_LIKE"),
    "ATAN2": lambda: one_op("ATAN2", [X, floats(1, 4, 6, 2), out(1, 4, 6, 2)]),
    "FLOOR_DIV": integers("FLOOR_DIV"),
    "FLOOR_MOD": integers("FLOOR_MOD"),
    "DIV of integers": integers("DIV", options("Div")),
    "EQUAL": binary("EQUAL", "BOOL"),
    "NOT_EQUAL": binary("NOT_EQUAL", "BOOL"),
    "LOGICAL_OR": flags("LOGICAL_OR"),
    "LOGICAL_NOT": lambda: one_op(
        "LOGICAL_NOT", [Made("a", (1, 5), "BOOL"), out(1, 5, dtype="BOOL")]
    ),
    "ADD, fused clip": binary("ADD", kind=options("Add", fusedActivationFunction=CLIP)),
    "SUB, fused relu": binary("SUB", kind=options("Sub", fusedActivationFunction=RELU)),
    "ADD of a larger constant": lambda: one_op(
        "ADD", [Made("x", (1, 1, 2)), floats(3, 5, 2), out(3, 5, 2)], options("Add")
    ),
    "ADD_N": lambda: one_op("ADD_N", [X, floats(1, 4, 6, 2), out(1, 4, 6, 2)]),
    "SELECT by the row": lambda: one_op(
        "SELECT", [Made("c", (3,), "BOOL"), floats(3, 2), Made("b", (3, 2)), out(3, 2)]
    ),
    "L2_POOL_2D": pool("L2_POOL_2D"),
    "AVERAGE_POOL_2D": pool("AVERAGE_POOL_2D"),
    "LOCAL_RESPONSE_NORMALIZATION": lambda: one_op(
        "LOCAL_RESPONSE_NORMALIZATION", [X, out(1, 4, 6, 2)],
        options("LocalResponseNormalization", radius=1, bias=1.0, alpha=0.5, beta=0.7),
    ),
    "PADV2": lambda: one_op(
        "PADV2",
        [X, table(np.array([[0, 0], [1, 2], [0, 1], [0, 0]], np.int32)),
         table(np.float32(-1.5)), out(1, 7, 7, 2)],
    ),
    "DEPTH_TO_SPACE": lambda: one_op(
        "DEPTH_TO_SPACE", [Made("x", (1, 2, 3, 8)), out(1, 4, 6, 2)],
        options("DepthToSpace", blockSize=2),
    ),
    "SPACE_TO_DEPTH": lambda: one_op(
        "SPACE_TO_DEPTH", [X, out(1, 2, 3, 8)], options("SpaceToDepth", blockSize=2)
    ),
    "SPACE_TO_BATCH_ND": lambda: one_op(
        "SPACE_TO_BATCH_ND", [X, ints(2, 3), table(np.zeros((2, 2), np.int32)), out(6, 2, 2, 2)]
    ),
    "BATCH_TO_SPACE_ND": lambda: one_op(
        "BATCH_TO_SPACE_ND",
        [Made("x", (6, 2, 2, 2)), ints(2, 3), table(np.array([[1, 0], [0, 2]], np.int32)),
         out(1, 3, 4, 2)],
    ),
    "RESIZE_BILINEAR, corners": lambda: one_op(
        "RESIZE_BILINEAR", [X, ints(7, 9), out(1, 7, 9, 2)],
        options("ResizeBilinear", alignCorners=True),
    ),
    "RESIZE_NEAREST_NEIGHBOR, half pixels": lambda: one_op(
        "RESIZE_NEAREST_NEIGHBOR", [X, ints(7, 9), out(1, 7, 9, 2)],
        options("ResizeNearestNeighbor", halfPixelCenters=True),
    ),
    "SUM over the batch of 1": reduction("SUM", False, (4, 2), 0, 2),
    "MEAN, all": reduction("MEAN", True, (1, 1, 1, 1), 0, 1, 2, 3),
    "REDUCE_ANY": lambda: one_op(
        "REDUCE_ANY", [Made("x", (1, 3, 4), "BOOL"), ints(-1), out(1, 3, dtype="BOOL")],
        options("Reducer", keepDims=False),
    ),
    "REDUCE_ALL": lambda: one_op(
        "REDUCE_ALL", [Made("x", (1, 3, 4), "BOOL"), ints(1), out(1, 4, dtype="BOOL")],
        options("Reducer", keepDims=False),
    ),
    "ARG_MAX": lambda: one_op(
        "ARG_MAX", [X, ints(3), out(1, 4, 6, dtype="INT64")],
        options("ArgMax", outputType=schema.TensorType.INT64),
    ),
    "ARG_MIN": lambda: one_op(
        "ARG_MIN", [X, ints(2), out(1, 4, 2, dtype="INT32")],
        options("ArgMin", outputType=schema.TensorType.INT32),
    ),
    "SQUEEZE": lambda: one_op("SQUEEZE", [X, out(4, 6, 2)], options("Squeeze", squeezeDims=[0])),
    "EXPAND_DIMS": lambda: one_op("EXPAND_DIMS", [X, ints(0), out(1, 1, 4, 6, 2)]),
    "TILE": lambda: one_op("TILE", [X, ints(2, 1, 1, 3), out(2, 4, 6, 6)]),
    "TRANSPOSE of the batch": lambda: one_op("TRANSPOSE", [X, ints(2, 0, 3, 1), out(6, 1, 2, 4)]),
    "CONCATENATION with a constant": lambda: one_op(
        "CONCATENATION", [X, floats(2, 4, 6, 2), out(3, 4, 6, 2)], options("Concatenation", axis=0)
    ),
    "PACK in front": lambda: one_op(
        "PACK", [Made("a", (1, 4)), Made("b", (1, 4)), out(2, 1, 4)],
        options("Pack", axis=0, valuesCount=2),
    ),
    "BROADCAST_TO": lambda: build(
        [Made("x", (1, 1, 3)), ints(2, 5, 3), out(2, 5, 3)],
        [Step("BROADCAST_TO", (0, 1), (2,), version=2)], (0,), (2,),
    ),
    "FILL": lambda: one_op("FILL", [ints(2, 3), Made("x", ()), out(2, 3)]),
    "GATHER of computed rows": lambda: one_op(
        "GATHER", [Made("x", (128, 3)), Made("i", (1, 2), "INT32"), out(1, 2, 3)],
        options("Gather", axis=0),
    ),
    "GATHER of a table's columns": lambda: one_op(
        "GATHER", [floats(3, 5), Made("i", (1, 2), "INT32"), out(3, 1, 2)],
        options("Gather", axis=1),
    ),
    "GATHER, batch dims": lambda: one_op(
        "GATHER", [Made("x", (2, 5)), table(np.array([[1], [3]], np.int32)), out(2, 1)],
        options("Gather", axis=1, batchDims=1),
    ),
    "GATHER_ND": lambda: one_op(
        "GATHER_ND",
        [X, table(np.array([[0, 1], [0, 3], [0, 0]], np.int32)), out(3, 6, 2)],
    ),
    "EMBEDDING_LOOKUP": lambda: one_op(
        "EMBEDDING_LOOKUP", [Made("i", (3,), "INT32"), floats(7, 4), out(3, 4)]
    ),
    "ONE_HOT": lambda: one_op(
        "ONE_HOT",
        [Made("i", (1, 3), "INT32"), table(np.int32(4)), table(np.float32(2)),
         table(np.float32(-1)), out(1, 3, 4)],
        options("OneHot", axis=-1),
    ),
    "STRIDED_SLICE, masks": lambda: one_op(
        "STRIDED_SLICE", [X, ints(0, 3, 1, 1), ints(0, 0, 5, 9), ints(1, -1, 2, 1), out(1, 3, 2)],
        options("StridedSlice", beginMask=1, endMask=1, shrinkAxisMask=8),
    ),
    "SHAPE, FILL of constants": lambda: build(
        [X, ints(0, 0, 0, 0), table(np.float32(2)), Made("f", (1, 4, 6, 2)), out(1, 4, 6, 2)],
        [Step("SHAPE", (0,), (1,), options("Shape", outType=schema.TensorType.INT32)),
         Step("FILL", (1, 2), (3,)),
         Step("MUL", (0, 3), (4,), options("Mul"))], (0,), (4,), clear(1),
    ),
    "RANK, RANGE": lambda: build(
        [X, table(np.int32(0)), table(np.int32(0)), table(np.int32(1)), ints(0, 0, 0, 0),
         out(1, 4, 6, 2)],
        [Step("RANK", (0,), (2,)), Step("RANGE", (1, 2, 3), (4,)),
         Step("TRANSPOSE", (0, 4), (5,))], (0,), (5,), clear(2, 4),
    ),
    "BATCH_MATMUL, transposed": lambda: one_op(
        "BATCH_MATMUL", [Made("x", (1, 3, 4)), Made("y", (1, 5, 4)), out(1, 3, 5)],
        options("BatchMatMul", adjY=True),
    ),
    "FULLY_CONNECTED of two inputs": lambda: one_op(
        "FULLY_CONNECTED", [Made("x", (2, 4)), Made("w", (3, 4)), floats(3), out(2, 3)],
        options("FullyConnected", fusedActivationFunction=RELU),
    ),
}  # fmt: skip


def conv(**changes: Any) -> Any:
    return conv_options(**changes)


def depthwise(**changes: Any) -> Any:
    usual = {"strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    return options("DepthwiseConv2D", **(usual | changes))


def upwards(size: tuple[int, int], rows: int, columns: int, padding: int) -> bytes:
    """A TRANSPOSE_CONV by 2 from 4 x 6."""
    height, width = size
    return build(
        [X, ints(1, rows, columns, 3), floats(3, height, width, 2), out(1, rows, columns, 3)],
        [Step("TRANSPOSE_CONV", (1, 2, 0), (3,),
              options("TransposeConv", strideW=2, strideH=2, padding=padding))],
        (0,), (3,),
    )  # fmt: skip


LAYERS: dict[str, Callable[[], bytes]] = {
    "convolution, strides and dilation": lambda: one_op(
        "CONV_2D", [Made("x", (1, 9, 8, 2)), floats(3, 3, 2, 2), floats(3), out(1, 5, 4, 3)],
        conv(strideW=2, strideH=2, dilationHFactor=2, dilationWFactor=2, padding=SAME),
    ),
    "convolution, strides and dilation, valid": lambda: one_op(
        "CONV_2D", [Made("x", (1, 9, 8, 2)), floats(3, 3, 2, 2), floats(3), out(1, 3, 3, 3)],
        conv(strideW=2, strideH=2, dilationHFactor=2, dilationWFactor=3, padding=VALID),
    ),
    "convolution of many pictures a sample": lambda: one_op(
        "CONV_2D", [Made("x", (6, 4, 4, 2)), floats(3, 3, 3, 2), floats(3), out(6, 4, 4, 3)],
        conv(padding=SAME, fusedActivationFunction=CLIP),
    ),
    "convolution, fused relu6": lambda: one_op(
        "CONV_2D", [X, floats(3, 3, 3, 2), floats(3), out(1, 4, 6, 3)],
        conv(padding=SAME, fusedActivationFunction=RELU6),
    ),
    "convolution, dead channel": lambda: one_op(
        "CONV_2D", [X, table(np.zeros((3, 3, 3, 2), np.float32)), floats(3), out(1, 4, 6, 3)],
        conv(padding=SAME),
    ),
    "depthwise, unequal strides": lambda: one_op(
        "DEPTHWISE_CONV_2D",
        [Made("x", (1, 9, 8, 2)), floats(1, 3, 3, 4), floats(4), out(1, 9, 4, 4)],
        depthwise(strideW=2, padding=SAME, depthMultiplier=2, fusedActivationFunction=RELU),
    ),
    "depthwise of many pictures a sample": lambda: one_op(
        "DEPTHWISE_CONV_2D", [Made("x", (2, 4, 6, 2)), floats(1, 3, 3, 2), floats(2),
                              out(2, 2, 4, 2)], depthwise(padding=VALID, depthMultiplier=1),
    ),
    "transposed, same": lambda: upwards((3, 3), 8, 12, SAME),
    "transposed, same, odd": lambda: upwards((3, 3), 7, 11, SAME),
    "transposed, valid": lambda: upwards((3, 2), 9, 12, VALID),
    "transposed, valid, larger": lambda: upwards((3, 2), 10, 13, VALID),
    "dense, dimensions kept": lambda: one_op(
        "FULLY_CONNECTED", [X, floats(3, 2), floats(3), out(1, 4, 6, 3)],
        options("FullyConnected", keepNumDims=True),
    ),
    "dense on rows of the picture": lambda: one_op(
        "FULLY_CONNECTED", [X, floats(3, 2), floats(3), out(24, 3)], options("FullyConnected")
    ),
    "dense on pairs of rows": lambda: one_op(
        "FULLY_CONNECTED", [X, floats(3, 4), floats(3), out(12, 3)], options("FullyConnected")
    ),
    "dense on the picture": lambda: one_op(
        "FULLY_CONNECTED", [X, floats(3, 48), floats(3), out(1, 3)], options("FullyConnected")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPS)
def test_an_operator_without_weights_computes_each_sample_of_a_batch(name: str) -> None:
    lifted = lift(OPS[name]())
    prove(lifted, samples=3)
    prove(lifted, samples=1)
    assert lifted.layers == ()


@pytest.mark.parametrize("form", ["normalised", "folded"])
@pytest.mark.parametrize("name", LAYERS)
def test_an_operator_with_weights_becomes_a_layer_and_comes_back(name: str, form: Any) -> None:
    tflite = LAYERS[name]()
    lifted = lift(tflite, form=form)
    prove(lifted, samples=3)
    assert len(lifted.layers) == 1
    assert lower(lifted) == tflite
    layer = lifted.layers[0]
    layer.layer.set_weights([weight + 0.25 for weight in layer.layer.get_weights()])
    prove(lifted, lower(lifted))
