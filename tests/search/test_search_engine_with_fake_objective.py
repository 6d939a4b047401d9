"""The engine of a search, on a cheap made-up objective: what is asked, told, kept and resumed.

The objective is fake on purpose: what trials cost and find must be known to judge the engine.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import UsageError
from edgekit.search.executor import Outcome, Recipe, Sequential
from edgekit.search.infer import hopeless
from edgekit.search.objective import OBJECTIVES, Limit
from edgekit.search.samplers import STARTUP
from edgekit.search.space import OFF, Dimension, Space
from edgekit.search.study import Setup, Study, Tried

SPACE = Space(
    (
        Dimension("remove.macs", (OFF, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)),
        Dimension("prune.sparsity", (OFF, 0.3, 0.5, 0.7, 0.9)),
        Dimension("compile.optimize", ("size", "balanced", "speed"), ordered=False),
        Dimension("quantize.scheme", ("int8",)),
    )
)
LIMITS = (Limit("drop", 2.0, "2%"), Limit("flash", 40_000.0, "40K"))


def fake(recipe: Recipe) -> Outcome:
    """Known figures of a made-up network; what breaks a limit is pruned, as stages do."""
    chosen = recipe.choices
    macs = 1.0 if chosen["remove.macs"] == OFF else chosen["remove.macs"]
    zeros = 0.0 if chosen["prune.sparsity"] == OFF else chosen["prune.sparsity"]
    factor = {"size": 1.3, "balanced": 1.1, "speed": 1.0}[chosen["compile.optimize"]]
    figures = {
        "flash": 60_000 * macs * (1 - zeros / 2) * (1.5 - factor / 2),
        "drop": 6 * (1 - macs) ** 2 + 3 * zeros**4,
        "latency": 100 * macs * factor,
    }
    broken = [each for each in LIMITS if each.violation(figures) > 0]
    if broken:
        return Outcome(recipe.number, "pruned", figures, {}, "size", broken[0].broken(figures))
    return Outcome(recipe.number, "complete", figures)


@dataclass
class Stopped:
    """Runs trials until it is stopped, as a kill would."""

    after: int
    numbers: list[int] = field(default_factory=list)

    def run(self, trials: Iterable[Recipe]) -> Iterator[Outcome]:
        for recipe in trials:
            if len(self.numbers) == self.after:
                raise KeyboardInterrupt
            self.numbers.append(recipe.number)
            yield fake(recipe)


def setup(sampler: str = "tpe", seed: int = 0, *objectives: str) -> Setup:
    names = objectives or ("drop", "latency")
    chosen = tuple(OBJECTIVES[name] for name in names)
    return Setup(SPACE, chosen, LIMITS, sampler, seed, (SPACE.mildest,))


def search(study: Study, trials: int, executor: Any = None) -> list[tuple[int, Any]]:
    found = study.run(executor or Sequential(fake), lambda choices, number: {}, trials)
    return [(each.number, dict(each.choices)) for each in found]


@pytest.mark.parametrize(
    ("sampler", "suffix"),
    [
        ("tpe", "journal"),
        ("nsga2", "journal"),
        ("random", "journal"),
        ("netadapt", "journal"),
        pytest.param("tpe", "db", marks=pytest.mark.slow),
    ],
)
def test_killed_and_resumed_it_tries_what_it_would_have_tried(
    sampler: str, suffix: str, tmp_path: Path
) -> None:
    whole = search(Study(setup(sampler)), 16)
    assert whole[0] == (0, SPACE.mildest)
    path = tmp_path / f"study.{suffix}"
    numbers: list[int] = []
    for after in (5, 4):
        stopped = Stopped(after)
        with pytest.raises(KeyboardInterrupt):
            search(Study(setup(sampler), path, resume=bool(numbers)), 16, stopped)
        numbers += stopped.numbers
    assert search(Study(setup(sampler), path, resume=True), 16) == whole
    assert len(numbers) == len(set(numbers)) == 9
    done = Study(setup(sampler), path, resume=True)
    assert search(done, 16, Stopped(0)) == whole


def test_another_seed_tries_something_else() -> None:
    assert search(Study(setup("tpe", 1)), 6) != search(Study(setup("tpe", 2)), 6)


def test_a_front_of_two_goes_on() -> None:
    """Optuna's TPE cannot weigh good trials of several objectives where a ruled out one is one."""
    made = [(point, fake(Recipe(0, {}, point)).state) for point in _points()]
    kept = [point for point, state in made if state == "complete"][:2]
    broken = [point for point, state in made if state == "pruned"][:STARTUP]
    study = Study(replace(setup(), start=(*kept, *broken), infers=False))
    assert len(search(study, STARTUP + 5)) == STARTUP + 5


def test_every_point_is_tried_once() -> None:
    found = search(Study(setup("random")), 1000)
    assert len(found) == SPACE.size == 7 * 5 * 3
    assert len({str(choices) for _, choices in found}) == SPACE.size


def test_front_holds_the_best_within_limits() -> None:
    study = Study(setup("random"))
    search(study, SPACE.size)
    points = [
        (each.outcome.figures["drop"], each.outcome.figures["latency"]) for each in study.front
    ]
    assert points
    for each in study.tried:
        drop, latency = each.outcome.figures["drop"], each.outcome.figures["latency"]
        if each.outcome.state == "complete":
            assert any(d <= drop and ms <= latency for d, ms in points)
        else:
            assert drop > 2 or each.outcome.figures["flash"] > 40_000
    assert len(set(points)) == len(points)
    assert all(d <= 2 for d, _ in points)


def test_what_others_tell_is_not_tried() -> None:
    amounts = [replace(each, amount=each.ordered) for each in SPACE.dimensions]
    latency = replace(setup("random", 0, "latency"), space=Space(tuple(amounts)))
    every = [fake(Recipe(0, {}, point)) for point in _points()]
    best = min(each.figures["latency"] for each in every if each.state == "complete")
    for seed in range(3):
        study = Study(replace(latency, seed=seed))
        found = search(study, SPACE.size)
        assert len(found) < SPACE.size
        assert min(each.outcome.figures["latency"] for each in study.front) == best
        for number, choices in found[1:]:
            before = [each for each in study.tried if each.number < number]
            assert not hopeless(latency.space, choices, before, latency.objectives, LIMITS)


def test_the_engine_takes_little_of_the_time(tmp_path: Path) -> None:
    """Of trials that take a second; real ones take many. What it takes is kept with the study."""
    path = tmp_path / "study.journal"
    study = Study(setup(), path)
    began = time.process_time()
    search(study, 24)
    assert time.process_time() - began < 0.05 * 24
    kept = [each.engine for each in Study(setup(), path, resume=True).tried]
    assert kept == [each.engine for each in study.tried]
    assert all(seconds > 0 for seconds in kept)


def test_only_the_engine_is_timed() -> None:
    def slow(recipe: Recipe) -> Outcome:
        time.sleep(0.3)
        return fake(recipe)

    def told(tried: Tried) -> None:
        time.sleep(0.1)

    study = Study(setup("random"))
    study.run(Sequential(slow), lambda choices, number: {}, 3, told=told)
    first, second, third = (each.engine for each in study.tried)
    assert first < 0.1 <= min(second, third)
    assert first + second + third < 0.9


def _points() -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = [{}]
    for each in SPACE.dimensions:
        points = [{**point, each.name: value} for point in points for value in each.values]
    return points


def test_netadapt_takes_the_step_that_loses_least() -> None:
    study = Study(setup("netadapt", 0, "latency"))
    search(study, 6)
    tried = [dict(each.choices) for each in study.tried]
    mild = SPACE.mildest
    assert tried[0] == mild
    steps = {"remove.macs": 0.9, "prune.sparsity": 0.3, "compile.optimize": "balanced"}
    assert tried[1:4] == [{**mild, name: value} for name, value in steps.items()]
    assert tried[4] == {**mild, "compile.optimize": "speed"}
    # that costs no accuracy and is faster: it is stood on next
    assert tried[5] == {**mild, "compile.optimize": "speed", "remove.macs": 0.9}


def test_a_study_of_another_search_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    search(Study(setup(), path), 2)
    with pytest.raises(UsageError, match="a study is there already"):
        Study(setup(), path)
    with pytest.raises(UsageError, match="another seed"):
        Study(setup(seed=5), path, resume=True)
    other = tmp_path / "other.journal"
    other.write_text("this is no journal\n")
    with pytest.raises(UsageError, match="no study"):
        Study(setup(), other, resume=True)


def test_no_trial_begins_after_the_timeout() -> None:
    def slow(recipe: Recipe) -> Outcome:
        time.sleep(0.05)
        return fake(recipe)

    study = Study(setup())
    study.run(Sequential(slow), lambda choices, number: {}, 100, timeout=0.12)
    assert 1 <= len(study.tried) <= 4
