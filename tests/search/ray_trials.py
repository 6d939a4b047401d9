"""Trials that cost nothing, for machines of a real cluster: what they did is in files."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from edgekit.artifact import Build
from edgekit.errors import UsageError
from edgekit.search.bench_on_ray import BenchOnRay
from edgekit.search.executor import Outcome, Recipe


@dataclass(frozen=True)
class Cheap:
    """Sleeps, and notes in `folder` which trials began and ended, in which process and node."""

    folder: Path
    seconds: float = 0.0
    dies: tuple[int, ...] = ()
    fails: tuple[int, ...] = ()
    refuses: tuple[int, ...] = ()

    def __call__(self, recipe: Recipe) -> Outcome:
        self._note("began", recipe.number)
        if recipe.number in self.dies:
            os._exit(1)
        if recipe.number in self.fails:
            raise ZeroDivisionError("a fault")
        if recipe.number in self.refuses:
            raise UsageError("no such model", "give another")
        time.sleep(self.seconds)
        self._note("ended", recipe.number)
        cost = float(recipe.choices.get("x", 0))
        return Outcome(recipe.number, "complete", {"bytes": cost}, {"bytes": "measured"})

    def _note(self, what: str, number: int) -> None:
        import ray

        node = ray.get_runtime_context().get_node_id()
        with open(self.folder / what, "a") as file:
            file.write(f"{number} {os.getpid()} {node}\n")


@dataclass(frozen=True)
class Benches:
    """Benches a build where the device is."""

    build: Path
    measure: BenchOnRay | None = None

    def __call__(self, recipe: Recipe) -> Outcome:
        assert self.measure is not None
        report = self.measure(
            Build.load(self.build),
            "fake",
            options={"real_time": True, "latency_ms": 10},
            windows=2,
            seconds=0.3,
        )
        assert report.latency is not None
        return Outcome(recipe.number, "complete", {"latency": report.latency.median_ms})


def numbers(file: Path) -> list[int]:
    """Of the trials that are noted in a file, in order."""
    return [int(line.split()[0]) for line in file.read_text().splitlines()]
