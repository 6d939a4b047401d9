"""A sensitivity analysis in a build: which layers get more bits where a budget is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from digits_example import DIGITS, manifest_of

from edgekit.cli import main

BUILD = ["build", *DIGITS, "-t", "rpi4", "--set", "budget.sqnr=46", "-o", "out"]


@pytest.mark.slow
def test_it_mends_what_the_table_of_layers_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(BUILD) == 3
    assert "at least 46 asked: broken" in capsys.readouterr().err
    assert main(["sensitivity", *DIGITS, "--kinds", "quantize,activations", "-o", "found"]) == 0
    given = [*BUILD, "--set", "quantize.sensitivity=found"]
    assert main(given) == 0
    manifest = manifest_of(Path("out"))
    assert manifest["fidelity"]["sqnr_db"] >= 46
    kept = [rung for rung in manifest["budget"]["rungs"] if rung["outcome"] == "kept"]
    assert [rung["rung"] for rung in kept] == ["more bits for the worst layers"]
    assert manifest["project"]["quantize"]["sensitivity"] == "found"

    capsys.readouterr()
    assert main(given) == 0
    assert "nothing changed" in capsys.readouterr().out
    file = Path("found/sensitivity.json")
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told | {"samples": 1}))
    assert main(given) == 0
    assert "nothing changed" not in capsys.readouterr().out

    file.write_text(json.dumps(told | {"model_sha256": "0" * 64}))
    assert main(given) == 2
    assert "is about another model" in capsys.readouterr().err
    file.unlink()
    assert main(given) == 2
    assert "cannot be read" in capsys.readouterr().err
