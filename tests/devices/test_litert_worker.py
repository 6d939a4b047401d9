"""What the worker reads of a board, and that it stays one file for old Pythons."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from edgekit.devices._litert import worker
from edgekit.devices.host import WORKER


def test_it_is_one_file_for_python_3_8_and_imports_nothing_of_edgekit() -> None:
    tree = ast.parse(WORKER.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        name.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert not {name for name in imported if name and name.startswith("edgekit")}
    assert {"json", "numpy"} <= imported


@pytest.mark.parametrize(
    ("word", "now", "since_boot"),
    [
        ("0x0", [], []),
        ("0x50005", ["under_voltage", "throttled"], ["under_voltage", "throttled"]),
        ("0x80008", ["soft_temperature_limit"], ["soft_temperature_limit"]),
        ("0x20000", [], ["frequency_capped"]),
        ("50000", [], ["under_voltage", "throttled"]),  # the firmware's file has no 0x
    ],
)
def test_what_holds_a_raspberry_pi_back(
    monkeypatch: pytest.MonkeyPatch, word: str, now: list[str], since_boot: list[str]
) -> None:
    monkeypatch.setattr(worker, "_read", lambda path: word if "get_throttled" in path else "")
    found = worker.state()
    assert found["throttled"] == now
    assert found["throttled_since_boot"] == since_boot


def test_temperatures_by_the_name_of_their_sensor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (kind, value) in enumerate(
        [("cpu-thermal", "45277"), ("cpu-thermal", "50000"), ("x", "")]
    ):
        zone = tmp_path / f"thermal_zone{number}"
        zone.mkdir()
        (zone / "type").write_text(f"{kind}\n")
        (zone / "temp").write_text(value)
    find = worker.glob.glob
    monkeypatch.setattr(
        worker.glob, "glob", lambda p: find(p.replace("/sys/class/thermal", str(tmp_path)))
    )
    assert worker._temperatures() == {"cpu-thermal": 45.277, "thermal_zone1": 50.0}


@pytest.mark.parametrize(
    ("states", "charging"),
    [([], None), (["Discharging"], False), (["Full", "Charging"], True)],
)
def test_charging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, states: list[str], charging: bool | None
) -> None:
    for number, text in enumerate(states):
        supply = tmp_path / f"BAT{number}"
        supply.mkdir()
        (supply / "type").write_text("Battery\n")
        (supply / "status").write_text(f"{text}\n")
    (tmp_path / "AC").mkdir()
    (tmp_path / "AC/type").write_text("Mains\n")
    find = worker.glob.glob
    monkeypatch.setattr(
        worker.glob, "glob", lambda p: find(p.replace("/sys/class/power_supply", str(tmp_path)))
    )
    assert worker._charging() is charging
