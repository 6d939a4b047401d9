"""edgekit bench and edgekit devices: what is printed, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from litert_builds import small_model, write_build
from toy_project import SECOND, write_toy

from edgekit.cli import main
from edgekit.devices.qemu import Driver

needs_qemu = pytest.mark.skipif(
    bool(Driver.needs.lacking()), reason=f"not on this machine: {', '.join(Driver.needs.lacking())}"
)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are kept in the current folder."""
    monkeypatch.chdir(tmp_path)


@needs_qemu
def test_table_totals_and_verdict(tmp_path: Path, capsys: Capture) -> None:
    write_toy(tmp_path)
    assert main(["bench", str(tmp_path), "--device", "qemu"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "nucleo-l4r5zi on qemu: cortex-m4"
    assert lines[1].split() == ["op", "MACs", "instructions", "a", "MAC", "share", "%", "layer"]
    assert lines[2].split()[:2] == ["FULLY_CONNECTED", "128"]
    assert lines[2].endswith("  hidden")
    labels = {line.split()[0]: line for line in lines[6:]}
    assert "emulated: exact count by qemu-system-arm" in labels["instructions"]
    assert "B of 2,097,152 B (0 %), measured" in labels["flash"]
    assert "estimated: cycles of the Cortex-M4 TRM" in labels["cycles"]
    assert "at 120 MHz" in labels["latency"]
    assert "x 350 pJ; MLPerf Tiny" in labels["energy"]
    assert labels["golden"].endswith("12 output values of 3 golden vectors are what they should be")
    assert labels["verdict"].split() == ["verdict", "valid"]
    assert "· run the golden vectors" in said.err


@needs_qemu
def test_json_has_what_is_promised(tmp_path: Path, capsys: Capture) -> None:
    write_toy(tmp_path)
    assert main(["bench", str(tmp_path), "--device", "qemu", "--json", "-q", "-n", "2"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    found = json.loads(said.out)
    golden = {key: found["golden"][key] for key in ("vectors", "compared", "mismatched", "ok")}
    assert golden == {"vectors": 2, "compared": 8, "mismatched": 0, "ok": True}
    emulated = found["emulated"]
    assert [sorted(layer) for layer in emulated["layers"]] == 2 * [
        ["cycles_estimated", "instructions", "macs", "name", "op"]
    ]
    cycles = emulated["cycles_estimated"]
    assert emulated["latency_ms_estimated"] == pytest.approx(cycles / 120e3)
    assert emulated["energy_mj_estimated"] == pytest.approx(cycles * 350e-9)
    for key in ("instructions", "flash_bytes", "ram_bytes", "stack_bytes"):
        assert emulated[key] > 0
        assert emulated["labels"][key]["label"] in ("measured", "emulated")
    assert (found["latency"], found["energy"], found["validity"]) == (None, None, "valid")


WITHOUT = {
    "another core": ("nucleo-l4r5zi", "cortex-m7", "nucleo-l4r5zi has a cortex-m4"),
    "no clock": ("cortex-m4", "cortex-m4", "cortex-m4 is no board"),
    "target of another machine": ("my-board", "cortex-m4", "not known on this machine"),
    "not the build's": ("cortex-m3", "cortex-m4", "the build is for a cortex-m3, this is a"),
    "no cycles": ("cortex-m55", "cortex-m55", "cortex-m55 is no board"),
}


@needs_qemu
@pytest.mark.parametrize(("target", "core", "why"), WITHOUT.values(), ids=WITHOUT.keys())
def test_figure_that_nothing_gives_is_null_with_the_reason(
    tmp_path: Path, capsys: Capture, target: str, core: str, why: str
) -> None:
    write_toy(tmp_path, target=target)
    arguments = ["bench", str(tmp_path), "--device", "qemu", "--core", core, "-q"]
    assert main([*arguments, "--json"]) == 0
    emulated = json.loads(capsys.readouterr().out)["emulated"]
    assert emulated["latency_ms_estimated"] is None
    assert emulated["energy_mj_estimated"] is None
    assert why in emulated["labels"]["latency_ms_estimated"]["source"]
    assert main(arguments) == 0
    assert "latency     not estimated: " in capsys.readouterr().out


@needs_qemu
def test_energy_of_a_board_without_a_figure_says_why(tmp_path: Path, capsys: Capture) -> None:
    write_toy(tmp_path, target="nrf52840-dk")
    assert main(["bench", str(tmp_path), "--device", "qemu", "--json", "-q"]) == 0
    emulated = json.loads(capsys.readouterr().out)["emulated"]
    assert emulated["latency_ms_estimated"] > 0
    assert emulated["energy_mj_estimated"] is None
    assert "no published measurement" in emulated["labels"]["energy_mj_estimated"]["source"]
    assert "another chip" in emulated["labels"]["cycles_estimated"]["source"]


@needs_qemu
def test_wrong_outputs_end_with_exit_code_4(tmp_path: Path, capsys: Capture) -> None:
    write_toy(tmp_path, wrong=[0, 2])
    assert main(["bench", str(tmp_path), "--device", "qemu", "-q"]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: 2 of 12 output values of {tmp_path} are wrong on qemu: ")
    assert said.err.count("\n") == 2
    assert "\nhint: " in said.err


@needs_qemu
def test_wrong_outputs_as_json_have_no_figures(tmp_path: Path, capsys: Capture) -> None:
    write_toy(tmp_path, second=SECOND.replace("[48 + o] = ", "[52 + o] = arena[48 + o] = "))
    assert main(["bench", str(tmp_path), "--device", "qemu", "-q", "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert (found["emulated"], found["exit_code"], found["validity"]) == (None, 4, "invalid")
    assert found["codes"] == ["golden_mismatch"]
    assert "outside the arena" in found["error"]


@needs_qemu
def test_core_that_is_not_emulated_gets_those_that_are(tmp_path: Path, capsys: Capture) -> None:
    manifest = write_toy(tmp_path)
    manifest["c_project"]["core"] = "cortex-m85"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert main(["bench", str(tmp_path), "--device", "qemu", "-q"]) == 2
    said = capsys.readouterr().err
    assert "the build is for cortex-m85, which no emulated machine has" in said
    assert "hint: --core NAME runs it on another: cortex-m0, " in said
    assert main(["bench", str(tmp_path), "--device", "qemu", "-q", "--core", "cortex-m9"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_missing_emulator_ends_with_exit_code_2(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_toy(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["bench", str(tmp_path), "--device", "qemu", "-q"]) == 2
    said = capsys.readouterr().err
    assert "not installed: arm-none-eabi-gcc, qemu-system-arm, gcc" in said
    assert "hint: sudo apt-get install" in said
    assert "libnewlib-arm-none-eabi" in said
    assert main(["devices"]) == 0
    assert "lacks arm-none-eabi-gcc, qemu-system-arm, gcc: sudo apt-get" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["x"], 2, "missing option '--device'", id="no device"),
        pytest.param(["x", "--device", "qemu"], 1, "there is nothing of this name", id="no folder"),
        pytest.param([__file__, "--device", "qemu"], 1, "it is a file", id="no build"),
        pytest.param(
            [str(Path(__file__).parent), "--device", "qemu"],
            1,
            "no build here (manifest.json missing or damaged)",
            id="other folder",
        ),
    ],
)
def test_usage(arguments: list[str], code: int, message: str, capsys: Capture) -> None:
    assert main(["bench", *arguments]) == code
    assert message in capsys.readouterr().err


def test_devices_as_json(capsys: Capture) -> None:
    assert main(["devices", "--json"]) == 0
    (qemu,) = (one for one in json.loads(capsys.readouterr().out) if one["name"] == "qemu")
    assert qemu["figures"] == ["emulated"]
    assert set(qemu["options"]) == {"core", "inferences"}


def test_terminated_bench_puts_its_device_away(tmp_path: Path) -> None:
    """SIGTERM while a real worker times: folder and worker of the host go, samples stay."""
    left, env = tmp_path / "left", {**os.environ, "TMPDIR": str(tmp_path / "left")}
    left.mkdir()
    manifest = write_build(tmp_path / "build", small_model())
    (tmp_path / "build/manifest.json").write_text(json.dumps({**manifest, "project": {}}))
    command = [sys.executable, "-m", "edgekit", "bench", "build", "--device", "host"]
    with subprocess.Popen([*command, "--seconds", "60s"], env=env) as bench:
        deadline = time.monotonic() + 60
        kept = tmp_path / "runs/build-host-001/samples.jsonl"
        while not (kept.exists() and kept.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        children = psutil.Process(bench.pid).children(recursive=True)
        bench.terminate()
        assert bench.wait(20) == 143
    assert children
    psutil.wait_procs(children, 5)
    assert not any(child.is_running() for child in children)
    assert [path.name for path in left.iterdir()] == [f"edgekit-{os.getuid()}"]
    assert kept.stat().st_size


def test_broken_driver_of_another_package_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edgekit.devices]\nbroken = no_such_module:Driver\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["devices"]) == 0
    said = capsys.readouterr().out
    assert "devices 'broken' of no_such_module:Driver cannot be imported" in said
    assert "\n  host\n" in said
