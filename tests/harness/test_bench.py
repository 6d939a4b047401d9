"""The bench loop: its steps, its report, what a wrong device gets, and what it may import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from edgekit.bench import bench, board_of
from toy_project import write_toy

from edgekit.artifact import Build
from edgekit.devices import base
from edgekit.devices.base import Device, Golden, Job
from edgekit.equipment import Option
from edgekit.errors import ModelError, UsageError
from edgekit.progress import Progress

PACKAGE = Path(__file__).resolve().parents[1] / "edgekit"
MEASURES = ("edgekit.bench", "edgekit.devices", "edgekit.measure", "edgekit.power")
NEITHER = (
    "artifact",
    "doctor",
    "equipment",
    "errors",
    "progress",
    "target.profile",
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
    monkeypatch.setattr("edgekit.bench.find_driver", lambda name: Paper)
    monkeypatch.setattr(Paper, "golden", Golden(2, 20, 0))
    return Paper


def build_for(target: str) -> Build:
    return Build(Path("build/x"), {"target": target, "artifacts": []})


def test_steps_come_in_order_and_the_device_is_closed(paper: type[Paper]) -> None:
    class Steps(Progress):
        told: list[str] = []  # noqa: RUF012

        def step(self, what: str) -> None:
            self.told.append(what)

    report = bench(build_for("nucleo-l4r5zi"), "paper", {"threads": 2}, Steps())
    assert paper.seen == ["deploy nucleo-l4r5zi {'threads': 2}", "check", "count", "close"]
    assert Steps.told == ["deploy to paper", "run the golden vectors", "measure"]
    assert report.to_json() == {
        "device": "paper",
        "target": "nucleo-l4r5zi",
        "golden": {"vectors": 2, "compared": 20, "mismatched": 0, "detail": "", "tolerance": 0.0},
        "latency": None,
        "energy": None,
        "emulated": None,
        "validity": "valid",
        "codes": [],
        "environment": {"paper": "A4"},
    }


@pytest.mark.parametrize(
    "golden",
    [Golden(2, 20, 1), Golden(2, 20, 0, "the stack overflowed"), Golden(0, 0, 0)],
    ids=["wrong value", "something else", "nothing compared"],
)
def test_device_that_computes_something_else_gets_no_figures(
    paper: type[Paper], golden: Golden
) -> None:
    paper.golden = golden
    report = bench(build_for("rpi4"), "paper")
    assert paper.seen == ["deploy rpi4 {}", "check", "close"]
    assert (report.validity, report.codes) == ("invalid", ("golden_mismatch",))


def test_files_that_the_manifest_does_not_describe_are_not_measured(
    paper: type[Paper], tmp_path: Path
) -> None:
    build = Build(tmp_path, write_toy(tmp_path))
    assert bench(build, "paper").validity == "valid"
    weights = tmp_path / "c_project" / "toy_weights.h"
    weights.write_text(weights.read_text().replace("{-128", "{-127", 1))
    (tmp_path / "c_project" / "toy.h").unlink()
    paper.seen = []
    with pytest.raises(ModelError) as caught:
        bench(build, "paper")
    files = "c_project/toy.h is missing; c_project/toy_weights.h was changed"
    assert caught.value.message == f"{tmp_path}: {files}"
    assert caught.value.hint.startswith("build it again with --force")
    assert paper.seen == []


def test_device_is_closed_when_it_fails(paper: type[Paper]) -> None:
    with pytest.raises(UsageError, match="takes no option 'core'"):
        bench(build_for("rpi4"), "paper", {"core": "cortex-m4"})
    assert paper.seen == ["close"]


def test_unknown_device_gets_a_hint() -> None:
    with pytest.raises(UsageError, match="no device 'qmeu'") as caught:
        bench(build_for("rpi4"), "qmeu")
    assert caught.value.hint == "did you mean qemu?"


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
        if not module.startswith("edgekit.cli"):
            halves[module.startswith(MEASURES)] |= imports(path)
    allowed = (*MEASURES, *(f"edgekit.{name}" for name in NEITHER))
    ours = {name for name in halves[True] if name.startswith("edgekit")}
    assert {name for name in ours if not name.startswith(allowed)} == set()
    assert {name for name in halves[False] if name.startswith(MEASURES)} == set()


def test_bench_loads_nothing_that_builds() -> None:
    code = (
        "import sys, json, edgekit.bench, edgekit.devices.qemu, edgekit.cli.bench;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    heavy = ("numpy", "tensorflow", "edgekit.pipeline", "edgekit.work", "edgekit.importers")
    assert loaded.isdisjoint(heavy)
    assert not {name for name in loaded if name.startswith(("edgekit.passes", "edgekit.quant"))}
