"""`edgekit sensitivity`: its tables, its files, killed and resumed, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from digits_example import DATA, DIGITS, contents, edgekit_in

from edgekit.artifact import sha256
from edgekit.cli import main
from edgekit.cli._heat import print_sensitivity
from edgekit.importers.base import load
from edgekit.sensitivities.allocate import allocate
from edgekit.sensitivities.result import Curve, Point, Sensitivity

SMALL = ("--samples", "40", "--kinds", "prune,remove", "--levels", "0.5,0.8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digit reader analysed without a break."""
    folder = tmp_path_factory.mktemp("whole")
    done = edgekit_in(folder, "sensitivity", *DIGITS, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "prune: share of the weights that are zero" in done.stdout
    assert "top1 with one layer changed" in done.stdout
    assert "build/digits-sensitivity/sensitivity.json" in done.stdout
    return folder / "build" / "digits-sensitivity"


def test_files(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {"sensitivity.json", "sensitivity.svg"}
    model = sha256(load(DATA / "digits.keras").tflite)
    found = Sensitivity.from_file(whole, model)
    assert (found.model, found.metric, found.samples) == ("digits", "top1", 40)
    assert found.kinds == ("prune", "remove")
    assert all(len(curve.points) == 2 for curve in found.of("prune"))
    parted = allocate(found, "prune", 0.6)
    sizes = {curve.layer: curve.parameters for curve in found.of("prune")}
    zeros = sum(parted[name] * size for name, size in sizes.items())
    assert zeros / sum(sizes.values()) == pytest.approx(0.6, abs=1e-3)


@pytest.mark.slow
def test_killed_and_resumed_it_writes_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgekit", "sensitivity", *DIGITS, *SMALL]
    journal = tmp_path / "build" / "digits-sensitivity" / ".sensitivity.journal"
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    ends = time.monotonic() + 120
    while not (journal.is_file() and len(journal.read_text().splitlines()) > 3):
        assert running.poll() is None, "it was done before it could be killed"
        assert time.monotonic() < ends
        time.sleep(0.002)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not (journal.parent / "sensitivity.json").exists()
    kept = journal.read_text()
    done = edgekit_in(tmp_path, "sensitivity", *DIGITS, *SMALL, "--resume", "--json")
    assert done.returncode == 0, done.stderr
    assert kept.splitlines()[1:3]
    assert contents(journal.parent) == contents(whole)
    assert json.loads(done.stdout) == json.loads((whole / "sensitivity.json").read_text())


def test_cells_are_coloured_on_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    points = (Point(0.5, 0.0, 90.0), Point(0.9, 3.0, 10.0))
    curve = Curve("prune", "conv", ("conv", "other"), "CONV_2D", 1, 1, points)
    found = Sensitivity("net", "", "top1", "higher", 91.0, 8, "", (curve,))
    print_sensitivity(found, Path("out"))
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert "conv and other" in plain
    with click.Context(click.Command("x"), color=True).scope():
        print_sensitivity(found, Path("out"))
    coloured = capsys.readouterr().out
    assert click.unstyle(coloured) == plain
    line = next(line for line in coloured.splitlines() if "conv" in line)
    assert line.count("\x1b[0m") == 1


BAD = {
    "no model": ((), "no MODEL given"),
    "no data": ((str(DATA / "digits.keras"),), "no data to try changes on"),
    "a kind": ((*DIGITS, "--kinds", "prun"), "no kind 'prun'"),
    "a level": ((*DIGITS, "--levels", "0.5,2"), "level 2 is no share"),
    "words for levels": ((*DIGITS, "--levels", "some"), "no list of shares"),
    "a metric": ((*DIGITS, "--metric", "topp1"), "no metric 'topp1'"),
    "a missing model": (("none.keras", "-c", "x.npz"), "none.keras"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD[case]
    assert main(["sensitivity", *arguments]) in (1, 2)
    told = capsys.readouterr()
    assert message in told.err
    assert "hint: " in told.err
    assert "Traceback" not in told.err
    assert not told.out


def test_from_the_project_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgekit.toml").write_text(
        f'[model]\npath = "{DATA}/digits.keras"\n[data]\n'
        f'calibration = ["{DATA}/digits_calibration.npz[:32]"]\npreprocess = "unit"\n'
    )
    place = str(tmp_path / "found.json")
    assert main(["sensitivity", "--kinds", "activations", "-o", place, "-q"]) == 0
    found = Sensitivity.from_file(tmp_path / "found.json")
    assert (found.metric, found.samples) == ("agreement", 32)
    assert (tmp_path / "found.svg").is_file()
