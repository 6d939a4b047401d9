"""No row does two things: calibrate, train, guard, judge; whatever was given, and how often."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compressing import net
from small_nets import as_model

from edgekit.data.samples import Samples
from edgekit.errors import DataError
from edgekit.ladder import Attempt, Change, Judged
from edgekit.plan import Plan, Step
from edgekit.project import Project, from_mapping
from edgekit.rungs import MoreSamples, Training
from edgekit.sets import Sets

ROWS = np.random.default_rng(0).normal(size=(400, 6, 6, 4)).astype(np.float32)
LABELS = np.arange(400) % 8
ORDER = np.random.default_rng(1)
PRUNE, BUDGET = {"compress": [{"pass": "prune"}]}, {"budget": {"agreement": 90.0}}
MODES: dict[str, dict[str, Any]] = {
    "passes": PRUNE,
    "a budget": BUDGET,
    "passes and a budget": PRUNE | BUDGET,
    "neither": {},
}
GIVEN: dict[str, dict[str, list[np.ndarray]]] = {
    "calibration only": {"calibration": [ROWS[:300]]},
    "training only": {"training": [ROWS[:300]]},
    "both": {"calibration": [ROWS[:150]], "training": [ROWS[150:350]]},
    "calibration and evaluation": {"calibration": [ROWS[:300]], "evaluation": [ROWS[300:]]},
    "all": {
        "calibration": [ROWS[:150]],
        "training": [ROWS[150:300]],
        "evaluation": [ROWS[300:]],
    },
    "the same rows to calibrate and train on": {
        "calibration": [ROWS[:300]],
        "training": [ORDER.permutation(ROWS[:300])],
    },
    "rows twice in one file": {
        "calibration": [ORDER.permutation(np.repeat(ROWS[:150], 2, axis=0))]
    },
    "training rows twice in one file": {
        "calibration": [ROWS[:100]],
        "training": [ORDER.permutation(np.repeat(ROWS[100:250], 2, axis=0))],
    },
    "rows in two files": {"calibration": [ROWS[:150], ROWS[75:225], ROWS[:150].astype(np.float64)]},
    "rows in files of both": {
        "calibration": [ROWS[:120], ROWS[60:180]],
        "training": [ROWS[30:150], ROWS[100:300]],
    },
}


def project(folder: Path, given: dict[str, list[np.ndarray]], **tables: Any) -> Project:
    """A project whose data are `given`, in files of `folder`; labelled but for calibration."""
    specs: dict[str, list[str]] = {}
    for part, files in given.items():
        for number, rows in enumerate(files):
            name = f"{part}{number}.npz"
            np.savez(folder / name, x=rows, y=LABELS[: len(rows)])
            specs.setdefault(part, []).append(f"{name}:x" + ",y" * (part != "calibration"))
    base = {"data": {**specs, "samples": 20}, "fidelity": {"samples": 30}}
    return from_mapping(base | tables, "test")


def sets(folder: Path, given: dict[str, list[np.ndarray]], **tables: Any) -> Sets:
    return Sets(project(folder, given, **tables), folder, as_model(net()))


def hashes(*samples: Samples | None) -> set[bytes]:
    return {digest for each in samples if each is not None for digest in each.hashes()}


def climbed(found: Sets) -> list[int]:
    """How many samples calibrate in each attempt of a climb, and last in one that trains."""
    start = Attempt(Plan("t", (Step("quantize", "int8", {}),)), 20)
    judged, counts = Judged(None, None, b"", b""), [20]  # type: ignore[arg-type]
    more = MoreSamples(80, found.available).change(start, judged)
    if isinstance(more, Change):
        start = more.attempt
        counts.append(start.samples)
    step = Step("compress", "quantize_aware")
    trained = Training(step, found.trainable, 20).change(start, judged)
    return [*counts, trained.attempt.samples] if isinstance(trained, Change) else counts


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", GIVEN)
def test_no_row_does_two_things(tmp_path: Path, name: str, mode: str) -> None:
    given = GIVEN[name]
    found = sets(tmp_path, given, **MODES[mode])
    trains = mode != "neither"
    judged = hashes(found.compared, found.labelled)
    assert judged or (mode == "neither" and "calibration" not in given)
    for samples in climbed(found) if trains and found.calibration else [20]:
        if found.calibration is None:
            continue
        calibrating = hashes(found.calibrating(samples))
        assert calibrating
        assert not calibrating & judged
    if not trains or not found.trainable:
        return
    last = climbed(found)[-1] if found.trainable else 20
    parts = {
        "calibration": hashes(found.calibrating(last)),
        "training": hashes(found.split.training),
        "guard": hashes(found.split.guard),
    }
    for one, other in combinations(parts, 2):
        assert not parts[one] & parts[other], (one, other)
    assert not judged & parts["training"]
    if "evaluation" in given:
        assert not judged & parts["guard"]


@pytest.mark.parametrize("mode", ["passes", "a budget"])
def test_another_seed_gives_another_split(tmp_path: Path, mode: str) -> None:
    first, again, other = (
        sets(tmp_path, GIVEN["all"], **MODES[mode], build={"seed": seed}) for seed in (0, 0, 1)
    )
    for part in ("calibration", "training", "guard"):
        one, same, another = (getattr(found.split, part).sha256 for found in (first, again, other))
        assert one == same != another, part


@pytest.mark.parametrize("used", ["calibration", "training"])
@pytest.mark.parametrize("mode", ["passes", "a budget"])
def test_evaluation_rows_that_others_hold_are_dropped(tmp_path: Path, used: str, mode: str) -> None:
    """Also those that calibration left over: a rung may calibrate or train on them."""
    for row in GIVEN["all"][used][0][:5]:  # a fifth or less of them calibrate
        held = {**GIVEN["all"], "evaluation": [np.concatenate([ROWS[300:], row[None]])]}
        kept, problem = sets(tmp_path, held, **MODES[mode]).evaluation or (None, None)
        assert kept is not None
        assert len(kept) == 100
        assert problem is not None
        assert "are dropped: " in problem.message


@pytest.mark.parametrize("used", ["calibration", "training"])
@pytest.mark.parametrize("mode", ["passes", "a budget"])
def test_many_of_them_are_refused(tmp_path: Path, used: str, mode: str) -> None:
    given = dict(GIVEN["all"])
    given["evaluation"] = [np.concatenate([ROWS[300:], given[used][0][-10:]])]
    with pytest.raises(DataError, match="10 of 110 evaluation rows"):
        _ = sets(tmp_path, given, **MODES[mode]).evaluation


def test_a_budget_without_calibration_is_judged_on_training_rows_that_guard(
    tmp_path: Path,
) -> None:
    """As float16 needs none."""
    found = sets(tmp_path, GIVEN["training only"], **BUDGET, quantize={"scheme": "float16"})
    assert found.calibration is None
    assert found.labelled is not None
    assert hashes(found.compared) <= hashes(found.labelled) == hashes(found.split.guard)
    assert (found.available, found.trainable) == (0, 0)


def test_passes_leave_calibration_more_samples_where_there_are_more(tmp_path: Path) -> None:
    found = sets(tmp_path, GIVEN["both"], **PRUNE, **BUDGET)
    assert found.available == 150
    assert len(found.calibrating(120)) == 120
    assert sets(tmp_path, GIVEN["calibration only"], **PRUNE, **BUDGET).available == 20


def test_it_is_said_that_the_rows_judged_on_chose_the_best_epoch(tmp_path: Path) -> None:
    def said(name: str, tables: dict[str, Any]) -> bool:
        found = sets(tmp_path, GIVEN[name], **tables)
        problems = found.problems(lambda row: (np.zeros((1, 8), np.float32),))
        return any("chose its best epochs" in problem.message for problem in problems)

    assert said("both", PRUNE)
    assert not said("all", PRUNE)
    assert not said("calibration only", {})


@pytest.mark.parametrize(
    "given", ["calibration only", "training only", "both", "rows in files of both"]
)
@pytest.mark.parametrize("mode", ["passes", "neither"])
def test_rows_held_out_judge_and_do_nothing_else(given: str, mode: str, tmp_path: Path) -> None:
    files = GIVEN[given]
    made = project(tmp_path, files, **MODES[mode])
    found = Sets(made.with_table("data", held_out=0.25), tmp_path, as_model(net()))
    pool = files.get("training") or files["calibration"]
    assert found.evaluation is not None
    held, dropped = found.evaluation
    assert dropped is None
    assert found.labelled is held or held.labels is None
    rows = len(np.unique(np.concatenate(pool), axis=0))
    assert 0.15 * rows <= len(set(held.hashes())) <= 0.3 * sum(map(len, pool))
    fitted = [found.calibration[0]] if found.calibration else []
    if mode == "passes":
        fitted += [found.split.training, found.split.guard]
    for part in fitted:
        assert not set(held.hashes()) & set(part.hashes())
    again = Sets(made.with_table("data", held_out=0.25), tmp_path, as_model(net()))
    assert again.evaluation
    assert again.evaluation[0].sha256 == held.sha256


def test_rows_of_evaluation_go_before_those_held_out(tmp_path: Path) -> None:
    made = project(tmp_path, GIVEN["all"], **PRUNE).with_table("data", held_out=0.25)
    found = Sets(made, tmp_path, as_model(net()))
    assert found.evaluation
    assert len(found.evaluation[0]) == 100
