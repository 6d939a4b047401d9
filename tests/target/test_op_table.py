"""The op tables against the runtimes themselves, asked op by op and version by version."""

from __future__ import annotations

import subprocess
import sys

import pytest
from wheels import loads

from edgekit.target.op_table import load_op_table

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
BUILTIN = {
    name: code for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
ASKED = sorted(set(BUILTIN) - {"CUSTOM"})
DTYPES = {"float32": 0, "int32": 2, "int64": 4, "bool": 6, "int16": 7, "int8": 9}
ELEMENTWISE = (
    *("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "HARD_SWISH", "LOG", "LOGICAL_NOT", "NEG"),
    *("RELU", "RELU6", "ROUND", "RSQRT", "SIN", "SQRT", "SQUARE", "ZEROS_LIKE"),
)
# Prints the ops that are found, or with "run" those that run. A child for each op, since kernels
# may crash on an op without its inputs.
ASK_MICRO = """
import os, sys
import numpy
from tflite_micro.python.tflite_micro import runtime
for line in sys.stdin.read().splitlines():
    name, model = line.split()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 2)
        try:
            interpreter = runtime.Interpreter.from_bytes(bytes.fromhex(model))
            if "run" in sys.argv:
                details = interpreter.get_input_details(0)
                interpreter.set_input(numpy.ones(details["shape"], details["dtype"]), 0)
                interpreter.invoke()
                os.write(2, b"it ran")
        except BaseException:
            pass
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    found = "Didn't find op" not in text and "Failed to get registration" not in text
    if "it ran" in text or (found and "run" not in sys.argv):
        print(name)
"""


def model_of(
    code: int, version: int = 1, custom: str = "", used: bool = False, dtype: str = "float32"
) -> bytes:
    """A model of one tensor, and of one op from it to it where it is `used`."""
    import flatbuffers

    kind = schema.OperatorCodeT()
    kind.builtinCode, kind.deprecatedBuiltinCode = code, min(code, 127)
    kind.version, kind.customCode = version, custom or None
    tensor = schema.TensorT()
    tensor.shape, tensor.buffer, tensor.name, tensor.type = [1], 0, b"x", DTYPES[dtype]
    if dtype in ("int8", "int16"):
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [1 / 128], [0]
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [0]
    part = schema.SubGraphT()
    part.tensors, part.inputs, part.outputs = [tensor], [0], [0]
    part.operators = [operator] if used else []
    whole = schema.ModelT()
    whole.version, whole.operatorCodes, whole.subgraphs = 3, [kind], [part]
    whole.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def asked_of_micro(models: dict[str, bytes], *arguments: str) -> set[str]:
    asked = "\n".join(f"{name} {model.hex()}" for name, model in models.items())
    command = [sys.executable, "-c", ASK_MICRO, *arguments]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("table", "module"),
    [
        pytest.param("litert-2.3", "ai_edge_litert.interpreter", id="LiteRT 2.3"),
        pytest.param(
            "tflite-runtime-2.14", "tflite_runtime.interpreter", id="TensorFlow Lite runtime 2.14"
        ),
    ],
)
def test_versions_are_exactly_what_the_wheel_takes(table: str, module: str) -> None:
    versions = load_op_table(table).versions
    asked = {op: versions.get(op, (1, 0)) for op in ASKED}
    questions = [(op, n) for op, (low, high) in asked.items() for n in range(low - 1, high + 3)]
    models = [model_of(BUILTIN[op], version) for op, version in questions]
    answers = dict(zip(questions, loads(module, models), strict=True))
    wrong = {
        (op, version)
        for (op, version), taken in answers.items()
        if taken != (asked[op][0] <= version <= asked[op][1])
    }
    assert wrong == set()
    assert set(versions) <= set(ASKED)


def test_ops_are_exactly_what_the_tflite_micro_wheel_has() -> None:
    pytest.importorskip("tflite_micro")
    table = load_op_table("tflite-micro-2026.10")
    models = {op: model_of(BUILTIN[op], used=True) for op in ASKED}
    models |= {name: model_of(32, custom=name, used=True) for name in (*table.custom, "no-such")}
    assert asked_of_micro(models) == {*table.types, *table.custom}


def test_elementwise_ops_of_the_tflite_micro_wheel_run_on_exactly_their_types() -> None:
    pytest.importorskip("tflite_micro")
    types = load_op_table("tflite-micro-2026.10").types
    models = {
        f"{op}:{dtype}": model_of(BUILTIN[op], used=True, dtype=dtype)
        for op in ELEMENTWISE
        for dtype in DTYPES
    }
    expected = {f"{op}:{dtype}" for op in ELEMENTWISE for dtype in types[op] if dtype in DTYPES}
    assert asked_of_micro(models, "run") == expected


def test_dynamic_range_dense_of_today_needs_version_12() -> None:
    litert, older = load_op_table("litert-2.3"), load_op_table("tflite-runtime-2.14")
    assert litert.versions["FULLY_CONNECTED"][1] >= 12 > older.versions["FULLY_CONNECTED"][1]


def test_newer_tables_only_add() -> None:
    older, swift = load_op_table("tflite-runtime-2.14"), load_op_table("tflite-swift-2.17")
    newest = load_op_table("litert-2.3")
    for op, (_, high) in older.versions.items():
        assert high <= swift.versions[op][1] <= newest.versions[op][1], op
    assert set(swift.versions) <= set(newest.versions)


@pytest.mark.parametrize(
    "name",
    [
        "litert-2.3",
        "litert-js-2.5",
        "tflite-micro-2026.10",
        "tflite-runtime-2.14",
        "tflite-swift-2.17",
    ],
)
def test_every_shipped_table_names_its_sources(name: str) -> None:
    table = load_op_table(name)
    assert {"CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX"} <= set(table.ops)
    assert table.sources.get("versions") or table.sources.get("types")
