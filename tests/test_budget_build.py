"""Budgets from the command to the files: broken, mended, refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bad_cases import Case, outlier_layer, wide_tail
from digits_example import contents, manifest_of

from edgekit.calibrate.interpret import Interpreter
from edgekit.cli import main


def given(folder: Path, case: Case) -> list[str]:
    """The files of a case, and the options that name them."""
    (folder / "net.tflite").write_bytes(case.tflite)
    floats = Interpreter(case.tflite)
    held = case.held.astype(np.float32)
    labels = [int(floats.run((row[None],))[0].argmax()) for row in held]
    np.savez(folder / "d.npz", c=case.calibration.astype(np.float32), x=held, y=labels)
    return ["build", "net.tflite", "-c", "d.npz:c", "-e", "d.npz:x,y", "--max-drop", "4"]


def test_a_mended_build_is_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    build = [*given(tmp_path, wide_tail()), "-t", "rpi4", "--samples", "10", "-o", "out"]
    build += ["--set", "budget.sqnr=20"]
    assert main([*build, "--no-ladder"]) == 3
    error = capsys.readouterr().err
    assert "the budget is broken: accuracy drop 13" in error
    assert "first to blame: " in error
    assert not Path("out").exists()

    assert main(build) == 0
    printed = capsys.readouterr().out
    manifest = manifest_of(Path("out"))
    report = json.loads(Path("out/report.json").read_text())
    rungs = manifest["budget"]["rungs"]
    assert manifest["budget"]["start"]["state"] == "broken"
    assert manifest["budget"]["end"]["state"] == "unproven"
    assert (rungs[-1]["rung"], rungs[-1]["outcome"]) == ("more samples", "kept")
    assert manifest["calibration"]["samples"] == 40
    texts = " ".join(printed.split())
    assert all(texts.count(" ".join(line.split())) == 1 for line in report["budget"])
    messages = [problem["message"] for problem in manifest["problems"]]
    assert all(texts.count(" ".join(message.split())) == 1 for message in messages)
    assert not any("only 10 samples" in message for message in messages)

    assert main(["verify", "out"]) == 0
    files = contents(Path("out"))
    assert main([*build, "--strict"]) == 3
    assert "the budget is " in capsys.readouterr().err
    assert contents(Path("out")) == files  # the last good build is as it was


@pytest.mark.slow
def test_what_mended_a_build_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build = [*given(tmp_path, outlier_layer()), "-t", "cortex-m4"]
    assert main([*build, "-o", "mended"]) == 0
    manifest = manifest_of(Path("mended"))
    (options,) = (step["options"] for step in manifest["plan"] if step["kind"] == "quantize")
    assert options["keep_int16"] == ["y0"]
    keys = ("estimator", "equalise", "bias_correct", "keep_int16", "keep_float")
    lines = [f"{key} = {json.dumps(options[key])}" for key in keys]
    Path("edgekit.toml").write_text(
        "\n".join(
            [
                '[model]\npath = "net.tflite"\n[build]\ntargets = ["cortex-m4"]\noutput = "asked"',
                '[data]\ncalibration = ["d.npz:c"]\nevaluation = ["d.npz:x,y"]\n[quantize]',
                *lines,
            ]
        )
    )
    assert main(["build"]) == 0
    assert Path("asked/model.tflite").read_bytes() == Path("mended/model.tflite").read_bytes()
