"""What a build depends on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from digits_example import DATA

from edgekit._plan_compress import pass_files, with_relative_files
from edgekit.identity import input_key, project_json, versions
from edgekit.plan import make_plan
from edgekit.progress import Progress
from edgekit.project import Project, from_mapping
from edgekit.target.profile import load_profile
from edgekit.work import Work


def digits() -> Project:
    return from_mapping(
        {
            "model": {"path": "digits.keras"},
            "data": {"calibration": ["digits_calibration.npz"]},
            "build": {"targets": ["rpi4"], "output": "elsewhere"},
        },
        "test",
    )


def key(project: Project, root: Path = DATA) -> str:
    work, profile = Work(project, root, Progress()), load_profile("rpi4")
    return input_key(work, profile, make_plan(project, profile, "keras"), ())


CHANGES = {
    "a pass": lambda project: project.with_compress("prune"),
    "an option of fine-tuning": lambda project: project.with_table("fine_tune", epochs=3),
    "a budget": lambda project: project.with_table("budget", agreement=90),
    "strictness": lambda project: project.with_table("budget", strict=True),
    "the ladder": lambda project: project.with_table("budget", ladder=False),
    "sparse encoding": lambda project: project.with_table("quantize", sparse="auto"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_key_covers(change: object) -> None:
    assert callable(change)
    assert key(change(digits())) != key(digits())


def test_the_key_covers_what_a_student_is(tmp_path: Path) -> None:
    for name in ("digits.keras", "digits_calibration.npz"):
        (tmp_path / name).symlink_to(DATA / name)
    project = digits().with_compress("distill:student=small.keras:teachers=large.h5")
    assert pass_files(project) == ("small.keras", "large.h5")
    for name in pass_files(project):
        (tmp_path / name).write_bytes(b"one")
    first = key(project, tmp_path)
    (tmp_path / "large.h5").write_bytes(b"another")
    assert key(project, tmp_path) != first


def test_a_student_is_stored_by_its_relative_path(tmp_path: Path) -> None:
    project = digits().with_compress(f'distill:student="{tmp_path}/nets/a.keras":epochs=2,qat')
    moved = with_relative_files(project, tmp_path)
    assert moved.compress[0].options["student"] == "nets/a.keras"
    assert moved.compress[0].options["fine_tune"] == {"epochs": 2}
    assert moved.compress[1] == project.compress[1]


def test_equal_projects_have_equal_keys() -> None:
    one = digits().with_compress("prune:0.6:epochs=5,qat")
    tables = [{"pass": "prune", "sparsity": 0.6, "fine_tune": {"epochs": 5}}, {"pass": "qat"}]
    assert key(one) == key(from_mapping({"compress": tables}, "toml", base=digits()))


def test_the_stored_project_is_read_back_with_its_passes() -> None:
    project = digits().with_compress("prune:0.6:block=1x4,qat").with_table("budget", sqnr=9)
    work = Work(project, DATA, Progress())
    stored = project_json(work, load_profile("rpi4"))
    again = from_mapping(json.loads(json.dumps(stored)), "manifest.json")
    assert again.compress == project.compress
    assert again.budget == project.budget
    assert again.build.output == ""


def test_what_trains_has_a_say_in_the_result() -> None:
    assert "tensorflow-model-optimization" in versions()
