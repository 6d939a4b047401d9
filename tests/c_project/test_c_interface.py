"""Preprocessing in C: bit for bit what `edgekit.interface.prepare` makes of the same rows."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_tflite import Made, one_op

from edgekit.affine import dequantise
from edgekit.c_project.interface.files import RAW, TYPES, interface_files
from edgekit.c_project.interface.names import escaped
from edgekit.devices._cortex_m.gcc import Gcc
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.interface import interface_of, prepare
from edgekit.preprocess import parse

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wmissing-prototypes", "-Werror")
SANITIZED = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
NUMPY = {"u8": np.uint8, "i8": np.int8, "f32": np.float32}
ROWS = 1000

needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
needs_arm = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="arm-none-eabi-gcc or qemu-system-arm is not installed",
)


@dataclass(frozen=True)
class Case:
    """An input and what becomes of raw rows before it."""

    preprocess: str
    shape: tuple[int, ...] = (1, 5, 4, 3)
    dtype: str = "int8"
    scale: float = 0.0186
    zero: int = -11

    def graph(self) -> Graph:
        quantization: tuple[Any, ...] = (None, (self.scale,), (self.zero,))
        if self.dtype == "float32":
            quantization = ()
        made = [Made(name, self.shape, self.dtype.upper(), *quantization) for name in ("x", "y")]
        return read(one_op("RELU", made))


CASES = {
    "raw": Case("raw", scale=0.7),
    "unit, a byte is shifted": Case("unit", scale=1 / 255, zero=-128),
    "symmetric": Case("symmetric", dtype="uint8", zero=128, scale=1 / 128),
    "imagenet": Case("imagenet"),
    "imagenet, a picture": Case("imagenet,resize=5x4"),
    "grey, a picture": Case("unit,resize=6x9", (1, 6, 9)),
    "sound": Case("scale=0.5847,offset=-48.5301", (1, 40), scale=0.91, zero=5),
    "a mean each": Case("mean=1.5,-2,3,0.25,5,std=2,3,4,5,6", (1, 5), scale=0.25, zero=3),
    "float": Case("imagenet", dtype="float32"),
    "float, a picture": Case("scale=1/127.5,offset=-1,resize=7x3", (1, 7, 3, 2), "float32"),
    "int16": Case("unit", (1, 12), "int16", 1 / 32768, 0),
}
SIZES = ((5, 4), (9, 13), (3, 2), (1, 1), (11, 4))

MAIN = """
#include <stdio.h>
#include "m_interface.h"
static RAW row[4096];
static TYPE input[ELEMENTS];
int main(void) {
    uint32_t size[2];
    while (fread(size, 1, sizeof size, stdin) == sizeof size) {
        if (fread(row, sizeof *row, size[0] * size[1] * DEPTH, stdin) != size[0] * size[1] * DEPTH)
            return 2;
        CALL;
        fwrite(input, 1, sizeof input, stdout);
    }
    return 0;
}
"""


def written(case: Case, folder: Path, labels: tuple[str, ...] = ()) -> Graph:
    graph = case.graph()
    face = interface_of("m", b"model", graph, parse(case.preprocess), labels)
    for name, text in interface_files("m", face, graph.input_tensors()).items():
        (folder / name).write_text(text, encoding="ascii")
    return graph


def rows_of(case: Case, kind: str) -> list[np.ndarray]:
    """Random raw rows; floats with everything in them that a float can be."""
    random = np.random.default_rng(7)
    shapes = [case.shape[1:]]
    if parse(case.preprocess).resize:
        shapes += [(*size, *case.shape[3:]) for size in SIZES]
    rows = []
    for place in range(ROWS):
        shape = shapes[place % len(shapes)]
        if kind == "f32":
            row = random.normal(0, random.choice([0.1, 3, 300]), shape).astype(np.float32)
            special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38, 1e-40]
            if place % 4 == 0:
                row.flat[random.integers(row.size)] = special[place // 4 % len(special)]
        else:
            row = random.integers(*((0, 256) if kind == "u8" else (-128, 128)), shape)
        rows.append(row.astype(NUMPY[kind]))
    return rows


def python(case: Case, graph: Graph, rows: list[np.ndarray]) -> np.ndarray:
    contract = replace(parse(case.preprocess), dtype="auto")
    with np.errstate(all="ignore"):
        made = [prepare(row, graph.input_tensors()[0], contract) for row in rows]
    return np.stack(made)


def main_c(case: Case, kind: str) -> str:
    picture = bool(parse(case.preprocess).resize)
    call = "m_prepare_picture_KIND(row, size[0], size[1], input)"
    values = {
        "CALL": (call if picture else "m_prepare_KIND(row, input)").replace("KIND", kind),
        "RAW": RAW[kind],
        "TYPE": TYPES[case.dtype],
        "ELEMENTS": str(int(np.prod(case.shape))),
        "DEPTH": str(case.shape[3] if len(case.shape) == 4 else 1),
    }
    text = MAIN
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def run_c(case: Case, kind: str, rows: list[np.ndarray], folder: Path, *flags: str) -> np.ndarray:
    (folder / "main.c").write_text(main_c(case, kind))
    command = ["gcc", *WARNINGS, *flags, "main.c", "m_interface.c", "-o", "run"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    picture = bool(parse(case.preprocess).resize)
    depth = case.shape[3] if len(case.shape) == 4 else 1
    sizes = [row.shape[:2] if picture else (1, row.size // depth) for row in rows]
    sent = b"".join(
        np.asarray(size, "<u4").tobytes() + row.tobytes()
        for size, row in zip(sizes, rows, strict=True)
    )
    answer = subprocess.run([folder / "run"], input=sent, capture_output=True)
    assert answer.returncode == 0, answer.stderr.decode()
    return np.frombuffer(answer.stdout, case.dtype).reshape(len(rows), *case.shape[1:])


def same(got: np.ndarray, wanted: np.ndarray) -> None:
    """Bit for bit; any NaN is a NaN."""
    assert got.dtype == wanted.dtype
    if got.dtype.kind == "f":
        assert (np.isnan(got) == np.isnan(wanted)).all()
        got, wanted = (np.nan_to_num(each, nan=7.0).view(np.uint32) for each in (got, wanted))
    np.testing.assert_array_equal(got, wanted)


def fused() -> tuple[str, ...]:
    """Options by which the compiler would join products and sums, if it were let."""
    has = "fma" in Path("/proc/cpuinfo").read_text()
    return ("-O3", "-ffp-contract=fast", *(["-mfma"] if has else []))


@needs_gcc
@pytest.mark.parametrize("kind", NUMPY)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_thousand_rows_become_what_python_makes_of_them(
    case: Case, kind: str, tmp_path: Path
) -> None:
    graph = written(case, tmp_path)
    rows = rows_of(case, kind)
    wanted = python(case, graph, rows)
    same(run_c(case, kind, rows, tmp_path, *fused()), wanted)
    if kind == "f32":
        same(run_c(case, kind, rows[:60], tmp_path, *SANITIZED), wanted[:60])


@needs_gcc
def test_without_the_care_fused_operations_would_round_otherwise(tmp_path: Path) -> None:
    if "-mfma" not in fused():
        pytest.skip("this processor has no fused operations")
    case = replace(CASES["imagenet, a picture"], dtype="float32")
    graph = written(case, tmp_path)
    source = tmp_path / "m_interface.c"
    source.write_text(source.read_text().replace("volatile ", ""))
    rows = [row for row in rows_of(case, "f32") if np.isfinite(row).all()]
    got = run_c(case, "f32", rows, tmp_path, *fused())
    assert (got != python(case, graph, rows)).any()


@needs_gcc
def test_bytes_need_no_floating_point(tmp_path: Path) -> None:
    written(CASES["imagenet"], tmp_path)
    source = (tmp_path / "m_interface.c").read_text()
    (body,) = (part for part in source.split("\nvoid ") if part.startswith("m_prepare_u8("))
    assert "input[i] = m_prepare_of_u8[i % 3u][row[i]];" in body
    written(CASES["unit, a byte is shifted"], tmp_path)
    source = (tmp_path / "m_interface.c").read_text()
    assert "input[i] = (int8_t)(row[i] + (-128));" in source
    assert "_of_u8" not in source


@needs_arm
@pytest.mark.parametrize("name", ["imagenet, a picture", "a mean each"])
def test_a_cortex_m4_with_fused_operations_has_the_same_bits(name: str, tmp_path: Path) -> None:
    from firmware import emulate

    case = CASES[name]
    graph = written(case, tmp_path)
    rows = rows_of(case, "f32")[:60]
    wanted = python(case, graph, rows)
    picture = bool(parse(case.preprocess).resize)
    calls = "\n".join(
        f"    {{ static const uint32_t bits[] = {{{bits(row)}}};\n"
        f"      static const int8_t wanted[] = {{{','.join(map(str, want.ravel()))}}};\n"
        f"      static int8_t input[sizeof wanted]; uint32_t i;\n"
        f"      m_prepare{'_picture' if picture else ''}_f32((const float *)(const void *)bits, "
        f"{f'{row.shape[0]}, {row.shape[1]}, ' if picture else ''}input);\n"
        "      for (i = 0; i < sizeof wanted; ++i) wrong += input[i] != wanted[i]; }"
        for row, want in zip(rows, wanted, strict=True)
    )
    (tmp_path / "main.c").write_text(
        '#include "m_interface.h"\nint main(void) {\n    int wrong = 0;\n'
        f"{calls}\n    return wrong != 0;\n}}\n"
    )
    sources = [tmp_path / "main.c", tmp_path / "m_interface.c"]
    flags = ("-O3", "-ffp-contract=fast")
    assert emulate(sources, "cortex-m4", tmp_path, *flags) == 0
    found = {each.mnemonic for each in Gcc().disassemble(tmp_path / "main.elf").values()}
    assert any(".f32" in name for name in found)
    assert not any(name.startswith(("vfma", "vmla", "vfms")) for name in found)


@needs_arm
def test_a_program_of_bytes_alone_has_no_floating_point_in_software(tmp_path: Path) -> None:
    from firmware import emulate

    written(CASES["imagenet, a picture"], tmp_path)
    called = {"u8": "uint8_t row[60]", "f32": "float row[60]"}
    software = {}
    for kind, row in called.items():
        (tmp_path / "main.c").write_text(
            f'#include "m_interface.h"\nint main(void) {{\n    static {row};\n'
            f"    static int8_t input[60];\n    m_prepare_{kind}(row, input);\n    return 0;\n}}\n"
        )
        sources = [tmp_path / "main.c", tmp_path / "m_interface.c"]
        assert emulate(sources, "cortex-m4", tmp_path, "-Os") == 0
        symbols = subprocess.run(
            ["arm-none-eabi-nm", "main.elf"], cwd=tmp_path, capture_output=True, check=True
        )
        software[kind] = b"__aeabi_dmul" in symbols.stdout
    assert software == {"u8": False, "f32": True}


def bits(row: np.ndarray) -> str:
    return ",".join(f"{word}u" for word in np.ascontiguousarray(row).view(np.uint32).ravel())


@needs_gcc
def test_names_of_classes_and_real_outputs(tmp_path: Path) -> None:
    names = ('say "hi"', "größe", "模型", "a\\b??/", "100 %")
    graph = written(CASES["sound"], tmp_path, names)
    (tmp_path / "main.cc").write_text(
        '#include <cstdio>\n#include "m_interface.h"\nint main() {\n'
        '  for (const char *name : m_labels) std::printf("%s\\n", name);\n'
        '  for (int i = -128; i < 128; ++i) std::printf("%a\\n", m_real((int8_t)i));\n'
        '  std::printf("%s\\n", M_SHA256);\n}\n'
    )
    run = ["gcc", *WARNINGS, "-c", "m_interface.c", "-o", "m.o"]
    subprocess.run(run, cwd=tmp_path, check=True)
    subprocess.run(["g++", "main.cc", "m.o", "-o", "run"], cwd=tmp_path, check=True)
    lines = subprocess.run([tmp_path / "run"], capture_output=True, check=True).stdout.decode()
    said = lines.splitlines()
    assert tuple(said[:5]) == names
    wanted = dequantise(np.arange(-128, 128).astype(np.int8), graph.output_tensors()[0])
    assert [float.fromhex(line) for line in said[5:-1]] == wanted.tolist()
    assert len(said[-1]) == 64


@needs_gcc
def test_inputs_have_functions_of_their_own_and_tokens_have_none(tmp_path: Path) -> None:
    graph = CASES["sound"].graph()
    (tensor,) = graph.input_tensors()
    face = interface_of("m", b"model", graph, parse("unit"), ())
    texts = interface_files("m", face, [tensor, replace(tensor, dtype="int32"), tensor])
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert set(re.findall(r"m_prepare\w*(?=\()", texts["m_interface.h"])) == {
        f"m_prepare_{place}_{kind}" for place in (0, 2) for kind in NUMPY
    }
    run = ["gcc", *WARNINGS, "-c", "m_interface.c", "-o", "m.o"]
    subprocess.run(run, cwd=tmp_path, check=True)


def test_escapes_are_octal() -> None:
    assert escaped('ö"1') == "\\303\\266\\0421"
