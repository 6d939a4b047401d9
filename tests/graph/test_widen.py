from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hand_made import O, T, flatbuffer
from small_nets import RELU, Net, as_model, rows_of

from edgekit.errors import ModelError, UsageError
from edgekit.evaluate.sqnr import Sqnr
from edgekit.graph import edit
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.graph.tied import around, names_of, tied
from edgekit.graph.widen import VERSIONS, widen
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.runtimes.base import Row, open_runtime, run_float

RNG = np.random.default_rng(0)


def int8(tflite: bytes, rows: Any, **io: str) -> bytes:
    options = QuantizeOptions(equalise="off", bias_correct="off", **io)
    return load("int8").quantize(as_model(tflite), rows, options).tflite


def outputs(tflite: bytes, rows: Any, runtime: str = "litert-reference") -> list[Row]:
    with open_runtime(runtime, tflite) as opened:
        return list(run_float(opened, read(tflite), rows()))


def ratio(wanted: list[Row], given: list[Row]) -> float:
    total = Sqnr()
    for left, right in zip(wanted, given, strict=True):
        total = total.add(left, right)
    return total.db


def types(graph: Graph) -> dict[str, tuple[str, str]]:
    """Name of each op's output -> types of its first input and output."""
    return {
        graph.tensors[op.outputs[0]].name: (
            graph.tensors[op.inputs[0]].dtype,
            graph.tensors[op.outputs[0]].dtype,
        )
        for op in graph.ops
    }


def spiked() -> bytes:
    """Three layers; channel 0 of the first output is 1000 times as large, and of no use."""
    first, second = RNG.normal(size=(8, 3, 3, 3)), RNG.normal(size=(8, 1, 1, 8))
    first[0] *= 1000
    second[..., 0] = 0
    third = RNG.normal(size=(4, 1, 1, 8))
    return Net(8, 8, 3).conv(first).conv(second, activation=0).conv(third).tflite()


SPIKED = spiked()
ROWS = rows_of(RNG.normal(size=(12, 8, 8, 3)))


@pytest.fixture(scope="module")
def built() -> bytes:
    return int8(SPIKED, ROWS)


@pytest.mark.parametrize("runtime", ["litert", "litert-reference", "tflite-micro"])
def test_a_tensor_that_8_bits_ruin_is_saved_by_16(built: bytes, runtime: str) -> None:
    wanted = outputs(SPIKED, ROWS)
    assert ratio(wanted, outputs(built, ROWS, runtime)) < 5
    assert ratio(wanted, outputs(widen(built, ["y0"]), ROWS, runtime)) > 25


def test_only_the_ops_around_it_change(built: bytes) -> None:
    found = types(read(widen(built, ["y0"])))
    assert found == {
        "input_int16": ("int8", "int16"),
        "y0": ("int16", "int16"),
        "y1": ("int16", "int16"),
        "y1_int8": ("int16", "int8"),
        "y2": ("int8", "int8"),
    }


def test_weights_stay_int8_and_biases_keep_their_values(built: bytes) -> None:
    narrow, wide = read(built), read(widen(built, ["y0"]))
    before = next(op for op in narrow.ops if narrow.tensors[op.outputs[0]].name == "y1")
    after = next(op for op in wide.ops if wide.tensors[op.outputs[0]].name == "y1")
    weights, bias = (wide.tensors[index] for index in after.inputs[1:])
    old, old_bias = (narrow.tensors[index] for index in before.inputs[1:])
    np.testing.assert_array_equal(weights.data, old.data)
    assert (weights.dtype, bias.dtype) == ("int8", "int64")
    source = wide.tensors[after.inputs[0]].quantization
    np.testing.assert_allclose(
        bias.quantization.scale, source.scale * weights.quantization.scale, rtol=1e-5
    )
    np.testing.assert_allclose(
        bias.data * bias.quantization.scale,
        old_bias.data * old_bias.quantization.scale,
        atol=bias.quantization.scale.max(),
    )


def test_int16_scales_span_the_range_of_the_int8_ones(built: bytes) -> None:
    narrow, wide = (
        next(t for t in read(data).tensors if t.name == "y0")
        for data in (built, widen(built, ["y0"]))
    )
    largest = narrow.quantization.scale[0] * (127 - narrow.quantization.zero_point[0])
    assert wide.quantization.zero_point[0] == 0
    assert 32767 * wide.quantization.scale[0] == pytest.approx(largest, rel=1e-5)


def test_the_interface_keeps_its_types_and_names(built: bytes) -> None:
    graph = read(widen(built, ["input", "y0", "y1", "y2"]))
    assert [(t.name, t.dtype) for t in graph.input_tensors()] == [("input", "int8")]
    assert [(t.name, t.dtype) for t in graph.output_tensors()] == [("y2", "int8")]


def test_float_interfaces_convert_to_16_bits_at_once() -> None:
    built = int8(SPIKED, ROWS, input_dtype="float32", output_dtype="float32")
    graph = read(widen(built, ["input", "y2"]))
    kinds = [(op.name, graph.tensors[op.outputs[0]].dtype) for op in graph.ops]
    assert kinds == [
        ("QUANTIZE", "int16"),
        ("CONV_2D", "int16"),
        ("QUANTIZE", "int8"),
        ("CONV_2D", "int8"),
        ("QUANTIZE", "int16"),
        ("CONV_2D", "int16"),
        ("DEQUANTIZE", "float32"),
    ]


def test_nothing_asked_for_changes_nothing(built: bytes) -> None:
    assert widen(built, []) == built


def test_a_name_that_nothing_has_is_refused(built: bytes) -> None:
    with pytest.raises(UsageError, match="'nothing'"):
        widen(built, ["y0", "nothing"])


def test_an_op_without_a_kernel_is_named() -> None:
    hard = Net(4, 4, 2).conv(RNG.normal(size=(2, 1, 1, 2)), activation=0)
    hard.op("HARD_SWISH", (1, 4, 4, 2), ("HardSwishOptions", {}))
    built = int8(hard.tflite(), rows_of(RNG.normal(size=(9, 4, 4, 2))))
    with pytest.raises(ModelError, match="HARD_SWISH 'y1'"):
        widen(built, ["y0"])


POOL = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}


def integers(*values: int) -> T:
    return T("k", (len(values),), "INT32", np.array(values, np.int32))


def single(kind: str, shape: tuple[int, ...], options: Any = None, *more: T, first: int = 1) -> Any:
    """Input -> ADD of a constant -> the op (`more` are its constants) -> output."""
    one = T("c", (3,), data=RNG.normal(size=3).astype(np.float32))
    tensors = [T("x", (1, 4, 4, 3)), one, T("a", (1, 4, 4, 3)), *more, T("y", shape)]
    constants = list(range(3, 3 + len(more)))
    inputs = [2, *constants] if first else [*constants, 2]
    ops = [
        O("ADD", (0, 1), (2,), ("AddOptions", {})),
        O(kind, tuple(inputs), (len(tensors) - 1,), options),
    ]
    return flatbuffer(tensors, ops, (0,), (len(tensors) - 1,))


def weights(*shape: int) -> T:
    return T("w", shape, data=RNG.normal(size=shape).astype(np.float32))


SAME = (1, 4, 4, 3)
CONSTANT = T("d", (3,), data=np.array([0.5, -1.0, 2.0], np.float32))
OPS: dict[str, Any] = {
    "ADD": (SAME, ("AddOptions", {}), CONSTANT),
    "SUB": (SAME, ("SubOptions", {}), CONSTANT),
    "MUL": (SAME, ("MulOptions", {}), CONSTANT),
    "AVERAGE_POOL_2D": ((1, 2, 2, 3), ("Pool2DOptions", POOL)),
    "MAX_POOL_2D": ((1, 2, 2, 3), ("Pool2DOptions", POOL)),
    "CONCATENATION": ((1, 4, 4, 4), ("ConcatenationOptions", {"axis": 3}), weights(1, 4, 4, 1)),
    "CONV_2D": (
        (1, 4, 4, 2),
        ("Conv2DOptions", {"strideW": 1, "strideH": 1, "fusedActivationFunction": RELU}),
        weights(2, 3, 3, 3),
        weights(2),
    ),
    "DEPTHWISE_CONV_2D": (
        SAME,
        ("DepthwiseConv2DOptions", {"strideW": 1, "strideH": 1, "depthMultiplier": 1}),
        weights(1, 3, 3, 3),
        weights(3),
    ),
    "LEAKY_RELU": (SAME, ("LeakyReluOptions", {"alpha": 0.1})),
    "LOGISTIC": (SAME,),
    "TANH": (SAME,),
    "SOFTMAX": (SAME, ("SoftmaxOptions", {"beta": 1.0})),
    "MEAN": ((1, 3), ("ReducerOptions", {}), integers(1, 2)),
    "PAD": (
        (1, 6, 6, 3),
        None,
        T("p", (4, 2), "INT32", np.int32([[0] * 2, [1] * 2] * 2)[[0, 1, 1, 0]]),
    ),
    "RESHAPE": ((1, 48), ("ReshapeOptions", {"newShape": np.array([1, 48])}), integers(1, 48)),
    "SQUEEZE": ((4, 4, 3), ("SqueezeOptions", {"squeezeDims": np.array([0])})),
    "RESIZE_NEAREST_NEIGHBOR": (
        (1, 8, 8, 3),
        ("ResizeNearestNeighborOptions", {}),
        integers(8, 8),
    ),
    "SLICE": ((1, 2, 4, 3), None, integers(0, 1, 0, 0), integers(1, 2, 4, 3)),
    "STRIDED_SLICE": (
        (1, 2, 4, 3),
        ("StridedSliceOptions", {}),
        integers(0, 1, 0, 0),
        integers(1, 3, 4, 3),
        integers(1, 1, 1, 1),
    ),
    "TRANSPOSE": ((1, 3, 4, 4), ("TransposeOptions", {}), integers(0, 3, 1, 2)),
    "FULLY_CONNECTED": ((16, 2), ("FullyConnectedOptions", {}), weights(2, 3), weights(2)),
}


def test_all_ops_of_the_table_are_tried() -> None:
    assert {*OPS, "TRANSPOSE_CONV", "QUANTIZE"} == set(VERSIONS)


@pytest.mark.parametrize("kind", sorted(OPS))
def test_every_op_of_the_table_runs_on_16_bits(kind: str) -> None:
    """On LiteRT and on tflite-micro, no worse than on 8, and by the same function."""
    tflite = single(kind, *OPS[kind])
    rows = rows_of(RNG.normal(size=(8, 4, 4, 3)))
    built = int8(tflite, rows, output_dtype="float32")
    wide = widen(built, ["a", "y"])
    assert types(read(wide))["a"][1] == "int16"
    wanted = outputs(tflite, rows)
    plain = ratio(wanted, outputs(built, rows))
    for runtime in ("litert", "tflite-micro"):
        assert ratio(wanted, outputs(wide, rows, runtime)) > plain - 1.5


def test_a_decoder_and_a_rescaled_branch_run_on_16_bits() -> None:
    """TRANSPOSE_CONV, and the QUANTIZE that gives both branches of a CONCATENATION one scale."""
    size = integers(1, 4, 4, 3)
    tensors = [
        *(T("x", SAME), size, weights(3, 2, 2, 3), T("t", SAME), T("l", SAME)),
        T("y", (1, 4, 4, 6)),
    ]
    ops = [
        O(
            "TRANSPOSE_CONV",
            (1, 2, 0),
            (3,),
            ("TransposeConvOptions", {"strideW": 1, "strideH": 1, "padding": 0}),
        ),
        O("LOGISTIC", (3,), (4,)),
        O("CONCATENATION", (3, 4), (5,), ("ConcatenationOptions", {"axis": 3})),
    ]
    tflite = flatbuffer(tensors, ops, (0,), (5,))
    rows = rows_of(RNG.normal(size=(8, 4, 4, 3)))
    built = int8(tflite, rows, output_dtype="float32")
    assert "QUANTIZE" in [op.name for op in read(built).ops[1:-1]]
    wide = widen(built, ["t1"])
    graph = read(wide)
    assert {graph.tensors[op.outputs[0]].dtype for op in graph.ops[:-1]} == {"int16"}
    wanted = outputs(tflite, rows)
    for runtime in ("litert", "tflite-micro"):
        assert ratio(wanted, outputs(wide, rows, runtime)) > ratio(wanted, outputs(built, rows))


def test_what_an_op_ties_to_a_tensor_is_widened_with_it() -> None:
    net = Net(4, 4, 2).conv(RNG.normal(size=(2, 1, 1, 2)))
    net.op("MAX_POOL_2D", (1, 2, 2, 2), ("Pool2DOptions", POOL))
    tflite = net.conv(RNG.normal(size=(3, 1, 1, 2))).conv(RNG.normal(size=(3, 1, 1, 3))).tflite()
    model = edit.unpack(tflite)
    assert names_of(model, tied(model, ["y0"])) == {"y0", "y1"}
    assert names_of(model, tied(model, ["y2"])) == {"y2"}
    assert [name for _, name in around(tflite, ["y1"])] == ["y0", "y1", "y2"]
    assert [kind for kind, _ in around(tflite, ["y3"])] == ["CONV_2D"]
