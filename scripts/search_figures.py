"""How soon each sampler finds what 60 random trials find: replays of real trials, 20 seeds.

    python scripts/search_figures.py [--seeds 20] [--samplers tpe,random] [--write]
    python scripts/search_figures.py --made-up 30

The trials are those of `scripts/search_table.py`; nothing is built here. For each seed 60 random
trials give a goal: the lowest latency within the limits. Counted are the different builds that a
sampler tries until it has one as fast. --write puts the table into the README. --made-up replays
as many networks of `scripts/search_made_up.py`, one seed each, and prints what it needed of them.
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
from search_made_up import Network  # noqa: E402

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
SHARES, LEAST = (0.45, 0.55, 0.65, 0.75, 0.85), 0.04
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

    @classmethod
    def tight(cls, model: str, rows: list[dict[str, Any]]) -> Replay:
        """With limits that few points keep: each alone 45 % of them, or more if it takes more."""
        for share in SHARES:
            drop, flash = (
                sorted(row["figures"][key] for row in rows)[round(share * (len(rows) - 1))]
                for key in ("drop", "flash")
            )
            found = cls(model, tuple(rows), drop, flash)
            if sum(map(found.keeps, rows)) >= LEAST * len(rows):
                break
        return found

    def keeps(self, row: dict[str, Any]) -> bool:
        """Whether a point is within the limits."""
        return all(each.violation(row["figures"]) <= 0 for each in self.limits)

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
    """One for each model."""
    rows = [json.loads(line) for line in lines]
    found = []
    for model in dict.fromkeys(row["model"] for row in rows):
        found.append(Replay.tight(model, [row for row in rows if row["model"] == model]))
    return found


def figures(replay: Replay, samplers: list[str], seeds: int) -> str:
    """A row for each sampler."""
    inside = sum(map(replay.keeps, replay.rows))
    begins = (
        f"| {replay.model} | {len(replay.rows)} | {inside} | drop {replay.drop:.4g} points, "
        f"flash {replay.flash / 1024:.0f}K | {RANDOM_TRIALS} | "
    )
    goals = [_goal(replay, seed) for seed in range(seeds)]
    text = ""
    for sampler in samplers:
        needed = [_needed(replay, sampler, seed, goal) for seed, goal in enumerate(goals)]
        text += f"{begins}`{sampler}` | {_summary(needed)} |\n"
    return text


def made_up(samplers: list[str], count: int) -> str:
    """A line for each sampler: over networks in place of seeds."""
    networks = [Replay.tight(f"network {seed}", Network(seed).rows("")) for seed in range(count)]
    goals = [(replay, seed, _goal(replay, seed)) for seed, replay in enumerate(networks)]
    found = [each for each in goals if each[-1] < float("inf")]
    text = ""
    for sampler in samplers:
        needed = [_needed(replay, sampler, seed, goal) for replay, seed, goal in found]
        text += f"| made up | `{sampler}` | {_summary(needed)} |\n"
    return text


def _goal(replay: Replay, seed: int) -> float:
    return replay.best("random", seed, RANDOM_TRIALS)[-1]


def _needed(replay: Replay, sampler: str, seed: int, goal: float) -> int:
    # another seed than the goal's: random must not meet itself
    lowest = replay.best(sampler, 1000 + seed, RANDOM_TRIALS, goal)
    return len(lowest) if lowest[-1] <= goal else RANDOM_TRIALS + 1


def _summary(needed: list[int]) -> str:
    few, most = sum(each <= FEW for each in needed), max(needed)
    shown = f"over {RANDOM_TRIALS}" if most > RANDOM_TRIALS else str(most)
    median = statistics.median(needed)
    return f"{median:g} ({min(needed)} to {shown}) | {few} of {len(needed)}"


def _key(choices: Any) -> str:
    return json.dumps(dict(choices), sort_keys=True)


def main() -> None:
    """Replay, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--samplers", default=",".join(SAMPLERS))
    parser.add_argument("--only", default="", help="one of the models")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    parser.add_argument("--made-up", type=int, default=0, help="networks that do not exist")
    given = parser.parse_args()
    if given.made_up:
        print(made_up(given.samplers.split(","), given.made_up), end="")
        return
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
