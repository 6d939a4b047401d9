"""Training and compression in one study: how soon the default sampler beats random search.

    python scripts/search_training_figures.py [--make] [--seeds 20] [--write]

--make trains and builds the grid of `scripts/search_training.py` once (minutes; it goes on where it
was stopped). Without it nothing is built: studies are replayed from that table, in which a learning
rate stands for those nearest to it. --write puts the figures into docs/search.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from readme_figures import write  # noqa: E402
from search_training import (  # noqa: E402
    DATA,
    LEAST,
    MACS,
    RATES,
    ROWS,
    SEED,
    choose,
    gratings,
    project,
    trained,
)

from edgekit.search.executor import Outcome, Recipe, Sequential  # noqa: E402
from edgekit.search.objective import OBJECTIVES, Limit  # noqa: E402
from edgekit.search.space import recipe, space_of  # noqa: E402
from edgekit.search.study import Setup, Study  # noqa: E402

TABLE = ROOT / "scripts" / "data" / "search_training.jsonl"
BEGIN, END = "<!-- training figures -->\n", "<!-- end of training figures -->\n"
AFTER = 10, 20, 40
NAMES = "width", "kernel", "rate", "macs"
GRID = (
    (4, 8, 12, 16),
    (3, 5),
    tuple(float(f"{rate:.1e}") for rate in np.geomspace(*RATES, 5)),
    MACS,
)


def make() -> None:
    """Add what is missing of the grid to the table."""
    from edgekit.search.evaluate import Evaluate

    lines = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    done = {_key(json.loads(line)) for line in lines}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        x, y = gratings(ROWS, SEED)
        np.savez(DATA, x=x, y=y)
        evaluate = Evaluate(Path.cwd(), ("flash", "accuracy"))
        for number, point in enumerate(product(*GRID)):
            if point in done:
                continue
            width, kernel, rate, macs = point
            path = f"{width}-{kernel}-{rate}.keras"
            if not Path(path).exists():
                trained(width, kernel, rate, SEED, path)
            base = project("random", SEED, 1).with_table("model", path=path)
            made = recipe(base, {"remove.macs": macs}).with_table("build", output="built")
            figures = evaluate(Recipe(number + 1, made.to_json())).figures
            row = dict(zip(NAMES, point, strict=True))
            row |= {key: figures.get(key, math.nan) for key in ("flash", "accuracy")}
            with TABLE.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


@dataclass(frozen=True)
class Replay:
    """Trials looked up in the table.

    Attributes:
        known: Figures by width, kernel, rate and multiply-accumulates that stay.
    """

    known: dict[tuple[Any, ...], dict[str, float]]

    def __call__(self, recipe: Recipe) -> Outcome:
        """As the search would judge it; accuracy is its limit."""
        assert recipe.trial is not None
        width, kernel, rate = choose(recipe.trial)
        near = min(GRID[2], key=lambda each: abs(math.log(each / rate)))
        figures = self.known[width, kernel, near, recipe.choices["remove.macs"]]
        within = figures["accuracy"] >= LEAST
        return Outcome(recipe.number, "complete" if within else "pruned", figures)

    def least(self, sampler: str, seed: int) -> Iterator[float]:
        """The least flash within the limit after each trial, in bytes."""
        space = space_of(project(sampler, seed, 1))
        limits = (Limit("accuracy", LEAST, f"{LEAST:g}%"),)
        start = (space.mildest,)
        flash = (OBJECTIVES["flash"],)
        study = Study(Setup(space, flash, limits, sampler, seed, start, own=True, infers=False))
        study.run(Sequential(self), lambda choices, number: {}, AFTER[-1])
        least = math.inf
        for each in study.tried:
            if each.outcome.state == "complete":
                least = min(least, each.outcome.figures["flash"])
            yield least


def figures(replay: Replay, seeds: int) -> str:
    """A row for each sampler."""
    within = [each["flash"] for each in replay.known.values() if each["accuracy"] >= LEAST]
    head = " | ".join(f"after {count}" for count in AFTER)
    table = f"| sampler | {head} | finds the least, {min(within):,.0f} B, after |\n"
    table += "|---" * (len(AFTER) + 2) + "|\n"
    for sampler in ("tpe", "random"):
        runs = [list(replay.least(sampler, seed)) for seed in range(seeds)]
        cells = [f"{statistics.median(run[count - 1] for run in runs):,.0f}" for count in AFTER]
        needed = [sum(each > min(within) for each in run) + 1 for run in runs]
        median = statistics.median(needed)
        cells.append(f"over {AFTER[-1]}" if median > AFTER[-1] else f"{median:g}")
        table += f"| `{sampler}` | {' | '.join(cells)} |\n"
    inside = f"{len(within)} of {len(replay.known)} points are {LEAST:g} % right or more"
    return f"Least flash in bytes, median of {seeds} seeds; {inside}:\n\n{table}"


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in NAMES)


def main() -> None:
    """Make the table, or replay it and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--make", action="store_true", help="train and build what is not there")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/search.md")
    given = parser.parse_args()
    if given.make:
        make()
    if not TABLE.exists():
        sys.exit(f"{TABLE.name} is not there: --make makes it")
    rows = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    replay = Replay({_key(row): row for row in rows})
    table = figures(replay, given.seeds)
    print(table, end="")
    if given.write:
        write(table, BEGIN, END, ROOT / "docs" / "search.md")


if __name__ == "__main__":
    main()
