"""The proof of a build."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from digits_example import DATA, edgekit_in

import edgekit
from edgekit.cli import main
from edgekit.errors import ModelError
from edgekit.progress import Progress
from edgekit.verify import verify


def test_verify(built: Path, tmp_path: Path) -> None:
    done = edgekit_in(tmp_path, "verify", str(built / "digits-rpi4"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rebuilt"] is True


def test_verify_names_what_was_changed(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built / "digits-rpi4", folder)
    with open(folder / "model_data.c", "a") as handle:
        handle.write("\n")
    assert main(["verify", str(folder), "--no-rebuild"]) == 1
    assert "model_data.c was changed" in capsys.readouterr().err


def test_verify_says_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DATA / "digits.keras", "m.keras")
    shutil.copy(DATA / "digits_calibration.npz", "c.npz")
    edgekit.build("m.keras", "rpi4", calibration="c.npz[:50]", fidelity=False, output="b")
    manifest = Path("b/manifest.json")
    text = manifest.read_text()

    def told() -> str:
        with pytest.raises(ModelError) as error:
            verify(Path("b"), rebuild=True, progress=Progress())
        return f"{error.value.message} | {error.value.hint}"

    manifest.write_text(text.replace('"seed": 0', '"seed": 1', 1))
    assert "manifest.json came out differently | the manifest was edited (seed)" in told()
    manifest.write_text(text)
    with np.load("c.npz") as arrays:
        np.savez("c.npz", x=arrays["x"][::-1])
    assert "the data, the target or a module of yours was changed" in told()
    shutil.copy(DATA / "motion.keras", "m.keras")
    manifest.write_text(text)
    assert "m.keras is not the model it was built from" in told()
    manifest.write_text(text.replace('"artifacts": [', '"artifacts": 3, "x": [', 1))
    assert "no build here" in told()
