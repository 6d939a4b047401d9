"""`edgekit search`: what it refuses, and, slow, a whole search of the digit reader."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from digits_example import DATA, contents, edgekit_in

from edgekit.cli import main
from edgekit.cli.search import LIMITS
from edgekit.project import from_mapping
from edgekit.search.table import SearchTable

MODEL = str(DATA / "digits.keras")
ROWS = (
    *("--calibration", f"{DATA}/digits_calibration.npz", "--preprocess", "unit"),
    *("--training", f"{DATA}/digits_evaluation.npz:x,y[:300]"),
)
BAD = {
    "no model": ((), 2, "no MODEL given"),
    "no target": ((MODEL,), 2, "a search is for one target"),
    "no calibration": ((MODEL, "-t", "rpi4"), 2, "int8 needs calibration data"),
    "a size": ((MODEL, "-t", "rpi4", *ROWS, "--max-flash", "64ms"), 2, "max-flash '64ms' is no"),
    "a drop": ((MODEL, "-t", "rpi4", *ROWS, "--max-drop", "one"), 2, "max-drop 'one' is no"),
    "an objective": ((MODEL, "-t", "rpi4", *ROWS, "--objective", "speed"), 2, "no objective"),
    "a reward": (
        (MODEL, "-t", "cortex-m4", *ROWS, "--objective", "reward"),
        2,
        "against a limit of latency, and none above 0 is given",
    ),
    "no device": ((MODEL, "-t", "rpi4", *ROWS, "--max-latency", "1ms"), 2, "need a device"),
    "a pass": ((MODEL, "-t", "rpi4", *ROWS, "--passes", "prun"), 2, "no pass 'prun'"),
    "a sampler": ((MODEL, "-t", "rpi4", *ROWS, "--sampler", "best"), 2, "best"),
    "a table": ((MODEL, "-t", "rpi4", *ROWS, "--set", "search.trails=3"), 2, "search.trails"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, code, message = BAD[case]
    assert main(["search", *arguments]) == code
    told = capsys.readouterr()
    assert message in told.err
    assert "hint: " in told.err
    assert "Traceback" not in told.err
    assert not told.out
    assert not list(tmp_path.iterdir())


def test_every_limit_of_the_table_has_its_option() -> None:
    keys = [key for key in SearchTable.__dataclass_fields__ if key[:4] in ("max_", "min_")]
    assert sorted(LIMITS) == sorted(keys)


SMALL = (
    *("search", MODEL, "--target", "nucleo-l4r5zi", *ROWS, "--passes", "remove"),
    *("--set", "fine_tune.epochs=2", "--trials", "2"),
)
LIMITED = (*SMALL, "--max-flash", "64K", "--max-drop", "20%")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two trials of the digit reader, in a run without a break."""
    folder = tmp_path_factory.mktemp("searched")
    rows = ("--evaluation", f"{DATA}/digits_evaluation.npz:x,y[300:500]")
    done = edgekit_in(folder, *LIMITED, *rows, "--output", "out")
    assert done.returncode == 0, done.stderr
    assert "Front: within all limits" in done.stdout
    assert "latency estimated" in done.stdout
    return folder


@pytest.mark.slow
def test_the_front_is_built_measured_and_judged_once(searched: Path) -> None:
    report = json.loads((searched / "out" / "search.json").read_text())
    assert [each["number"] for each in report["trials"]] == [0, 1]
    assert report["trials"][0]["choices"] == {"remove.macs": "off"}
    kept = sorted(path.name for path in (searched / "out" / "builds").iterdir())
    assert kept == [f"{point['number']:04d}" for point in report["front"]]
    for point in report["front"]:
        manifest = json.loads((searched / point["build"] / "manifest.json").read_text())
        figures = report["trials"][point["number"]]["figures"]
        # trials are judged on a fifth of 300 rows, the report on those of --evaluation
        assert manifest["accuracy"]["samples"] == 60
        assert figures["drop"] == manifest["accuracy"]["drop"]
        assert point["evaluation"]["samples"] == 200
        assert figures["latency"] > 0


@pytest.mark.slow
def test_a_recipe_makes_the_same_bytes(searched: Path) -> None:
    report = json.loads((searched / "out" / "search.json").read_text())
    number = report["front"][-1]["number"]
    recipe = searched / "out" / "trials" / f"{number:04d}.toml"
    from_mapping(tomllib.loads(recipe.read_text()), "recipe")
    done = edgekit_in(searched, "build", f"out/trials/{number:04d}.toml", "--output", "again")
    assert done.returncode == 0, done.stderr
    assert contents(searched / "again") == contents(searched / "out" / "builds" / f"{number:04d}")


@pytest.mark.slow
def test_killed_and_resumed_it_finds_the_same(searched: Path, tmp_path: Path) -> None:
    rows = ("--evaluation", f"{DATA}/digits_evaluation.npz:x,y[300:500]")
    command = (*LIMITED, *rows, "--output", "out")
    running = subprocess.Popen(
        [sys.executable, "-m", "edgekit", *command], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    second, ends = tmp_path / "out" / "trials" / "0001.toml", time.monotonic() + 600
    while not second.exists():
        assert running.poll() is None, "it was done before it could be killed"
        assert time.monotonic() < ends
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    again = edgekit_in(tmp_path, *command)
    assert again.returncode == 2
    assert "a study is there already" in again.stderr
    done = edgekit_in(tmp_path, *command, "--resume", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((searched / "out" / "search.json").read_text())


@pytest.mark.slow
def test_without_a_build_within_limits_the_study_is_kept(tmp_path: Path) -> None:
    done = edgekit_in(tmp_path, *SMALL, "--max-bytes", "1K", "--output", "none")
    assert done.returncode == 3
    assert "none of 2 trials keeps all limits; nearest: trial" in done.stderr
    assert "--resume --trials 4" in done.stderr
    report = json.loads((tmp_path / "none" / "search.json").read_text())
    assert report["front"] == []
    assert {each["stage"] for each in report["trials"]} <= {"estimate", "size"}
    assert (tmp_path / "none" / "study.journal").stat().st_size > 0
