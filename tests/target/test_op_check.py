"""What a target refuses, by op, version, type and layer; and whether its runtime agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wheels import loads

from edgekit.errors import EdgekitError
from edgekit.graph.read import read
from edgekit.runtimes.base import open_runtime
from edgekit.target.op_check import check_ops
from edgekit.target.profile import load_profile

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
TYPES = {"float32": 0, "float16": 1, "int32": 2, "int16": 7, "int8": 9, "int4": 17}
BITS = {"float16": np.float16, "int8": np.int8, "float32": np.float32}
MODELS = [
    "kws_dscnn/kws_ref_model_int8.tflite",
    "kws_dscnn/kws_ref_model_dynrange.tflite",
    "ic_resnet8/pretrainedResnet_float.tflite",
    "ic_resnet8/pretrainedResnet_int8.tflite",
    "vww_mobilenetv1/vww_96_int8.tflite",
    "mltk_small/tflite_micro_magic_wand/tflite_micro_magic_wand.tflite",
    "mltk_small/tflite_micro_speech/tflite_micro_speech.tflite",
    "tflm_examples/hello_world_float.tflite",
    "tflm_examples/micro_speech_int8.tflite",
    "tflm_examples/mnist_lstm_float.tflite",
    "tflm_examples/mnist_lstm_int8.tflite",
    "stm_audio/miniresnet_1stacks_64x50_int8.tflite",
]


def one_op(
    op: str,
    data: str = "float32",
    weights: str = "",
    version: int = 1,
    batch: int = 1,
    custom: bool = False,
) -> bytes:
    """A model of one op, `layer`, from [1, 4] to [1, 4]; with `weights`, of shape [4, 4]."""
    import flatbuffers

    def tensor(name: str, shape: list[int], dtype: str, buffer: int = 0) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, shape, TYPES[dtype], buffer
        if dtype in ("int4", "int8", "int16"):
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [1 / 128], [0]
        return made

    code = schema.OperatorCodeT()
    code.builtinCode = 32 if custom else getattr(schema.BuiltinOperator, op)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
    code.customCode = op if custom else None
    whole, part, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    part.tensors = [tensor("in", [1, 4], data), tensor("layer;fused", [1, 4], data)]
    part.tensors[0].shapeSignature = [batch, 4]
    whole.buffers = [schema.BufferT()]
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    if weights:
        constant = schema.BufferT()
        size = 8 if weights == "int4" else 16 * np.dtype(BITS[weights]).itemsize
        constant.data = np.zeros(size, np.uint8)
        whole.buffers.append(constant)
        part.tensors.append(tensor("weights", [4, 4], weights, 1))
        operator.inputs = [0, 2]
    if op == "FULLY_CONNECTED":
        operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        operator.builtinOptions = schema.FullyConnectedOptionsT()
    part.inputs, part.outputs, part.operators = [0], [1], [operator]
    whole.version, whole.operatorCodes, whole.subgraphs = 3, [code], [part]
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def errors(model: bytes, target: str) -> list[str]:
    problems = check_ops(read(model), load_profile(target))
    return [problem.message for problem in problems if problem.severity == "error"]


@pytest.mark.parametrize(
    ("model", "target", "message"),
    [
        pytest.param(
            one_op("FULLY_CONNECTED", weights="int8", version=12),
            "linux-armhf",
            "TensorFlow Lite runtime 2.14 has the op in other versions: "
            "FULLY_CONNECTED version 12 (it has 1 to 10) in layer",
            id="dynamic-range dense layer, too new",
        ),
        pytest.param(
            one_op("STABLEHLO_ADD"),
            "linux-armhf",
            "TensorFlow Lite runtime 2.14 has no such op: STABLEHLO_ADD in layer",
            id="op that came later",
        ),
        pytest.param(
            one_op("GELU"),
            "cortex-m4",
            "TensorFlow Lite Micro has no such op: GELU in layer",
            id="op that a microcontroller's runtime has not",
        ),
        pytest.param(
            one_op("DENSIFY"),
            "cortex-m4",
            "TensorFlow Lite Micro has no such op: DENSIFY in layer",
            id="sparse weights",
        ),
        pytest.param(
            one_op("FLOOR", data="int8"),
            "cortex-m4",
            "TensorFlow Lite Micro does not run the op on this type: "
            "FLOOR on int8 (it takes float32) in layer",
            id="op without an int8 kernel",
        ),
        pytest.param(
            one_op("FULLY_CONNECTED", weights="int8"),
            "cortex-m4",
            "TensorFlow Lite Micro does not run dynamic-range (hybrid) models: "
            "FULLY_CONNECTED with integer weights on float data in layer",
            id="dynamic range",
        ),
        pytest.param(
            one_op("FULLY_CONNECTED", weights="float16"),
            "cortex-m4",
            "TensorFlow Lite Micro does not run float16 weights: FULLY_CONNECTED in layer",
            id="float16",
        ),
        pytest.param(
            one_op("FULLY_CONNECTED", data="int8", weights="int4"),
            "linux-armhf",
            "TensorFlow Lite runtime 2.14 does not run int4 weights: FULLY_CONNECTED in layer",
            id="int4",
        ),
        pytest.param(
            one_op("FlexErf", custom=True),
            "rpi4",
            "LiteRT 2.3 has no such custom op: FlexErf in layer",
            id="TensorFlow op",
        ),
        pytest.param(
            one_op("RELU", data="int8"),
            "web",
            "LiteRT.js 2.5 takes no int8 input: in",
            id="int8 input in a browser",
        ),
        pytest.param(
            one_op("RELU", batch=-1),
            "web",
            "LiteRT.js 2.5 takes no dynamic shapes: input in is [-1, 4]",
            id="dynamic batch in a browser",
        ),
        pytest.param(
            one_op("RELU", data="int8"),
            "ios",
            "TensorFlowLiteSwift 2.17 takes no int8 input: in",
            id="int8 input in Swift",
        ),
    ],
)
def test_refusal_names_op_reason_and_layer(model: bytes, target: str, message: str) -> None:
    assert errors(model, target)[0] == message


@pytest.mark.parametrize(
    ("dtype", "hint"),
    [
        pytest.param("int8", "replace the layer by ops that it has", id="quantized already"),
        pytest.param("int32", "replace the layer by ops that it has", id="no number format"),
        pytest.param("int16", "--quantize int8", id="another number format"),
    ],
)
def test_the_hint_for_a_type_asks_for_nothing_that_is_done_already(dtype: str, hint: str) -> None:
    problems = check_ops(read(one_op("FLOOR", data=dtype)), load_profile("cortex-m4"))
    assert hint in problems[0].hint


@pytest.mark.parametrize(
    ("model", "target"),
    [
        pytest.param(
            one_op("FULLY_CONNECTED", weights="int8", version=12), "rpi4", id="dynamic range"
        ),
        pytest.param(
            one_op("FULLY_CONNECTED", weights="int8", version=12), "ios", id="the same on iOS"
        ),
        pytest.param(one_op("FULLY_CONNECTED", weights="float16"), "linux-armhf", id="float16"),
        pytest.param(one_op("FULLY_CONNECTED", "int8", "int4"), "rpi4", id="int4"),
        pytest.param(one_op("FULLY_CONNECTED", "int8", "int8"), "cortex-m4", id="int8"),
        pytest.param(one_op("FULLY_CONNECTED", "int16", "int8"), "cortex-m4", id="int16x8"),
        pytest.param(one_op("RELU", version=99), "cortex-m4", id="versions unseen"),
        pytest.param(one_op("SignalRfft", custom=True), "cortex-m4", id="known custom op"),
        pytest.param(one_op("RELU", batch=-1), "rpi4", id="dynamic batch"),
    ],
)
def test_what_a_runtime_takes_is_not_refused(model: bytes, target: str) -> None:
    assert errors(model, target) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [("cortex-m0plus", 1), ("cortex-m3", 1), ("cortex-m4", 0), ("rpi4", 0)],
)
def test_float_arithmetic_without_fpu_is_a_warning(target: str, expected: int) -> None:
    problems = check_ops(read(one_op("RELU")), load_profile(target))
    assert [problem.severity for problem in problems] == ["warning"] * expected
    assert all("RELU in layer" in problem.message for problem in problems)
    assert all("--quantize int8" in problem.hint for problem in problems)


def test_int8_on_a_core_without_fpu_is_no_problem() -> None:
    assert check_ops(read(one_op("RELU", data="int8")), load_profile("cortex-m0plus")) == []


@pytest.mark.parametrize("name", MODELS)
def test_verdict_for_a_microcontroller_is_that_of_tflite_micro(
    real_models: Path, name: str
) -> None:
    pytest.importorskip("tflite_micro")
    model = (real_models / name).read_bytes()
    try:
        open_runtime("tflite-micro", model).close()
        loads = True
    except EdgekitError:
        loads = False
    assert (errors(model, "cortex-m4") == []) == loads


def test_many_layers_are_told_in_one_problem(real_models: Path) -> None:
    model = (real_models / "kws_dscnn/kws_ref_model_dynrange.tflite").read_bytes()
    problems = check_ops(read(model), load_profile("cortex-m4"))
    assert len(problems) == 1
    assert problems[0].message.endswith("and 2 more")


@pytest.mark.parametrize(
    ("op", "weights", "version"),
    [
        pytest.param("FULLY_CONNECTED", "int8", 12, id="dynamic-range dense layer of today"),
        pytest.param("FULLY_CONNECTED", "int8", 9, id="dynamic-range dense layer of 2.3"),
        pytest.param("STABLEHLO_ADD", "float32", 1, id="op that came later"),
    ],
)
@pytest.mark.parametrize(
    ("target", "module"),
    [("linux-armhf", "tflite_runtime.interpreter"), ("rpi4", "ai_edge_litert.interpreter")],
)
def test_verdict_for_linux_is_that_of_its_runtime(
    target: str, module: str, op: str, weights: str, version: int
) -> None:
    model = one_op(op, weights=weights, version=version)
    (taken,) = loads(module, [model])
    assert (errors(model, target) == []) == taken
