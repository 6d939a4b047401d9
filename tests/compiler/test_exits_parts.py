"""A network with exits in parts: as signatures of one file on LiteRT, and as C that stops."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from c_project import FLAGS, write
from emulated import run_emulated
from small_nets import Net, as_model

from edgekit.affine import dequantise, quantise
from edgekit.compiler.compiled import compile_graph
from edgekit.compiler.cores import core_of
from edgekit.compiler.interpret import run_program
from edgekit.exits.choose import choose, scores
from edgekit.exits.exits import Exits, Heads, margin
from edgekit.exits.stages import parts, staged
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions
from edgekit.quantizers.base import load as load_quantizer
from edgekit.structure.exit_heads import Dense, initial
from edgekit.structure.exits import add_exits, joints

PLAIN = OpResolverType.BUILTIN_REF
CLASSES = 4


def float_net() -> bytes:
    """conv, conv, conv, mean, dense, softmax on [8, 8, 3], with exits behind the first two.

    The second has a convolution, and reads the means of the first, too.
    """
    random = np.random.default_rng(0)
    made = Net(8, 8, 3)
    for inputs, outputs in ((3, 6), (6, 6), (6, 8)):
        kernel = random.normal(size=(outputs, 3, 3, inputs)) / np.sqrt(9 * inputs / 2)
        made.conv(kernel, random.normal(size=outputs) / 10)
    made.mean().dense(random.normal(size=(CLASSES, 8)), np.zeros(CLASSES))
    made.op("SOFTMAX", (1, CLASSES), ("SoftmaxOptions", {"beta": 1.0}))
    plain = [Dense(random.normal(size=(CLASSES, 24)), np.zeros(CLASSES))]
    heads = [plain, initial(random, (1, 8, 8, 6), CLASSES, convs=1, grid=2, before=24)]
    tflite = made.tflite()
    return add_exits(tflite, joints(read(tflite))[:2], heads, 2, chained=True)


def rows(count: int, seed: int = 1) -> list[tuple[np.ndarray, ...]]:
    random = np.random.default_rng(seed)
    return [(random.normal(size=(1, 8, 8, 3)).astype(np.float32),) for _ in range(count)]


@pytest.fixture(scope="module")
def built() -> bytes:
    """In int8, by the build's quantizer."""
    quick = QuantizeOptions(estimator="minmax", equalise="off", bias_correct="off")
    model = as_model(float_net())
    return staged(load_quantizer("int8").quantize(model, lambda: iter(rows(16)), quick).tflite)


@pytest.fixture(scope="module")
def exits(built: bytes) -> Exits:
    """Thresholds at which some rows stop at each exit: the right class is what the exits say."""
    outputs = scores(built, rows(40), "litert-reference")
    classes = np.array([row[1 + number % 2].argmax() for number, row in enumerate(outputs)])
    found = choose(Heads(("a", "b"), 5), built, outputs, classes)
    stops = {found.stops(row) for row in outputs}
    return found if stops == {0, 1, 2} else replace(found, least=_thirds(outputs))


def _thirds(outputs: list[tuple[np.ndarray, ...]]) -> tuple[float, ...]:
    """About a third of the rows stop at each exit."""
    first = np.quantile([margin(row[1]) for row in outputs], 0.66)
    rest = [row for row in outputs if margin(row[1]) < first]
    return float(first) + 0.001, float(np.quantile([margin(row[2]) for row in rest], 0.5)) + 0.001


def int8_rows(built: bytes, count: int) -> list[tuple[np.ndarray, ...]]:
    (tensor,) = read(built).input_tensors()
    return [(quantise(row[0], tensor),) for row in rows(count)]


def test_parts_answer_as_the_whole_network_does(built: bytes, exits: Exits, tmp_path: Path) -> None:
    path = tmp_path / "parts.tflite"
    path.write_bytes(parts(built, exits.ends))
    whole = Interpreter(model_content=built, experimental_op_resolver_type=PLAIN)
    whole.allocate_tensors()
    opened = Interpreter(model_path=str(path), experimental_op_resolver_type=PLAIN)
    runners = [opened.get_signature_runner(f"part_{n}") for n in (1, 2, 3)]
    assert path.stat().st_size < 2 * len(built)  # weights are shared
    for row in int8_rows(built, 8):
        whole.set_tensor(whole.get_input_details()[0]["index"], row[0])
        whole.invoke()
        last, *early = (whole.get_tensor(each["index"]) for each in whole.get_output_details())
        given = {next(iter(runners[0].get_input_details())): row[0]}
        for runner, wanted in zip(runners, [*early, last], strict=True):
            wants = runner.get_input_details()
            given = runner(**{name: given[name] for name in wants})
            assert np.array_equal(given["scores"], wanted)


def answers(built: bytes, exits: Exits, count: int) -> list[tuple[int, bytes]]:
    """Which output answers and its bytes, by the host twins."""
    graph = read(built)
    program = compile_graph(graph, core_of("portable"), "m").program
    found = []
    for row in int8_rows(built, count):
        outputs = run_program(program, row)
        tensors = graph.output_tensors()
        real = tuple(dequantise(o.ravel(), t) for o, t in zip(outputs, tensors, strict=True))
        stop = exits.stops(real)
        found.append((stop, outputs[stop].tobytes()))
    assert {stop for stop, _ in found} == {0, 1, 2}
    return found


MAIN = """
#include <stdio.h>
#include <string.h>
#include "m.h"
static int8_t arena[M_ARENA_BYTES] __attribute__((aligned(M_ARENA_ALIGN)));
int main(void) {
    static const uint32_t at[] = {M_OUTPUT_0_OFFSET, M_OUTPUT_1_OFFSET, M_OUTPUT_2_OFFSET};
    int8_t input[M_INPUT_BYTES];
    uint32_t answer;
    if (m_run_exits(0, &answer) != M_ERROR_NULL || m_run_exits(arena, 0) != M_ERROR_NULL)
        return 1;
    while (fread(input, 1, sizeof input, stdin) == sizeof input) {
        memcpy(arena + M_INPUT_OFFSET, input, sizeof input);
        if (m_run_exits(arena, &answer) != M_OK)
            return 2;
        putchar((int)answer);
        fwrite(arena + at[answer], 1, M_OUTPUT_BYTES, stdout);
    }
    return 0;
}
"""


def test_the_c_stops_where_it_is_sure(built: bytes, exits: Exits, tmp_path: Path) -> None:
    made = compile_graph(read(built), core_of("portable"), "m", exits.least)
    write(made, tmp_path, "m")
    (tmp_path / "main.c").write_text(MAIN)
    command = ["gcc", *FLAGS, "-o", "run", "main.c", "m.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    sent = b"".join(row[0].tobytes() for row in int8_rows(built, 24))
    done = subprocess.run([tmp_path / "run"], input=sent, capture_output=True, check=True)
    wanted = answers(built, exits, 24)
    assert done.stdout == b"".join(bytes([stop]) + scores for stop, scores in wanted)


def test_an_emulated_cortex_m_stops_and_saves(built: bytes, exits: Exits, tmp_path: Path) -> None:
    """`m_run` of the measured program is `m_run_exits`, its answer copied to output 0."""
    wanted = answers(built, exits, 24)
    chosen = [next(i for i, (stop, _) in enumerate(wanted) if stop == n) for n in (1, 2, 0)]
    inputs = int8_rows(built, 24)
    made = compile_graph(read(built), core_of("cortex-m4"), "m", exits.least)
    source = made.text.source.replace("m_status m_run(void", "m_status m_run_whole(void")
    header = made.text.header.replace("M_OUTPUT_COUNT 3", "M_OUTPUT_COUNT 1")
    text = replace(made.text, source=source + STOPPING, header=header)
    golden = [(inputs[i][0].tobytes(), wanted[i][1]) for i in chosen]
    found = run_emulated(
        replace(made, text=text), "cortex-m4", tmp_path, *zip(*golden, strict=True)
    )
    assert found.totals[0] < found.totals[1] < found.totals[2]


STOPPING = """
m_status m_run_whole(void *arena);
m_status m_run(void *arena) {
    static const uint32_t at[] = {M_OUTPUT_0_OFFSET, M_OUTPUT_1_OFFSET, M_OUTPUT_2_OFFSET};
    uint32_t answer;
    m_status status = m_run_exits(arena, &answer);
    memmove((int8_t *)arena + at[0], (int8_t *)arena + at[answer], M_OUTPUT_BYTES);
    return status;
}
"""
