"""The replay of trainings: what a study chooses is looked up, and what it found is counted."""

from __future__ import annotations

import math
import sys
from itertools import product
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from search_training_figures import AFTER, GRID, Replay, figures  # noqa: E402


def replay() -> Replay:
    """Made-up figures, the least flash among those right enough known."""
    known = {}
    for width, kernel, rate, macs in product(*GRID):
        share = 1.0 if macs == "off" else float(macs)
        right = 96 - 4 * abs(math.log(rate / 2e-3)) - 8 * (1 - share) + width / 8
        known[width, kernel, rate, macs] = {
            "flash": 1000 + 100 * width * kernel * share,
            "accuracy": right,
        }
    return Replay(known)


def test_studies_are_replayed_and_counted() -> None:
    made = replay()
    least = min(each["flash"] for each in made.known.values() if each["accuracy"] >= 90)
    for sampler in ("tpe", "random"):
        found = list(made.least(sampler, 0))
        assert len(found) == AFTER[-1]
        assert found == sorted(found, reverse=True)
        assert found[-1] >= least
        assert found == list(made.least(sampler, 0))
    table = figures(made, 1)
    assert f"finds the least, {least:,.0f} B" in table
    assert len(table.splitlines()) == 6
