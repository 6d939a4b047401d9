"""How soon each sampler finds what 60 random trials find: replays of real trials, 20 seeds.

    python scripts/search_figures.py [--seeds 20] [--samplers tpe,random] [--write]

The trials are those of `scripts/search_table.py`; nothing is built here. For each seed 60 random
trials give a goal: the lowest latency within the limits. Counted are the different builds that a
sampler tries until it has one as fast. --write puts the table into the README.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from readme_figures import write  # noqa: E402

from edgekit.search.executor import Outcome, Recipe, Sequential  # noqa: E402
from edgekit.search.objective import OBJECTIVES, Limit  # noqa: E402
from edgekit.search.space import OFF, Dimension, Space  # noqa: E402
from edgekit.search.starts import starts  # noqa: E402
from edgekit.search.study import Setup, Study, Tried  # noqa: E402

TABLE = ROOT / "scripts" / "data" / "search_trials.jsonl"
BEGIN, END = "<!-- search figures -->\n", "<!-- end of search figures -->\n"
HEAD = (
    "| model | points | within limits | limits | random, trials | sampler | trials, median (range) "
    "| reached within 25 |\n|---|---|---|---|---|---|---|---|\n"
)
RANDOM_TRIALS, FEW = 60, 25
SAMPLERS = ("tpe", "nsga2", "netadapt", "random")


@dataclass(frozen=True)
class Replay:
    """The real trials of one model, looked up in place of built.

    Attributes:
        model: Its name.
        rows: Choices and figures of each point.
        drop: Points of accuracy that may be lost.
        flash: Bytes that there are.
    """

    model: str
    rows: tuple[dict[str, Any], ...]
    drop: float
    flash: float

    @cached_property
    def space(self) -> Space:
        """What the points are made of, mild ends first."""
        names = self.rows[0]["choices"]
        values = {name: dict.fromkeys(r["choices"][name] for r in self.rows) for name in names}
        ordered = {name: OFF in found for name, found in values.items()}
        return Space(
            tuple(
                Dimension(name, tuple(found), ordered[name], amount=ordered[name])
                for name, found in values.items()
            )
        )

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """As a user would give them."""
        return Limit("drop", self.drop, "drop"), Limit("flash", self.flash, "flash")

    @cached_property
    def _known(self) -> dict[str, dict[str, float]]:
        return {_key(row["choices"]): row["figures"] for row in self.rows}

    def __call__(self, recipe: Recipe) -> Outcome:
        """The outcome that the stages would give; a point that is missing cannot be built."""
        figures = self._known.get(_key(recipe.choices))
        if figures is None:
            return Outcome(recipe.number, "pruned", {}, {}, "build", "not in the table")
        for stage, names in (("size", ("flash",)), ("fine-tuning", ("drop", "flash"))):
            broken = [each for each in self.limits if each.name in names]
            broken = [each for each in broken if each.violation(figures) > 0]
            if broken:
                known = {n: f for n, f in figures.items() if OBJECTIVES[n].stage != "device"}
                if stage == "size":
                    known = {n: f for n, f in known.items() if OBJECTIVES[n].stage == "size"}
                return Outcome(recipe.number, "pruned", known, {}, stage, broken[0].name)
        return Outcome(recipe.number, "complete", figures)

    def best(self, sampler: str, seed: int, trials: int, goal: float = 0.0) -> list[float]:
        """The lowest latency within the limits after each trial, up to the one with the goal."""
        start = () if sampler == "random" else starts(self.space, sampler, seed)
        latency = (OBJECTIVES["latency"],)
        infers = sampler != "random"
        setup = Setup(self.space, latency, self.limits, sampler, seed, start, infers=infers)
        found = [float("inf")]

        def told(tried: Tried) -> None:
            complete = tried.outcome.state == "complete"
            latency = tried.outcome.figures["latency"] if complete else found[-1]
            found.append(min(found[-1], latency))
            if found[-1] <= goal:
                raise _Reached

        with contextlib.suppress(_Reached):
            Study(setup).run(Sequential(self), lambda choices, number: {}, trials, told=told)
        return found[1:]


class _Reached(Exception):
    """The goal is; no more is to be tried."""


def replays(lines: list[str]) -> list[Replay]:
    """One for each model; limits that leave about a fifth of its points."""
    rows = [json.loads(line) for line in lines]
    found = []
    for model in dict.fromkeys(row["model"] for row in rows):
        own = tuple(row for row in rows if row["model"] == model)
        flashes = sorted(row["figures"]["flash"] for row in own)
        drops = sorted(row["figures"]["drop"] for row in own)
        found.append(Replay(model, own, _tight(drops), _tight(flashes)))
    return found


def figures(replay: Replay, samplers: list[str], seeds: int) -> str:
    """A row for each sampler."""
    goals = [replay.best("random", seed, RANDOM_TRIALS)[-1] for seed in range(seeds)]
    inside = sum(replay(Recipe(0, {}, row["choices"])).state == "complete" for row in replay.rows)
    text = ""
    for sampler in samplers:
        # other seeds than the goals': random must not meet itself
        needed = sorted(
            _needed(replay.best(sampler, 1000 + seed, RANDOM_TRIALS, goal), goal)
            for seed, goal in enumerate(goals)
        )
        few = sum(each <= FEW for each in needed)
        text += (
            f"| {replay.model} | {len(replay.rows)} | {inside} | drop {replay.drop:g} points, "
            f"flash {replay.flash / 1024:.0f}K | {RANDOM_TRIALS} | `{sampler}` | "
            f"{statistics.median(needed):g} ({needed[0]} to {_shown(needed[-1])}) | "
            f"{few} of {seeds} |\n"
        )
    return text


def _needed(lowest: list[float], goal: float) -> int:
    reached = [place for place, value in enumerate(lowest, start=1) if value <= goal]
    return reached[0] if reached else RANDOM_TRIALS + 1


def _shown(trials: int) -> str:
    return f"over {RANDOM_TRIALS}" if trials > RANDOM_TRIALS else str(trials)


def _tight(values: list[float]) -> float:
    """The value that 45 % of all keep."""
    return values[round(0.45 * (len(values) - 1))]


def _key(choices: Any) -> str:
    return json.dumps(dict(choices), sort_keys=True)


def main() -> None:
    """Replay, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--samplers", default=",".join(SAMPLERS))
    parser.add_argument("--only", default="", help="one of the models")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    if not TABLE.exists():
        sys.exit(f"{TABLE.name} is not there: scripts/search_table.py makes it")
    table, began = HEAD, time.monotonic()
    for replay in replays(TABLE.read_text(encoding="utf-8").splitlines()):
        if given.only in ("", replay.model):
            table += figures(replay, given.samplers.split(","), given.seeds)
    print(table, end="")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if given.write:
        write(table, BEGIN, END)


if __name__ == "__main__":
    main()
