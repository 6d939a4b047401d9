"""Finished passes on disk: found again, for the same work alone, and never in the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgekit.checkpoints import Checkpoints
from edgekit.passes.base import Candidate, Entry
from edgekit.passes.promises import Promise
from edgekit.plan import Step
from edgekit.problem import Problem

PRUNE, CLUSTER = (
    Step("compress", name, {"fine_tune": {"epochs": 1}}) for name in ("prune", "cluster")
)
DONE = Candidate(
    b"a flatbuffer",
    frozenset({"sparse"}),
    {3: (-1.0, 2.5)},
    {1: np.array([0.5, 0.25], np.float32)},
    (Promise("y0", 1, "block", 0.5, block=(1, 4)),),
    (Problem("note", "prune", "a note", "a hint"),),
    (Entry("prune", {"sparsity": 0.5}, {"epochs": 1}, {"y0": {"sparsity": 0.5}}),),
    {4: np.array([0, 2, 5])},
    {7: 3},
)


def test_a_later_build_finds_all_of_a_pass(tmp_path: Path) -> None:
    Checkpoints(tmp_path / "passes", "key", resume=False).save([PRUNE], DONE)
    found = Checkpoints(tmp_path / "passes", "key", resume=True).load([PRUNE])
    assert found is not None
    assert found.weight_scales[1].tolist() == [0.5, 0.25]
    assert found.kept[4].tolist() == [0, 2, 5]
    assert found.mates == {7: 3}
    assert (found.tflite, found.traits, found.ranges) == (DONE.tflite, DONE.traits, DONE.ranges)
    assert (found.promises, found.problems, found.log) == (DONE.promises, DONE.problems, DONE.log)


@pytest.mark.parametrize(
    ("key", "resume", "steps"),
    [
        ("key", False, [PRUNE]),
        ("other data", True, [PRUNE]),
        ("key", True, [CLUSTER]),
        ("key", True, [PRUNE, CLUSTER]),
        ("key", True, [Step("compress", "prune", {"fine_tune": {"epochs": 2}})]),
    ],
    ids=["not resumed", "other data", "another pass", "a pass more", "another option"],
)
def test_nothing_else_is_taken_for_it(
    key: str, resume: bool, steps: list[Step], tmp_path: Path
) -> None:
    Checkpoints(tmp_path, "key", resume=False).save([PRUNE], DONE)
    assert Checkpoints(tmp_path, key, resume).load(steps) is None


@pytest.mark.parametrize("suffix", [".tflite", ".json"])
def test_a_damaged_one_is_made_again(suffix: str, tmp_path: Path) -> None:
    Checkpoints(tmp_path, "key", resume=False).save([PRUNE], DONE)
    (damaged,) = tmp_path.glob(f"*{suffix}")
    damaged.write_bytes(b"{}")
    assert Checkpoints(tmp_path, "key", resume=True).load([PRUNE]) is None


def test_a_place_that_cannot_be_written_stops_no_build(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    checkpoints = Checkpoints(tmp_path / "file" / "passes", "key", resume=False)
    checkpoints.save([PRUNE], DONE)
    assert checkpoints.load([PRUNE]) is DONE
    checkpoints.remove()
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_another_build_removed_is_made_again(tmp_path: Path) -> None:
    mine = Checkpoints(tmp_path / "passes", "key", resume=False)
    mine.save([PRUNE], DONE)
    Checkpoints(tmp_path / "passes", "another", resume=False).remove()
    mine.save([PRUNE, CLUSTER], DONE)
    assert Checkpoints(tmp_path / "passes", "key", resume=True).load([PRUNE, CLUSTER]) is not None
    assert sorted(path.suffix for path in (tmp_path / "passes").iterdir()) == [".json", ".tflite"]


DAMAGE = {
    "flatbuffer cut short": (".tflite", lambda path: path.write_bytes(path.read_bytes()[:-4])),
    "flatbuffer changed": (".tflite", lambda path: path.write_bytes(b"b flatbuffer")),
    "JSON cut short": (".json", lambda path: path.write_text(path.read_text()[:-9])),
    "no text": (".json", lambda path: path.write_bytes(b"\xff\xfe")),
    "a list": (".json", lambda path: path.write_text("[]")),
    "null": (".json", lambda path: path.write_text("null")),
    "a number changed": (
        ".json",
        lambda path: path.write_text(path.read_text().replace("2.5", "3")),
    ),
    "a key gone": (".json", lambda path: path.write_text(path.read_text().replace('"log"', '"l"'))),
}


@pytest.mark.parametrize(("suffix", "damage"), DAMAGE.values(), ids=DAMAGE.keys())
def test_what_is_damaged_in_any_way_is_trained_again(
    tmp_path: Path, suffix: str, damage: Callable[[Path], object]
) -> None:
    Checkpoints(tmp_path, "key", resume=False).save([PRUNE], DONE)
    (path,) = tmp_path.glob(f"*{suffix}")
    damage(path)
    assert Checkpoints(tmp_path, "key", resume=True).load([PRUNE]) is None
    Checkpoints(tmp_path, "key", resume=False).save([PRUNE], DONE)
    assert Checkpoints(tmp_path, "key", resume=True).load([PRUNE]) is not None
