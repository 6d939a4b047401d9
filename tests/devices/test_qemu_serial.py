"""MLPerf Tiny's protocol on real firmware: every core in QEMU, over its UART."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from serial_toy import write_serial_toy
from toy_project import FIRST

from edgekit.c_project.make import make_project
from edgekit.compiler.cores import core_of
from edgekit.devices._cortex_m.machines import CORES
from edgekit.devices._cortex_m.qemu_board import NS_PER_INSTRUCTION_SHIFT
from edgekit.devices._cortex_m.serial_firmware import PERIPHERALS
from edgekit.devices.base import Golden, Job, Request, Window
from edgekit.devices.qemu import measure
from edgekit.devices.qemu_serial import Driver
from edgekit.errors import DeviceError, MissingExtra, UsageError
from edgekit.exporters.base import ExportInput
from edgekit.exporters.c_project import Exporter
from edgekit.graph.read import read
from edgekit.target.profile import load_profile

pytestmark = pytest.mark.usefixtures("qemu")
QUICK = Request(seconds=0.2, warmup_seconds=0.01)


def measured(
    build: Path, manifest: dict[str, Any], windows: int = 1, **options: Any
) -> tuple[Golden, list[Window], dict[str, Any]]:
    """Golden vectors, windows, environment."""
    with Driver() as driver:
        driver.deploy(Job(build, manifest, None, options))
        golden = driver.check()
        found = [driver.run(QUICK) for _ in range(windows)]
        return golden, found, dict(driver.environment())


# One core of each kind of board.
FEW = ("cortex-m0plus", "cortex-m4", "cortex-m33", "cortex-m55")
EACH = [core if core in FEW else pytest.param(core, marks=pytest.mark.slow) for core in CORES]


@pytest.mark.parametrize("core", EACH)
def test_every_core_computes_every_bit(tmp_path: Path, core: str) -> None:
    manifest = write_serial_toy(tmp_path)
    golden, windows, environment = measured(tmp_path, manifest, core=core, quick=True)
    assert golden == Golden(vectors=3, compared=12, mismatched=0)
    assert environment["machine"] in PERIPHERALS
    assert environment["core"] == core
    assert "not the latency of a board" in environment["emulated"]
    assert windows[0].codes == ("emulated",)
    assert windows[0].end_s - windows[0].start_s >= 0.2


def test_window_by_the_rules_is_as_long_as_they_say(tmp_path: Path) -> None:
    _, (window,), _ = measured(tmp_path, write_serial_toy(tmp_path), 1)
    assert 10 <= window.end_s - window.start_s < 10.3
    assert window.inferences > 1000


@pytest.mark.slow
def test_windows_by_the_rules_with_keywords(real_models: Path, tmp_path: Path) -> None:
    """Five windows of 10 s, and the latency that the count of instructions gives."""
    data = (real_models / "kws_dscnn/kws_ref_model_int8.tflite").read_bytes()
    profile = load_profile("nucleo-l4r5zi")
    made = make_project("kws", data, read(data), profile.name, core_of("cortex-m4"))
    assert made.project is not None
    Exporter().export(ExportInput("kws", data, read(data), profile, None, made.project), tmp_path)
    manifest = {"c_project": made.project.to_json()}
    log = tmp_path / "log"
    golden, windows, _ = measured(tmp_path, manifest, 5, runner_log=str(log))
    assert (golden.ok, golden.vectors, golden.compared) == (True, 8, 96)
    assert all(window.end_s - window.start_s >= 10 for window in windows)
    latencies = [window.latency_ms[0] for window in windows]
    assert max(latencies) - min(latencies) < 1e-4 * min(latencies)
    counted = measure(tmp_path, manifest, vectors=1).instructions
    instructions = latencies[0] * 1e6 / 2**NS_PER_INSTRUCTION_SHIFT
    assert 0 < instructions - counted < 0.01 * counted  # the copies of input and output
    assert "Median throughput is" in (log / "results.txt").read_text()
    assert len(json.loads((log / "results.json").read_text())) == 5


def test_wrong_value_is_counted_and_named(tmp_path: Path) -> None:
    golden, _, _ = measured(tmp_path, write_serial_toy(tmp_path, wrong=[1]), 0)
    assert (golden.ok, golden.compared, golden.mismatched) == (False, 12, 1)
    assert golden.detail.startswith("golden vector 1: output byte 3 is ")


def test_firmware_that_faults_is_named(tmp_path: Path) -> None:
    first = FIRST.replace("{\n", "{\n    *(volatile int *)0xF0000000 = 1;\n", 1)
    manifest = write_serial_toy(tmp_path, first=first)
    with pytest.raises(DeviceError, match="does not answer 'infer 1 0': nothing for 1 s"):
        measured(tmp_path, manifest, patience=1)


def test_emulator_that_is_killed_in_between_is_started_again(tmp_path: Path) -> None:
    with Driver() as driver:
        driver.deploy(Job(tmp_path, write_serial_toy(tmp_path), None, {"quick": True}))
        assert driver.check().ok
        first = driver.run(QUICK)
        assert driver._board is not None
        driver._board._process.kill()
        second = driver.run(QUICK)
        assert driver.reconnected == 1
    assert second.latency_ms[0] == pytest.approx(first.latency_ms[0], rel=1e-3)


def test_no_emulator_is_left(tmp_path: Path) -> None:
    manifest = write_serial_toy(tmp_path)
    driver = Driver()
    driver.deploy(Job(tmp_path, manifest))
    board = driver._board
    assert board is not None
    assert board._process.poll() is None
    driver.close()
    driver.close()
    assert board._process.poll() is not None


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_no_emulator_is_left_where_the_bench_is_killed(tmp_path: Path) -> None:
    write_serial_toy(tmp_path)
    code = (
        "import json, sys; from pathlib import Path; from edgekit.devices.base import Job;"
        "from edgekit.devices.qemu_serial import Driver; folder = Path(sys.argv[1]); d = Driver();"
        "d.deploy(Job(folder, json.loads((folder / 'manifest.json').read_text())));"
        "print(d._board._process.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as bench:
        assert bench.stdout is not None
        emulator = Path(f"/proc/{int(bench.stdout.readline())}")
        assert "qemu" in (emulator / "cmdline").read_text()
        bench.kill()
    until = time.monotonic() + 5
    while emulator.exists() and "Z" not in (emulator / "stat").read_text().split()[2]:
        assert time.monotonic() < until, "QEMU still runs"
        time.sleep(0.05)


def test_unknown_core_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no emulated machine has a cortex-m85"):
        measured(tmp_path, write_serial_toy(tmp_path), core="cortex-m85")


@pytest.mark.parametrize("tool", Driver.needs.tools)
def test_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    which = shutil.which
    monkeypatch.setattr("shutil.which", lambda name: None if name == tool else which(name))
    with pytest.raises(MissingExtra, match=tool):
        measured(tmp_path, write_serial_toy(tmp_path))
