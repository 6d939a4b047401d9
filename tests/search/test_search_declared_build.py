"""Whatever passes and networks declare for a search is built, and built again from its recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import residual_nets
from digits_example import contents

from edgekit.cli import main
from edgekit.passes.base import load, names, searched
from edgekit.project import from_mapping
from edgekit.search.api import search_one

DECLARED = [name for name in names() if searched(load(name).Options)]
STUDENT = {"distill": {"student": ["zoo:cnn4/layers=1", "off"]}, "zoo": {"channels": [4, 6]}}


STRONGEST = {"depthwise_separable": 0.4}
"""Where the small network cannot be made as small as a pass declares: 0.36 of it stay."""


def ends(name: str) -> dict[str, Any]:
    """Both ends of the amount, and the last value of all else that the pass declares."""
    (amount, values), *others = searched(load(name).Options).items()
    strongest = STRONGEST.get(name, values[-1])
    return {name: {amount: [values[0], strongest], **{key: [v[-1]] for key, v in others}}}


def searched_in(folder: Path, passes: list[str], space: dict[str, Any]) -> list[dict[str, Any]]:
    """Two trials of a small residual network."""
    (folder / "net.tflite").write_bytes(residual_nets.net())
    random = np.random.default_rng(0)
    x = random.normal(size=(96, 6, 6, 4)).astype(np.float32)
    np.savez(folder / "rows.npz", x=x, y=random.integers(0, 3, 96))
    tables: dict[str, Any] = {
        "model": {"path": "net.tflite"},
        "data": {"calibration": ["rows.npz:x[:16]"], "training": ["rows.npz:x,y[16:]"]},
        "build": {"targets": ["rpi4"]},
        "fine_tune": {"epochs": 1, "batch": 16},
        "search": {"objectives": ["macs", "bytes", "agreement"], "sampler": "random", "trials": 2},
    }
    tables["search"] |= {"passes": passes, "space": space}
    search_one(from_mapping(tables, "test"), output="out")
    trials: list[dict[str, Any]] = json.loads(Path("out", "search.json").read_text())["trials"]
    assert [each["reason"] for each in trials] == ["", ""]
    return trials


def built_again(folder: Path, number: int) -> None:
    project = folder / "out" / "trials" / f"{number:04d}.toml"
    assert main(["build", str(project), "--output", "again"]) == 0
    made = contents(folder / "again")
    assert made["model.tflite"]
    kept = folder / "out" / "builds" / f"{number:04d}"
    if kept.is_dir():  # on the front
        assert contents(kept) == made


@pytest.mark.slow
@pytest.mark.parametrize("name", DECLARED)
def test_a_pass_at_both_ends(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trials = searched_in(tmp_path, [name], ends(name))
    assert trials[0]["choices"] != trials[1]["choices"]
    report = json.loads(Path("out", "search.json").read_text())
    built_again(tmp_path, report["front"][-1]["number"])
    if name in ("early_exit", "skip"):
        assert trials[0]["how"]["macs"] == "estimated"


@pytest.mark.slow
def test_a_student_of_the_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trials = searched_in(tmp_path, ["distill", "quantize_aware"], STUDENT)
    assert trials[0]["choices"] == {
        "distill.student": "zoo:cnn4/layers=1",
        "quantize_aware.use": "off",
        "zoo.cnn4.channels": 4,
        "zoo.cnn4.kernel": 3,
    }
    # 3 x 3 x 4 x 4 of 6 x 6 places, then 3 x 3 x 4 scores
    assert trials[0]["figures"]["macs"] == 144 * 36 + 36 * 3
    built_again(tmp_path, 0)
