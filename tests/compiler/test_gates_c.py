"""Branches that are not run where their gate is closed, on host and on an emulated Cortex-M."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from c_project import FLAGS, reference, write
from emulated import run_emulated
from residual_nets import CHANNELS, gate, net
from small_nets import as_model

from edgekit.affine import quantise
from edgekit.compiler.compiled import Compiled, compile_graph
from edgekit.compiler.cores import core_of
from edgekit.exits.choose import scores
from edgekit.exits.gates import Gates, expected
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions
from edgekit.quantizers.base import load as load_quantizer
from edgekit.runtimes.base import Row
from edgekit.structure.gates import add_gates, branches, harden

Rows = list[tuple[np.ndarray, ...]]


def rows(count: int) -> Rows:
    random = np.random.default_rng(3)
    offsets = random.normal(size=count)  # that gates see
    return [
        ((random.normal(size=(1, 6, 6, CHANNELS)) + offset).astype(np.float32),)
        for offset in offsets
    ]


@pytest.fixture(scope="module")
def built() -> bytes:
    """In int8; gates open where the mean of a channel is above its median over rows."""
    found = branches(read(net()))
    means = [_means(net(), branch.start) for branch in found]
    gates = [gate(3 - 2 * float(np.median(mean)), 2) for mean in means]
    soft, given = add_gates(net(), found, gates)
    quick = QuantizeOptions(estimator="minmax", equalise="off", bias_correct="off")
    model = as_model(harden(soft, given, 64))
    return load_quantizer("int8").quantize(model, lambda: iter(rows(24)), quick).tflite


def _means(tflite: bytes, tensor: int) -> np.ndarray:
    """Of the first channel, by row."""
    from edgekit.graph import edit

    model = edit.unpack(tflite)
    model.subgraphs[0].outputs = np.array([tensor], np.int32)
    found = scores(edit.pack(model), rows(24), "litert-reference")
    return np.array([row[0][..., 0].mean() for row in found])


@pytest.fixture(scope="module")
def cases(built: bytes) -> tuple[list[Row], list[Row]]:
    """Inputs, and what tflite-micro makes of them; both gates are open and closed in some."""
    (tensor,) = read(built).input_tensors()
    inputs = [(quantise(row[0], tensor),) for row in rows(24)]
    outputs = reference(built, inputs)
    closed = [int(t.quantization.zero_point[0]) for t in read(built).output_tensors()[1:]]  # type: ignore[union-attr]
    states = {
        tuple(int(o.item() > z) for o, z in zip(row[1:], closed, strict=True)) for row in outputs
    }
    assert {state[0] for state in states} == {state[1] for state in states} == {0, 1}
    return inputs, outputs


def compiled(built: bytes, core: str) -> Compiled:
    return compile_graph(read(built), core_of(core), "m", gates=2)


MAIN = """
#include <stdio.h>
#include "m.h"
static int8_t arena[M_ARENA_BYTES] __attribute__((aligned(M_ARENA_ALIGN)));
int main(void) {
    int8_t input[M_INPUT_BYTES], output[M_OUTPUT_0_BYTES + M_OUTPUT_1_BYTES + M_OUTPUT_2_BYTES];
    while (fread(input, 1, sizeof input, stdin) == sizeof input) {
        if (m_run_copy(input, output, arena) != M_OK)
            return 1;
        fwrite(output, 1, sizeof output, stdout);
    }
    return 0;
}
"""


def joined(outputs: Sequence[np.ndarray]) -> bytes:
    return b"".join(output.tobytes() for output in outputs)


def test_the_c_gives_what_tflite_micro_gives(
    built: bytes, cases: tuple[list[Row], list[Row]], tmp_path: Path
) -> None:
    made = compiled(built, "portable")
    assert made.text.source.count("    else\n        memset(") == 2
    write(made, tmp_path, "m")
    (tmp_path / "main.c").write_text(MAIN)
    subprocess.run(["gcc", *FLAGS, "-o", "run", "main.c", "m.c"], cwd=tmp_path, check=True)
    inputs, wanted = cases
    sent = b"".join(row[0].tobytes() for row in inputs)
    done = subprocess.run([tmp_path / "run"], input=sent, capture_output=True, check=True)
    assert done.stdout == b"".join(map(joined, wanted))


def test_an_emulated_cortex_m_skips_what_is_closed(
    built: bytes, cases: tuple[list[Row], list[Row]], tmp_path: Path
) -> None:
    inputs, wanted = cases
    by_open = sorted(range(24), key=lambda n: sum(int(out.item()) for out in wanted[n][1:]))
    few, many = by_open[0], by_open[-1]
    taken = [inputs[n][0].tobytes() for n in (few, many)]
    given = [joined(wanted[n]) for n in (few, many)]
    found = run_emulated(compiled(built, "cortex-m4"), "cortex-m4", tmp_path, taken, given)
    assert found.totals[0] < 0.8 * found.totals[1]


def test_expected_cost_counts_what_is_skipped(built: bytes) -> None:
    branch = 2 * 36 * 9 * CHANNELS**2
    on, off = np.full((1, 1, 1, 1), 6.0), np.zeros((1, 1, 1, 1))
    answer = np.zeros((1, 3))
    outputs = [(answer, on, off), (answer, off, off)]
    told = expected(Gates(("a", "b")), read(built), outputs)
    assert told["macs"] == [branch, branch]
    whole = count.macs(read(built))
    assert told["measured"]["expected_macs"] == whole - 1.5 * branch
    assert told["measured"]["open"] == [0.5, 0]
