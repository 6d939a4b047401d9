"""`edgekit init`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli import main
from edgekit.project import from_toml


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_written_is_read_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.keras").touch()
    assert main(["init", "net.keras", "-t", "rpi4", "-t", "android"]) == 0
    assert capsys.readouterr().out == (
        "wrote edgekit.toml: fill in [data] calibration, then run: edgekit build\n"
    )
    project = from_toml(here / "edgekit.toml")
    assert (project.model.path, project.build.targets) == ("net.keras", ("rpi4", "android"))


def test_a_model_that_is_not_there_yet_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "later.keras"]) == 0
    assert "put later.keras here, fill in [data]" in capsys.readouterr().out


def test_an_unknown_target_is_refused_at_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "net.keras", "-t", "rpii4"]) == 2
    assert "error: unknown target: rpii4\nhint: did you mean rpi4" in capsys.readouterr().err
    assert not (here / "edgekit.toml").exists()


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "net.keras", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "path": "edgekit.toml",
        "model": "net.keras",
        "targets": ["rpi4"],
    }


def test_nothing_is_overwritten_unasked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "edgekit.toml").write_text("mine")
    assert main(["init", "net.keras"]) == 2
    assert "overwrite it with --force" in capsys.readouterr().err
    assert (here / "edgekit.toml").read_text() == "mine"
