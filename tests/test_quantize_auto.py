"""Builds that choose their number format: what is kept, what is told, what is not done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_example import DATA, contents, edgekit_in
from small_nets import Net

from edgekit.api import build_one
from edgekit.artifact import Build
from edgekit.errors import BudgetError
from edgekit.progress import Progress
from edgekit.timing import Timing
from edgekit.verify import verify

ORDER = {"int8": 3.0, "dynamic": 1.0, "float16": 1.5}
TARGET = """
title = "A Raspberry Pi with fewer formats"
extends = "linux-arm64"
quantizers = ["int8", "dynamic", "float16"]
exporters = ["tflite"]
[sources]
"""


DATA_OPTIONS: dict[str, Any] = {"calibration": "rows.npz[:40]", "evaluation": "rows.npz[40:]"}


class Desk:
    """A device that says latencies by the format of a build, and remembers what it ran."""

    def __init__(self, device: str = "") -> None:
        self.device = device
        self.ran: list[str] = []

    def __call__(self, build: Build, profile: object) -> Timing:
        scheme = build.manifest["quantization"]["scheme"]
        assert build.damaged() == []
        self.ran.append(scheme)
        return Timing("desk", {"latency_ms": ORDER[scheme]}, {"latency_ms": "measured: so"})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("auto")
    rng = np.random.default_rng(0)
    net = Net(6, 6, 2).conv(rng.normal(size=(16, 3, 3, 2))).mean()
    net.dense(rng.normal(size=(80, 16)))
    (folder / "net.tflite").write_bytes(net.tflite())
    (folder / "pi.toml").write_text(TARGET)
    np.savez(folder / "rows.npz", x=rng.normal(size=(60, 6, 6, 2)).astype(np.float32))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        desk = Desk()
        build = chosen(desk, output="auto")
        assert build.fresh
        assert sorted(desk.ran) == sorted(ORDER)
    return folder


def chosen(desk: Desk, **options: object) -> Build:
    given = {**DATA_OPTIONS, "quantize": "auto", **options}
    return build_one("net.tflite", "pi.toml", timer=desk, **given)


def test_the_fastest_is_kept_and_is_the_build_of_its_format(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    kept = Build.load(Path("auto"))
    assert kept.manifest["schemes"]["chosen"] == "dynamic"
    assert [each["scheme"] for each in kept.manifest["schemes"]["tried"]] == list(ORDER)
    alone = build_one("net.tflite", "pi.toml", quantize="dynamic", output="alone", **DATA_OPTIONS)
    assert kept.tflite.read_bytes() == alone.tflite.read_bytes()
    assert kept.manifest["artifacts"] == alone.manifest["artifacts"]


def test_the_report_has_what_was_measured_and_the_manifest_has_not(place: Path) -> None:
    report = json.loads((place / "auto/report.json").read_text())
    timings = report["timings"]
    assert (timings["device"], timings["ranked_by"]) == ("desk", "latency_ms")
    assert {name: one["figures"]["latency_ms"] for name, one in timings["schemes"].items()} == ORDER
    assert "latency" not in json.dumps(json.loads((place / "auto/manifest.json").read_text()))


def test_nothing_changed_nothing_timed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    desk = Desk()
    assert not chosen(desk, output="auto").fresh
    assert not chosen(Desk("desk"), output="auto").fresh
    assert desk.ran == []


def test_verify_builds_the_choice_again_without_a_device(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    assert verify(Path("auto"), rebuild=True, progress=Progress())["rebuilt"]


@pytest.mark.slow
def test_a_budget_takes_formats_away(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded weights and activations are far from 60 dB; 16-bit floats are not."""
    monkeypatch.chdir(place)
    desk = Desk("desk")
    tables = {"budget.sqnr": 60.0}
    build = chosen(desk, set=tables, ladder=False, output="close")
    assert build.manifest["schemes"]["chosen"] == "float16"
    refused = {e["scheme"] for e in build.manifest["schemes"]["tried"] if e["refused"]}
    assert "int8" in refused
    assert sorted(desk.ran) == sorted({*ORDER} - refused)
    with pytest.raises(BudgetError, match="no number format of pi can be kept: int8: the budget"):
        chosen(desk, set={"budget.sqnr": 500.0}, ladder=False, output="never")
    assert not Path("never").exists()


@pytest.mark.slow
def test_command_ranks_by_size_where_no_device_is_reached(tmp_path: Path, place: Path) -> None:
    """There is no lab here: the Raspberry Pi has no host to be reached at."""
    words = [str(place / "net.tflite"), "-t", str(place / "pi.toml"), "-o", "b"]
    done = edgekit_in(tmp_path, "build", *words, "--quantize", "auto")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())  # whatever the width it is folded to
    assert "ranked by bytes, for nothing was timed" in said
    manifest = json.loads((tmp_path / "b/manifest.json").read_text())
    sizes = {e["scheme"]: e["bytes"] for e in manifest["schemes"]["tried"] if not e["refused"]}
    assert manifest["schemes"]["chosen"] == min(sizes, key=lambda name: sizes[name])
    assert "needs calibration data" in said


def test_device_without_auto_is_refused(tmp_path: Path) -> None:
    done = edgekit_in(tmp_path, "build", "x.tflite", "-t", "rpi4", "--device", "pi")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "error: --device pi: nothing is timed in this build"


@pytest.mark.slow
def test_this_machine_times_the_digit_reader(tmp_path: Path) -> None:
    words = [str(DATA / "digits.keras"), "-t", "linux-x86_64", "--preprocess", "unit"]
    words += ["-c", f"{DATA}/digits_calibration.npz", "-e", f"{DATA}/digits_evaluation.npz:x,y"]
    words += ["--quantize", "auto", "--max-drop", "1", "--json", "-o", "b"]
    done = edgekit_in(tmp_path, "build", *words)
    assert done.returncode == 0, done.stderr
    (build,) = json.loads(done.stdout)["builds"]
    timings = build["timings"]
    assert (timings["device"], timings["ranked_by"]) == ("host", "latency_ms")
    kept = [e["scheme"] for e in build["schemes"]["tried"] if not e["refused"]]
    figures = {name: timings["schemes"][name]["figures"]["latency_ms"] for name in kept}
    intervals = {name: timings["schemes"][name]["interval"] for name in kept}
    fastest = min(figures, key=lambda name: figures[name])
    assert intervals[build["schemes"]["chosen"]][0] <= intervals[fastest][1]
    before = contents(tmp_path / "b")
    assert "nothing changed" in edgekit_in(tmp_path, "build", *words[:-3], *words[-2:]).stdout
    assert contents(tmp_path / "b") == before


@pytest.mark.slow
def test_an_emulated_microcontroller_times_the_digit_reader(tmp_path: Path) -> None:
    words = [str(DATA / "digits.keras"), "-t", "nucleo-l4r5zi", "--preprocess", "unit"]
    words += ["-c", f"{DATA}/digits_calibration.npz", "--quantize", "auto", "--json", "-o", "b"]
    done = edgekit_in(tmp_path, "build", *words)
    assert done.returncode == 0, done.stderr
    (build,) = json.loads(done.stdout)["builds"]
    assert (build["schemes"]["chosen"], build["timings"]["device"]) == ("int8", "qemu")
    told = build["timings"]["schemes"]["int8"]["sources"]["latency_ms"]
    assert told.startswith("estimated: estimated cycles at 120 MHz")
    assert "no C project" in build["timings"]["schemes"]["float32"]["reason"]
