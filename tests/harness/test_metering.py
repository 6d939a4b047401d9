"""A meter beside a device: faults of the meter, and figures that can be computed again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.artifact import Build
from edgekit.cli import main
from edgekit.devices.base import Request
from edgekit.errors import DeviceError
from edgekit.harness.bench import bench
from edgekit.harness.wanted import Wanted
from edgekit.power.base import find_meter
from edgekit.power.sysfs import Meter as Sysfs

BUILD = Build(Path("build/x"), {"target": "rpi4", "artifacts": []})


def wanted(meter: str, told: dict[str, Any], windows: int = 2) -> Wanted:
    """Windows of 0.3 s, in which time passes."""
    asked = Wanted("fake", {"real_time": True}, meter, told)
    return replace(asked, windows=windows, request=Request(seconds=0.3))


def recorded(path: Path, head: str = "") -> str:
    """5 s at 1 kHz: 30 mW."""
    rows = "".join(f"{i / 1000},0.03\n" for i in range(5000))
    path.write_text(f"{head}time_s,power_w\n{rows}")
    return str(path)


def test_folder_of_a_run_gives_its_figures_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"path": recorded(tmp_path / "trace.csv")}
    report = bench(BUILD, replace(wanted("replay", told, 3), output=tmp_path / "runs"))
    assert report.energy is not None
    assert report.latency is not None
    assert report.energy.median_uj == pytest.approx(30 * report.latency.mean_ms, rel=0.01)
    assert main(["energy", report.folder, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["median_uj"] == pytest.approx(report.energy.median_uj)
    assert again["uncertainty_uj"] == pytest.approx(report.energy.uncertainty_uj, rel=1e-3)
    assert len(again["windows"]) == 3


def test_samples_that_the_meter_lost_refuse_energy_and_not_latency(tmp_path: Path) -> None:
    told = {"path": recorded(tmp_path / "trace.csv", "# gaps: 0.1:0.2\n")}
    report = bench(BUILD, wanted("replay", told))
    assert report.energy is not None
    assert report.energy.median_uj is None
    assert [window.gross_j for window in report.energy.windows] == [None, None]
    assert "samples_lost" in report.codes
    assert report.validity == "invalid"
    assert report.latency is not None
    assert report.to_json()["energy"] is None, "no figure is no energy"


def test_meter_that_is_unplugged_in_a_window_ends_the_run_with_its_name(tmp_path: Path) -> None:
    sensor = tmp_path / "class/hwmon/hwmon0"
    sensor.mkdir(parents=True)
    (sensor / "name").write_text("ina226\n")
    (sensor / "power1_input").write_text("1000000\n")

    class Unplugged(Sysfs):
        """Loses its sensor in the second window."""

        def _start(self) -> None:
            super()._start()
            if getattr(self, "seen", False):
                (sensor / "power1_input").unlink()
            self.seen = True

    Unplugged.__module__ = Sysfs.__module__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgekit.harness.lab.find_meter", lambda name: Unplugged)
        asked = wanted("sysfs", {"root": str(tmp_path), "interval_ms": 2})
        with pytest.raises(DeviceError, match="hwmon0/power1 cannot be read") as caught:
            bench(BUILD, replace(asked, output=tmp_path / "runs"))
    assert caught.value.exit_code == 4
    (run,) = (tmp_path / "runs").iterdir()
    assert sorted(path.name for path in run.iterdir()) == ["samples.jsonl", "window-0.npz"]


def test_ppk2_simulated_is_labelled_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = pytest.importorskip("ppk2lab.transport.mock")
    from ppk2lab import PPK2

    def connect(_: object) -> PPK2:
        return PPK2.open(simulator=transport.SimulatedPPK2(rate_limit_hz=100_000))

    monkeypatch.setattr(find_meter("ppk2"), "_connect", connect)
    report = bench(BUILD, wanted("ppk2", {"voltage_v": 3.3}, 1))
    assert report.energy is not None
    mean = report.energy.windows[0].mean_power_w
    assert mean == pytest.approx(100e-6 * 3.3, rel=0.01)
    assert "estimated" in report.codes
    assert report.energy.info.name == "PPK2 SIM0001 (simulated)"
