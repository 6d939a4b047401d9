"""What a build says about the data it was given."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_example import DATA, contents

import edgekit


def test_wrong_scale_is_warned_of(tmp_path: Path) -> None:
    build = edgekit.build(
        DATA / "digits.keras",
        target="rpi4",
        calibration=f"{DATA}/digits_calibration.npz",
        output=tmp_path / "b",
        fidelity=False,
    )
    warnings = [p for p in build.manifest["problems"] if p["severity"] == "warning"]
    assert any("unit" in p["hint"] for p in warnings), warnings


def without_fidelity(manifest: dict[str, Any]) -> str:
    (message,) = (p["message"] for p in manifest["problems"] if p["where"] == "fidelity")
    assert manifest["fidelity"] is None
    return str(message)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"calibration": ".npz", "fidelity": False}, "switched off", id="unwanted"),
        pytest.param({"calibration": ".npz"}, "every row", id="no rows left"),
        pytest.param({"quantize": "float16"}, "no data", id="no data at all"),
    ],
)
def test_no_fidelity_is_explained(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    if "calibration" in options:
        options = {**options, "calibration": f"{DATA}/digits_calibration.npz[:60]"}
    given = {"target": "rpi4", "preprocess": "unit", "output": tmp_path / "b"}
    build = edgekit.build(DATA / "digits.keras", **given, **options)
    assert reason in without_fidelity(build.manifest)


def save_pictures(folder: Path, rows: np.ndarray, labels: np.ndarray) -> None:
    from PIL import Image

    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(row[..., 0]).save(place / f"{number:03}.png")


def test_pictures_and_python_rows_give_a_manifest_without_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with np.load(DATA / "digits_evaluation.npz") as arrays:
        save_pictures(tmp_path / "photos", arrays["x"][:40], arrays["y"][:40])
        np.save(tmp_path / "rows.npy", arrays["x"][100:160, ..., 0])
    (tmp_path / "edgekit_test_rows.py").write_text(
        "import numpy as np\ndef rows(): return np.load('rows.npy')\n"
    )
    shutil.copy(DATA / "digits.keras", tmp_path)
    builds = [
        edgekit.build(
            tmp_path / "digits.keras",
            target="rpi4",
            calibration="python:edgekit_test_rows:rows",
            evaluation=str(tmp_path / "photos"),
            preprocess="unit",
            output=output,
            force=True,
        )
        for output in ("one", "two")
    ]
    assert contents(tmp_path / "one") == contents(tmp_path / "two"), "python: hashes no folder"
    manifest = builds[0].manifest
    assert str(tmp_path) not in json.dumps(manifest)
    told = [(p["where"], p["message"]) for p in manifest["problems"]]
    assert any(w == "photos" and "are the class numbers" in m for w, m in told), told
    assert any("missing channel axis" in m for _, m in told)
    assert manifest["accuracy"]["float"] > 90


def test_evaluation_in_other_units_is_warned_of(tmp_path: Path) -> None:
    with np.load(DATA / "digits_evaluation.npz") as arrays:
        np.savez(tmp_path / "e.npz", x=arrays["x"][:30] / 255, y=arrays["y"][:30])
    build = edgekit.build(
        DATA / "digits.keras",
        target="rpi4",
        calibration=f"{DATA}/digits_calibration.npz",
        evaluation=f"{tmp_path}/e.npz:x,y",
        preprocess="unit",
        output=tmp_path / "b",
        fidelity=False,
    )
    (problem,) = (p for p in build.manifest["problems"] if p["severity"] == "warning")
    assert problem["where"] == "--evaluation"
    assert "those of --calibration 1" in problem["message"]


def test_rows_that_are_judged_twice_are_warned_of(tmp_path: Path) -> None:
    evaluation = f"{DATA}/digits_evaluation.npz:x,y[:30]"
    build = edgekit.build(
        DATA / "digits.keras",
        target="rpi4",
        quantize="float32",
        evaluation=[evaluation, evaluation],
        preprocess="unit",
        output=tmp_path / "b",
        fidelity=False,
    )
    (problem,) = (p for p in build.manifest["problems"] if p["severity"] == "warning")
    assert "30 of 60 samples repeat others" in problem["message"]
