"""Some hundred random graphs, of other numbers than those of `scripts/compiler_fuzz.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from c_project import CORES, check, compiled, interpret, random_rows, reference, same
from random_graphs import KINDS, random_graph

FIRST = 1_000_000 - 1_000_000 % len(KINDS)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_host_twins_are_tflite_micros(kind: int, core: str) -> None:
    place = CORES.index(core)
    for seed in range(FIRST + kind + place * 1000 * len(KINDS), FIRST * 2, len(KINDS))[:10]:
        model = random_graph(seed)
        program = compiled(model, core).program
        rows = random_rows(model, 2, seed)
        for row, wanted in zip(rows, reference(model, rows), strict=True):
            for one, two in zip(interpret(program, row), wanted, strict=True):
                same(one, two, f"{KINDS[kind].__name__}, seed {seed}")


@pytest.mark.parametrize("core", CORES)
def test_c_is_tflite_micros(core: str, tmp_path: Path) -> None:
    first = FIRST + 500 * len(KINDS) * (1 + CORES.index(core))
    check([random_graph(first + place) for place in range(2 * len(KINDS))], core, tmp_path, 2)
