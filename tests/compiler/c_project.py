"""Models as C on this host: built under sanitizers, run in an arena of exactly the planned size."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tflite_micro import runtime

from edgekit.compiler.compiled import Compiled, compile_graph
from edgekit.compiler.cores import core_of
from edgekit.compiler.program import Program
from edgekit.graph.read import read
from edgekit.runtimes.base import Row

CORES = ("portable", "cortex-m4", "cortex-m55")
FLAGS = (
    "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wmissing-prototypes", "-Wshadow",
    "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
)  # fmt: skip
_MAIN = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
%s
static void *sized(size_t bytes) {
    void *memory = 0;
    if (posix_memalign(&memory, 16, bytes ? bytes : 1))
        exit(3);
    return memory;
}
static void run(int (*model)(const void *, void *, void *), size_t in, size_t out, size_t arena,
                int rows) {
    while (rows-- > 0) {
        void *input = sized(in), *output = sized(out), *memory = sized(arena);
        memset(memory, 0xa5, arena);
        if (fread(input, 1, in, stdin) != in || model(input, output, memory))
            exit(4);
        fwrite(output, 1, out, stdout);
        free(input);
        free(output);
        free(memory);
    }
}
int main(void) {
%s
    return 0;
}
"""


def compiled(model: bytes, core: str = "portable", prefix: str = "m") -> Compiled:
    return compile_graph(read(model, "made.tflite"), core_of(core), prefix)


def write(made: Compiled, folder: Path, prefix: str) -> None:
    """The four files of a model."""
    text = made.text
    (folder / f"{prefix}.h").write_text(text.header)
    (folder / f"{prefix}.c").write_text(text.source)
    (folder / f"{prefix}_weights.h").write_text(text.weights)
    (folder / f"{prefix}_kernels.h").write_text(text.kernels)


def interpret(program: Program, row: Row) -> Row:
    """One inference with the host twins."""
    known: dict[int, np.ndarray] = dict(zip(program.inputs, row, strict=True))
    for layer in program.layers:
        known[layer.output] = layer.operation.run(*(known[value] for value in layer.inputs))
    return tuple(known[value] for value in program.outputs)


def reference(model: bytes, rows: Sequence[Row]) -> list[Row]:
    """The same rows in the tflite-micro wheel, in this process: it is what takes least time."""
    micro = runtime.Interpreter.from_bytes(model, arena_size=1 << 22)
    outputs = []
    for row in rows:
        micro.reset()
        for place, array in enumerate(row):
            micro.set_input(array, place)
        micro.invoke()
        outputs.append(tuple(micro.get_output(place) for place in range(_count(model))))
    return outputs


def _count(model: bytes) -> int:
    return len(read(model, "made.tflite").outputs)


def random_rows(model: bytes, count: int = 4, seed: int = 0) -> list[Row]:
    """Inputs of a model; in the first three rows all least, all greatest, and alternating."""
    rng = np.random.default_rng(seed)
    graph = read(model, "made.tflite")
    shapes = [(graph.tensors[index].shape, graph.tensors[index].dtype) for index in graph.inputs]
    extreme = [tuple(_extreme(shape, dtype, kind) for shape, dtype in shapes) for kind in range(3)]
    return extreme + [tuple(_random(rng, *each) for each in shapes) for _ in range(count)]


def _extreme(shape: tuple[int, ...], dtype: str, kind: int) -> np.ndarray:
    low, high = (-1e3, 1e3) if dtype == "float32" else _range(dtype)
    pattern = ((low, low), (high, high), (low, high))[kind]
    return np.resize(np.array(pattern), shape).astype(dtype)


def _random(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    if dtype == "float32":
        return rng.normal(0, 3, shape).astype(dtype)
    low, high = _range(dtype)
    return rng.integers(low, high + 1, shape).astype(dtype)


def _range(dtype: str) -> tuple[int, int]:
    info: Any = np.iinfo(dtype)
    return int(info.min), int(info.max)


def run_c(
    models: Sequence[bytes], rows: Sequence[Sequence[Row]], core: str, folder: Path
) -> list[list[Row]]:
    """Outputs of each model on its rows, by one program of all of them."""
    made = [compiled(model, core, f"m{place}") for place, model in enumerate(models)]
    for place, each in enumerate(made):
        write(each, folder, f"m{place}")
    main = _MAIN % (
        "\n".join(f'#include "m{place}.h"' for place in range(len(made))),
        "\n".join(_call(place, each, len(rows[place])) for place, each in enumerate(made)),
    )
    (folder / "main.c").write_text(main)
    _build(folder, len(made))
    sent = b"".join(_bytes(row) for each in rows for row in each)
    done = subprocess.run([folder / "run"], input=sent, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return _outputs(made, rows, done.stdout)


def _call(place: int, made: Compiled, rows: int) -> str:
    sides = [
        sum(made.program.values[value].nbytes for value in side)
        for side in (made.program.inputs, made.program.outputs)
    ]
    model = f"(int (*)(const void *, void *, void *))m{place}_run_copy"
    return f"    run({model}, {sides[0]}, {sides[1]}, M{place}_ARENA_BYTES, {rows});"


def _build(folder: Path, count: int) -> None:
    jobs = [
        subprocess.Popen(["gcc", *FLAGS, "-c", f"m{place}.c"], cwd=folder, stderr=subprocess.PIPE)
        for place in range(count)
    ]
    errors = b"".join(job.communicate()[1] for job in jobs).decode()
    assert not errors, errors[:3000]
    objects = [f"m{place}.o" for place in range(count)]
    link = ["gcc", "-std=gnu99", "-fsanitize=address,undefined", "-o", "run", "main.c", *objects]
    subprocess.run(link, cwd=folder, check=True)


def _bytes(row: Row) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in row)


def _outputs(
    made: Sequence[Compiled], rows: Sequence[Sequence[Row]], raw: bytes
) -> list[list[Row]]:
    def taken() -> Iterator[list[Row]]:
        at = 0
        for each, of in zip(made, rows, strict=True):
            done = []
            for _ in of:
                values = []
                for number in each.program.outputs:
                    value = each.program.values[number]
                    array = np.frombuffer(raw, value.dtype, int(np.prod(value.shape)), at)
                    values.append(array.reshape(value.shape))
                    at += value.nbytes
                done.append(tuple(values))
            yield done

    return list(taken())


def check(models: Sequence[bytes], core: str, folder: Path, count: int = 3) -> None:
    """Host twin, C and tflite-micro give the same bytes for each model."""
    rows = [random_rows(model, count, seed) for seed, model in enumerate(models)]
    outputs = run_c(models, rows, core, folder)
    for place, (model, of, got) in enumerate(zip(models, rows, outputs, strict=True)):
        wanted = reference(model, of)
        program = compiled(model, core).program
        for row, want, device in zip(of, wanted, got, strict=True):
            host = interpret(program, row)
            for one, two, three in zip(want, host, device, strict=True):
                same(two, one, f"model {place}, host twin")
                same(three, one, f"model {place}, C for {core}")


def same(got: np.ndarray, wanted: np.ndarray, what: str) -> None:
    """Fail unless the values are the same, bit for bit."""
    got, wanted = np.ascontiguousarray(got).ravel(), np.ascontiguousarray(wanted).ravel()
    assert got.dtype == wanted.dtype, f"{what}: {got.dtype} instead of {wanted.dtype}"
    view = f"u{got.dtype.itemsize}"
    np.testing.assert_array_equal(got.view(view), wanted.view(view), err_msg=what)
