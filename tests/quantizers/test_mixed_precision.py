from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_nets import Net, as_model, outlier_net, rows_of

from edgekit.affine import real_range
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.quantizers.base import Quantized, QuantizeOptions, load
from edgekit.runtimes.base import open_runtime, run_float

RNG = np.random.default_rng(0)


def spiked() -> bytes:
    """Five layers; a channel of y1 is 1000 times as large as the others, and of no use."""
    net = Net(8, 8, 3).conv(RNG.normal(size=(8, 3, 3, 3)))
    loud, deaf = RNG.normal(size=(8, 1, 1, 8)), RNG.normal(size=(8, 1, 1, 8))
    loud[0] *= 1000
    deaf[..., 0] = 0
    return net.conv(loud).conv(deaf, activation=0).mean().dense(RNG.normal(size=(4, 8))).tflite()


SPIKED = spiked()
MODEL = as_model(SPIKED)
VALUES = RNG.normal(size=(16, 8, 8, 3))
ROWS = rows_of(VALUES)


def int8(**options: Any) -> Quantized:
    given = {"equalise": "off", "bias_correct": "off", "output_dtype": "float32"}
    return load("int8").quantize(MODEL, ROWS, QuantizeOptions(**(given | options)))


def results(tflite: bytes, runtime: str = "litert") -> np.ndarray:
    with open_runtime(runtime, tflite) as opened:
        return np.stack([out[0] for out in run_float(opened, read(tflite), ROWS())])


def error(tflite: bytes, runtime: str = "litert") -> float:
    """Of the outputs, relative to their size."""
    wanted = results(SPIKED)
    return float(np.abs(results(tflite, runtime) - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("option", ["keep_int16", "keep_float"])
@pytest.mark.parametrize("runtime", ["litert", "tflite-micro"])
def test_a_layer_in_more_bits_saves_the_outputs(option: str, runtime: str) -> None:
    assert error(int8().tflite, runtime) > 0.5
    assert error(int8(**{option: ("y1",)}).tflite, runtime) < 0.05


def kinds(tflite: bytes) -> list[tuple[str, str]]:
    graph = read(tflite)
    return [(op.name, graph.tensors[op.outputs[0]].dtype) for op in graph.ops]


def test_the_ops_around_a_layer_in_float_are_float_and_no_others() -> None:
    assert kinds(int8(keep_float=("y1",), output_dtype="int8").tflite) == [
        ("CONV_2D", "int8"),
        ("DEQUANTIZE", "float32"),
        ("CONV_2D", "float32"),
        ("CONV_2D", "float32"),
        ("QUANTIZE", "int8"),
        ("MEAN", "int8"),
        ("FULLY_CONNECTED", "int8"),
    ]


@pytest.mark.parametrize("name", ["y0", "y1", "y4"], ids=["first", "inner", "last"])
@pytest.mark.parametrize("option", ["keep_int16", "keep_float"])
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_inputs_and_outputs_have_the_types_asked_for(name: str, option: str, dtype: str) -> None:
    built = int8(**{option: (name,)}, input_dtype=dtype, output_dtype=dtype)
    graph = read(built.tflite)
    assert [t.dtype for t in (*graph.input_tensors(), *graph.output_tensors())] == [dtype, dtype]
    assert [t.name for t in (*graph.input_tensors(), *graph.output_tensors())] == ["input", "y4"]


def test_what_was_asked_to_be_float_is_a_note_and_no_warning() -> None:
    (problem,) = int8(keep_float=("y1",)).problems
    assert (problem.severity, "as keep_float asks" in problem.message) == ("note", True)


def test_16_bits_take_the_whole_range_where_8_are_clipped() -> None:
    net, values = outlier_net()
    model, rows = as_model(net.tflite()), rows_of(values[:10])
    spans = {}
    for kept in ((), ("y0",)):
        options = QuantizeOptions("percentile", "off", "off", keep_int16=kept)
        built = read(load("int8").quantize(model, rows, options).tflite)
        limits = real_range(next(t for t in built.tensors if t.name == "y0"))
        spans[kept] = limits[1]
    assert spans[()] < 100
    assert spans["y0",] == pytest.approx(4000, rel=1e-4)  # the glitch


def test_biases_of_layers_in_16_bits_are_corrected_too() -> None:
    def shift(tflite: bytes) -> float:
        """How far the mean output is off, in the worst place."""
        return float(np.abs((results(tflite) - results(SPIKED)).mean(axis=0)).max())

    plain = int8(keep_int16=("y1", "y4"))
    corrected = int8(keep_int16=("y1", "y4"), bias_correct="on")
    assert corrected.effects["bias_correct"]["layers"] == 4
    assert shift(corrected.tflite) < 0.7 * shift(plain.tflite)


def test_layers_go_by_the_names_that_inspect_shows() -> None:
    with pytest.raises(UsageError) as caught:
        int8(keep_int16=("y11",))
    assert caught.value.message == "no layer is named 'y11'"
    assert caught.value.hint == "did you mean y1?"


def test_an_op_that_has_no_16_bit_kernel_is_named() -> None:
    net = Net(4, 4, 2).conv(RNG.normal(size=(2, 1, 1, 2)), activation=0)
    net.op("HARD_SWISH", (1, 4, 4, 2), ("HardSwishOptions", {})).conv(RNG.normal(size=(2, 1, 1, 2)))
    rows = rows_of(RNG.normal(size=(9, 4, 4, 2)))
    model = as_model(net.tflite())
    with pytest.raises(ModelError, match="HARD_SWISH 'y1' has no kernel") as caught:
        load("int8").quantize(model, rows, QuantizeOptions(keep_int16=("y0",)))
    assert "keep_float" in caught.value.hint
    built = load("int8").quantize(model, rows, QuantizeOptions(keep_float=("y0",)))
    assert ("HARD_SWISH", "float32") in kinds(built.tflite)
