from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_tflite import Made, Step, build, one_op, options, small_net

from edgekit.exporters.base import ExportInput
from edgekit.exporters.c_array import Exporter, identifier, resolver_calls, specialised
from edgekit.graph.read import read

WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Werror")
needs_gcc = pytest.mark.skipif(not shutil.which("g++"), reason="gcc and g++ are not installed")


def export(name: str, data: bytes, folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    profile: Any = None
    return Exporter().export(ExportInput(name, data, read(data), profile), folder)


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


NAMES = {
    "kws": "kws",
    "my-model.v2": "my_model_v2",
    "3d": "model_3d",
    "": "model",
    "---": "model",
    "_Hidden__name_": "Hidden_name",
    "größe": "grosse",
    "模型": "model_c98e11",
    "a b\nc": "a_b_c",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=[*map(repr, NAMES)])
def test_any_name_becomes_an_identifier(name: str, expected: str) -> None:
    assert identifier(name) == expected


COMPILERS = {
    "C99": ("gcc", "-std=c99"),
    "C11": ("gcc", "-std=c11"),
    "C17": ("gcc", "-std=c17"),
    "C++11": ("g++", "-std=c++11", "-x", "c++"),
    "C++17": ("g++", "-std=c++17", "-x", "c++"),
}


@needs_gcc
@pytest.mark.parametrize("compiler", COMPILERS.values(), ids=COMPILERS.keys())
def test_it_compiles_without_a_warning(compiler: tuple[str, ...], tmp_path: Path) -> None:
    _, source = export("3-d net", small_net(), tmp_path)
    run(*compiler, *WARNINGS, "-c", source, "-o", tmp_path / "model.o")


MAIN = r"""
#include <cstdint>
#include <cstdio>
#include "one/model_data.h"
#include "two/model_data.h"
struct Resolver {
  int AddConv2D() { std::puts("AddConv2D"); return 0; }
  int AddFullyConnected() { std::puts("AddFullyConnected"); return 0; }
  int AddReshape() { std::puts("AddReshape"); return 0; }
  int AddSoftmax() { std::puts("AddSoftmax"); return full; }
  int full = 0;
};
int main() {
  Resolver resolver;
  const int8_t shape[] = ONE_INPUT_0_SHAPE;
  std::printf("%d\n", one_add_ops(resolver));
  resolver.full = 1;
  std::printf("%d\n", model_2_add_ops(resolver));
  std::printf("%d %d %zu\n", ONE_INPUT_0_RANK, shape[1], sizeof(ONE_INPUT_0_TYPE));
  std::printf("%g %d %g\n", ONE_INPUT_0_SCALE, ONE_INPUT_0_ZERO_POINT, MODEL_2_OUTPUT_0_SCALE);
  std::printf("%d %d\n", static_cast<int>(reinterpret_cast<uintptr_t>(one_model_data) % 16),
              static_cast<int>(reinterpret_cast<uintptr_t>(model_2_model_data) % 16));
  std::fwrite(one_model_data, 1, one_model_data_len, stdout);
}
"""


@needs_gcc
def test_two_models_run_in_one_firmware(tmp_path: Path) -> None:
    data = small_net()
    _, one = export("one", data, tmp_path / "one")
    _, two = export("2", data, tmp_path / "two")
    main, binary = tmp_path / "main.cc", tmp_path / "firmware"
    main.write_text(MAIN)
    run("gcc", "-std=c99", *WARNINGS, "-c", one, "-o", tmp_path / "one.o")
    run("gcc", "-std=c11", *WARNINGS, "-c", two, "-o", tmp_path / "two.o")
    objects = (tmp_path / "one.o", tmp_path / "two.o")
    run("g++", "-std=c++17", *WARNINGS, "-I", tmp_path, main, *objects, "-o", binary)
    output = subprocess.run([str(binary)], capture_output=True, check=True).stdout
    text, stored = output[: -len(data)].decode(), output[-len(data) :]
    calls = ["AddConv2D", "AddFullyConnected", "AddReshape", "AddSoftmax"]
    assert text.splitlines() == [*calls, "1", *calls, "0", "4 4 1", "0.5 -3 0.00390625", "0 0"]
    assert stored == data


def test_the_header_says_how_to_make_the_resolver(tmp_path: Path) -> None:
    header, source = export("net", small_net(), tmp_path)
    text = header.read_text()
    assert header.name == "model_data.h"
    assert "tflite::MicroMutableOpResolver<4> resolver;" in text
    assert "resolver.AddConv2D()" in text
    assert "AddConv2D(tflite::Register_CONV_2D_INT8())" in text
    assert "#ifndef NET_MODEL_DATA_H_" in text
    assert "alignas(16)" in source.read_text()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in export("net", small_net(), tmp_path / "a")]
    assert first == [path.read_bytes() for path in export("net", small_net(), tmp_path / "b")]


def test_an_operator_without_a_method_is_named_and_nothing_is_invented(tmp_path: Path) -> None:
    tensors = [Made("x", (4,)), Made("i", (4,)), Made("y", (4,))]
    steps = [
        Step("ATAN2", (0,), (1,)),
        Step("CUSTOM", (1,), (2,), None, "*/ int evil; /*\\"),
    ]
    data = build(tensors, steps, [0], [2])
    assert resolver_calls(read(data)) == ([], ["ATAN2", "custom operator */ int evil; /*\\"])
    header, source = export("net", data, tmp_path)
    text = header.read_text()
    assert "no method for: ATAN2" in text
    assert "resolver.Add" not in text
    assert "MicroMutableOpResolver<1>" in text
    if shutil.which("g++"):
        run("g++", "-std=c++11", "-x", "c++", *WARNINGS, "-c", source, "-o", tmp_path / "m.o")


def test_a_custom_operator_that_tflite_micro_has() -> None:
    data = build(
        [Made("x", (4,)), Made("y", (4,))],
        [Step("CUSTOM", (0,), (1,), None, "CIRCULAR_BUFFER")],
        [0],
        [1],
    )
    assert resolver_calls(read(data)) == (["AddCircularBuffer"], [])


def test_one_type_registrations_are_named_where_all_operators_have_that_type() -> None:
    assert specialised(read(small_net())) == {
        "AddConv2D": "tflite::Register_CONV_2D_INT8()",
        "AddFullyConnected": "tflite::Register_FULLY_CONNECTED_INT8()",
        "AddSoftmax": "tflite::Register_SOFTMAX_INT8()",
    }
    packed = [
        Made("x", (1, 4), "INT8", None, (0.1,), (0,)),
        Made("w", (2, 4), "INT4", bytes(4), (0.1,), (0,)),
        Made("y", (1, 2), "INT8", None, (0.1,), (0,)),
    ]
    assert specialised(read(one_op("FULLY_CONNECTED", packed, options("FullyConnected")))) == {}
    plain = [Made("x", (1, 4)), Made("y", (1, 4))]
    assert specialised(read(one_op("SOFTMAX", plain, options("Softmax", beta=1.0)))) == {}


METHODS = {
    "kws_dscnn/kws_ref_model_int8": [
        "AddAveragePool2D",
        "AddConv2D",
        "AddDepthwiseConv2D",
        "AddFullyConnected",
        "AddReshape",
        "AddSoftmax",
    ],
    "tflm_examples/mnist_lstm_int8": [
        "AddFullyConnected",
        "AddReshape",
        "AddSoftmax",
        "AddUnidirectionalSequenceLSTM",
    ],
}


@pytest.mark.parametrize(("file", "methods"), METHODS.items(), ids=METHODS.keys())
def test_methods_for_real_models(real_models: Path, file: str, methods: list[str]) -> None:
    graph = read((real_models / f"{file}.tflite").read_bytes())
    assert resolver_calls(graph) == (methods, [])


def test_inputs_of_other_types(tmp_path: Path) -> None:
    data = build(
        [Made("flag", (), "BOOL"), Made("x", (2,)), Made("y", (2,))],
        [Step("SELECT_V2", (0, 1, 1), (2,))],
        [0, 1],
        [2],
    )
    header, source = export("net", data, tmp_path)
    text = header.read_text()
    assert "#define NET_INPUT_COUNT 2" in text
    assert "#define NET_INPUT_0_TYPE bool" in text
    assert "#define NET_INPUT_0_SHAPE {1}" in text
    assert "NET_INPUT_1_SCALE" not in text
    if shutil.which("gcc"):
        run("gcc", "-std=c99", *WARNINGS, "-c", source, "-o", tmp_path / "m.o")


def test_megabytes_are_written_quickly_and_whole(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-127, 128, 5_000_003).astype(np.int8)
    data = build([Made("w", values.shape, "INT8", values)], [], [], [0])
    start = time.perf_counter()
    _, source = export("big", data, tmp_path)
    assert time.perf_counter() - start < 5
    body = source.read_text().partition("_LEN] = {")[2].partition("}")[0]
    numbers = np.array(body.replace("\n", "").rstrip(",").split(","), dtype="U4")
    digits = {f"0x{value:02x}": value for value in range(256)}
    assert bytes(digits[number] for number in numbers.tolist()) == data
