"""The bench loop: its steps, its report, what a wrong device gets, and what it may import."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_project import write_toy

from edgekit.artifact import Build
from edgekit.cli import main
from edgekit.devices import base
from edgekit.devices.base import Device, Golden, Job, Request, Window
from edgekit.devices.fake import Driver as Fake
from edgekit.equipment import Option
from edgekit.errors import ConnectionLost, DeviceError, ModelError, OutputError, UsageError
from edgekit.harness.bench import bench
from edgekit.harness.board import board_of
from edgekit.harness.exclusive import exclusive
from edgekit.harness.lab import Entry, Lab
from edgekit.harness.run_folder import read_samples
from edgekit.harness.wanted import Wanted
from edgekit.progress import Progress

PACKAGE = Path(__file__).resolve().parents[2] / "edgekit"
MEASURES = ("edgekit.harness", "edgekit.devices", "edgekit.measure", "edgekit.power")
FACES = ("edgekit.cli", "edgekit.__init__", "edgekit.search", "edgekit.reports")
NEITHER = (
    "criteria",
    "artifact",
    "doctor",
    "equipment",
    "errors",
    "progress",
    "target.profile",
    "timing",
    "tools",
    "target.deployable",
    "_run",
    "_discover",
)


class Paper(Device):
    """A device that says what it is told to."""

    title = "a device on paper"
    figures = frozenset({"emulated"})
    kind = "emulator"
    options = {"threads": Option("how many", "whole")}  # noqa: RUF012
    golden = Golden(2, 20, 0)
    seen: list[str]

    def __init__(self) -> None:
        super().__init__()
        type(self).seen = []

    def _deploy(self, job: Job) -> None:
        self.seen.append(f"deploy {job.board.name if job.board else None} {dict(job.options)}")

    def _check(self) -> Golden:
        self.seen.append("check")
        return self.golden

    def _emulated(self) -> None:
        self.seen.append("count")

    def _environment(self) -> dict[str, str]:
        return {"paper": "A4"}

    def _close(self) -> None:
        self.seen.append("close")


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> type[Paper]:
    monkeypatch.setattr("edgekit.harness.lab.find_driver", lambda name: Paper)
    monkeypatch.setattr("edgekit.harness.lab.driver_names", lambda: ["paper"])
    monkeypatch.setattr(Paper, "golden", Golden(2, 20, 0))
    return Paper


def build_for(target: str) -> Build:
    return Build(Path("build/x"), {"target": target, "artifacts": []})


def test_steps_come_in_order_and_the_device_is_closed(paper: type[Paper]) -> None:
    class Steps(Progress):
        told: list[str] = []  # noqa: RUF012

        def step(self, what: str) -> None:
            self.told.append(what)

    wanted = Wanted("paper", {"threads": "2"})
    report = bench(build_for("nucleo-l4r5zi"), wanted, progress=Steps())
    assert paper.seen == ["deploy nucleo-l4r5zi {'threads': 2}", "check", "count", "close"]
    assert Steps.told == ["deploy to paper", "run the golden vectors", "measure"]
    found = report.to_json()
    assert {key: found[key] for key in ("device", "kind", "target", "validity", "codes")} == {
        "device": "paper",
        "kind": "emulator",
        "target": "nucleo-l4r5zi",
        "validity": "valid",
        "codes": [],
    }
    assert (found["golden"]["compared"], found["golden"]["ok"]) == (20, True)
    assert [found[key] for key in ("latency", "energy", "emulated", "sustained")] == [None] * 4
    assert (found["settings"], found["environment"]) == ({"threads": 2}, {"paper": "A4"})


@pytest.mark.parametrize(
    "golden",
    [Golden(2, 20, 1), Golden(2, 20, 0, "the stack overflowed"), Golden(0, 0, 0)],
    ids=["wrong value", "something else", "nothing compared"],
)
def test_device_that_computes_something_else_gets_no_figures(
    paper: type[Paper], golden: Golden
) -> None:
    paper.golden = golden
    report = bench(build_for("rpi4"), Wanted("paper"))
    assert paper.seen == ["deploy rpi4 {}", "check", "close"]
    assert (report.validity, report.codes) == ("invalid", ("golden_mismatch",))


def test_files_that_the_manifest_does_not_describe_are_not_measured(
    paper: type[Paper], tmp_path: Path
) -> None:
    build = Build(tmp_path, write_toy(tmp_path))
    assert bench(build, Wanted("paper")).validity == "valid"
    weights = tmp_path / "c_project" / "toy_weights.h"
    weights.write_text(weights.read_text().replace("{-128", "{-127", 1))
    (tmp_path / "c_project" / "toy.h").unlink()
    paper.seen = []
    with pytest.raises(ModelError) as caught:
        bench(build, Wanted("paper"))
    files = "c_project/toy.h is missing; c_project/toy_weights.h was changed"
    assert caught.value.message == f"{tmp_path}: {files}"
    assert caught.value.hint.startswith("build it again with --force")
    assert paper.seen == []


def test_device_is_closed_when_it_fails(paper: type[Paper]) -> None:
    with pytest.raises(UsageError, match="takes no option 'core'"):
        bench(build_for("rpi4"), Wanted("paper", {"core": "cortex-m4"}))
    assert paper.seen == ["close"]


def test_unknown_device_gets_a_hint() -> None:
    with pytest.raises(UsageError, match="no device 'qmeu'") as caught:
        bench(build_for("rpi4"), Wanted("qmeu"))
    assert caught.value.hint == "did you mean qemu?"


def fake(**options: object) -> Wanted:
    return Wanted("fake", options)


def test_windows_are_timed_and_kept(tmp_path: Path) -> None:
    wanted = replace(fake(latency_ms=2), output=tmp_path / "runs")
    report = bench(build_for("rpi4"), wanted)
    latency = report.latency
    assert latency is not None
    assert latency.median_ms == pytest.approx(2, rel=0.01)
    assert latency.samples == 5 * 501
    assert (report.validity, report.codes) == ("valid", ())
    folder = tmp_path / "runs" / "x-fake-001"
    kept_report = json.loads((folder / "report.json").read_text())
    assert kept_report == json.loads(json.dumps(report.to_json()))
    kept = read_samples(folder)
    assert [len(window) for window in kept] == [501] * 5
    assert latency.windows_ms[2] == pytest.approx(float(np.median(kept[2])), rel=1e-5)


def test_run_that_breaks_off_keeps_its_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dies(Fake):
        def _run(self, request: Request) -> Window:
            if self._windows == 2:
                raise DeviceError("gone", "plug it in")
            return super()._run(request)

    monkeypatch.setattr("edgekit.harness.lab.find_driver", lambda name: Dies)
    with pytest.raises(DeviceError, match="gone"):
        bench(build_for("rpi4"), Wanted("desk", output=tmp_path), Lab({"desk": Entry("fake")}))
    assert [len(window) for window in read_samples(tmp_path / "x-desk-001")] == [201, 201]
    assert not (tmp_path / "x-desk-001" / "report.json").exists()


def test_run_without_a_sample_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="died"):
        bench(build_for("rpi4"), replace(fake(die=True), output=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("samples", [(), (1.0, float("nan")), (1.0, -1.0)])
def test_window_without_figures_is_refused(
    monkeypatch: pytest.MonkeyPatch, samples: tuple[float, ...]
) -> None:
    monkeypatch.setattr(Fake, "_samples", lambda *_: samples)
    with pytest.raises(DeviceError, match="fake timed no inference"):
        bench(build_for("rpi4"), fake())


def test_default_that_is_named_is_no_other_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    class Says(Fake):
        options = {**Fake.options, "threads": Option("how many", "whole")}  # noqa: RUF012

        def _environment(self) -> dict[str, int]:
            return {"threads": self._option("threads", 1)}

    monkeypatch.setattr("edgekit.harness.lab.find_driver", lambda name: Says)
    lab = Lab({"desk": Entry("fake")})
    found = [
        bench(build_for("rpi4"), Wanted("desk", options), lab).settings
        for options in ({}, {"threads": 1}, {"threads": 2})
    ]
    assert found == [{"threads": 1}, {"threads": 1}, {"threads": 2}]


def test_runs_get_folders_of_their_own(tmp_path: Path) -> None:
    wanted = replace(fake(), output=tmp_path)
    folders = [bench(build_for("rpi4"), wanted).folder for _ in range(2)]
    assert [Path(folder).name for folder in folders] == ["x-fake-001", "x-fake-002"]


def test_connection_that_breaks_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PAUSE_S", 0)
    assert bench(build_for("rpi4"), fake(lose=2)).codes == ("reconnected",)
    with pytest.raises(ConnectionLost):
        bench(build_for("rpi4"), fake(lose=3))


CODES = {
    "drift": (fake(drift=0.02), ("drift",)),
    "throttled": (fake(throttled="soft-temperature"), ("throttled",)),
    "load": (fake(load=9), ("loaded_host",)),
    "of the driver": (fake(codes="samples_lost"), ("samples_lost",)),
    "quick": (replace(fake(), windows=3), ("few_windows",)),
    "short": (replace(fake(), request=Request(seconds=0.1)), ("window_too_short",)),
}


@pytest.mark.parametrize(("wanted", "codes"), CODES.values(), ids=CODES.keys())
def test_verdict_of_a_run(wanted: Wanted, codes: tuple[str, ...]) -> None:
    assert bench(build_for("rpi4"), wanted).codes == codes


def test_count_of_inferences_goes_where_the_driver_looks(paper: type[Paper]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Paper, "options", {"inferences": Option("vectors", "whole")})
        bench(build_for("rpi4"), Wanted("paper", inferences=7))
    assert paper.seen[0] == "deploy rpi4 {'inferences': 7}"


def test_inferences_are_the_least_of_a_window() -> None:
    report = bench(build_for("rpi4"), replace(fake(latency_ms=500), inferences=20))
    assert report.latency is not None
    assert report.latency.samples == 100


def test_quick_goes_to_drivers_that_insist_on_long_windows(paper: type[Paper]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Paper, "options", {"quick": Option("short ones", "switch")})
        bench(build_for("rpi4"), Wanted("paper", quick=True))
    assert paper.seen[0] == "deploy rpi4 {'quick': True}"


def test_quick_means_nothing_to_a_driver_that_does_not() -> None:
    assert bench(build_for("rpi4"), replace(fake(), quick=True)).validity == "valid"


def test_energy_is_estimated_with_what_the_target_says(tmp_path: Path) -> None:
    """350 pJ a cycle at 120 MHz are 42 mW."""
    wanted = Wanted("fake", {"real_time": True}, meter="estimate", output=tmp_path)
    wanted = replace(wanted, windows=2, request=Request(seconds=0.2))
    report = bench(build_for("nucleo-l4r5zi"), wanted)
    assert report.energy is not None
    assert report.latency is not None
    assert report.energy.median_uj == pytest.approx(42 * report.latency.mean_ms, rel=0.02)
    assert "estimated" in report.codes
    found = report.to_json()["energy"]
    assert (found["meter"], found["estimated"], found["net_mj"]) == ("estimate", True, None)
    assert found["gross_mj"] == report.energy.median_uj / 1e3
    kept = tmp_path / "x-fake-001" / "window-1.npz"
    assert main(["energy", str(kept), "--json"]) == 0


def test_estimate_of_a_board_that_nobody_measured_is_refused() -> None:
    with pytest.raises(UsageError, match="needs one power"):
        bench(build_for("nrf52840-dk"), Wanted("fake", meter="estimate"))


def test_idle_is_recorded_and_taken_off() -> None:
    """A level line: net energy is nothing."""
    wanted = Wanted("fake", {"real_time": True}, "estimate", {"power_w": 2}, idle_s=0.1)
    report = bench(build_for("rpi4"), replace(wanted, windows=1, request=Request(seconds=0.1)))
    assert report.energy is not None
    assert report.energy.net_median_uj == pytest.approx(0, abs=1e-3 * report.energy.median_uj)


def test_second_bench_on_a_device_is_refused() -> None:
    second = exclusive("the only one")
    with exclusive("the only one"), pytest.raises(DeviceError, match="another bench") as caught:
        second.__enter__()
    assert f"has the only one (process {os.getpid()})" in caught.value.message
    assert caught.value.hint == "wait until it is done"
    with exclusive("the only one"), exclusive(""), exclusive(""):
        pass


def test_lock_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locks").touch()
    monkeypatch.setattr("edgekit.harness.exclusive.LOCKS", tmp_path / "locks")
    with pytest.raises(OutputError, match="locks: File exists"):
        exclusive("the only one").__enter__()


def test_sustained_run_has_a_curve() -> None:
    wanted = replace(fake(drift=0.01), sustained_s=10)
    report = bench(build_for("rpi4"), wanted)
    assert report.sustained is not None
    assert report.latency is not None
    assert len(report.sustained.curve) == len(report.latency.windows_ms) == 10
    assert report.sustained.hot_ms > report.sustained.cold_ms


def test_what_is_known_of_a_board() -> None:
    board = board_of("nucleo-l4r5zi")
    assert board is not None
    assert (board.core, board.clock_mhz, board.pj_per_cycle) == ("cortex-m4", 120, 350)
    assert "MLPerf Tiny" in board.energy_source
    other = board_of("nrf52840-dk")
    assert other is not None
    assert (other.pj_per_cycle, other.energy_source[:28]) == (None, "no published measurement giv")
    assert board_of("not-on-this-machine") is None


def test_drivers_of_other_packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "names", lambda package: ["mine", "qemu"])
    assert base.driver_names() == ["mine", "qemu"]


def imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    found = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return found | {n.name for node in nodes if isinstance(node, ast.Import) for n in node.names}


def test_only_the_manifest_crosses_from_build_to_bench() -> None:
    halves = {True: set[str](), False: set[str]()}
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if not module.startswith(FACES):
            halves[module.startswith(MEASURES)] |= imports(path)
    allowed = (*MEASURES, *(f"edgekit.{name}" for name in NEITHER))
    ours = {name for name in halves[True] if name.startswith("edgekit")}
    assert {name for name in ours if not name.startswith(allowed)} == set()
    assert {name for name in halves[False] if name.startswith(MEASURES)} == set()


def test_bench_loads_nothing_that_builds() -> None:
    code = (
        "import sys, json, edgekit.harness.bench, edgekit.devices.qemu, edgekit.cli.bench;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    heavy = ("numpy", "tensorflow", "edgekit.pipeline", "edgekit.work", "edgekit.importers")
    assert loaded.isdisjoint(heavy)
    assert not {name for name in loaded if name.startswith(("edgekit.passes", "edgekit.quant"))}
