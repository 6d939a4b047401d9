"""Meter sysfs, on folders like the kernel's that a thread keeps counting in."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.errors import DeviceError, UsageError
from edgekit.measure.energy import Span, combine, window_energy
from edgekit.power.base import Trace, find_meter
from edgekit.power.sysfs import Meter


def write(path: Path, value: object) -> None:
    """As the kernel shows it: whole at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(f"{value}\n")
    os.replace(beside, path)


def rapl(root: Path, zone: str, label: str, full: int = 262_143_328_850) -> Path:
    folder = root / "class/powercap" / zone
    write(folder / "name", label)
    write(folder / "max_energy_range_uj", full)
    write(folder / "energy_uj", 5_000_000)
    return folder / "energy_uj"


def hwmon(root: Path, number: int, label: str, **files: int) -> Path:
    folder = root / f"class/hwmon/hwmon{number}"
    write(folder / "name", label)
    for name, value in files.items():
        write(folder / name, value)
    return folder


def battery(root: Path, status: str = "Discharging", **files: int) -> Path:
    folder = root / "class/power_supply/BAT0"
    write(folder / "type", "Battery")
    write(folder / "status", status)
    for name, value in files.items():
        write(folder / name, value)
    return folder


@contextmanager
def counting(change: Callable[[float], None]) -> Iterator[None]:
    """Call `change` with the seconds since the beginning, a thousand times a second."""
    end, began = threading.Event(), time.monotonic()

    def run() -> None:
        while not end.wait(0.001):
            change(time.monotonic() - began)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def record(root: Path, seconds: float, **given: object) -> Trace:
    with Meter({"root": str(root), "interval_ms": 5, **given}) as meter:
        meter.open()
        meter.start()
        time.sleep(seconds)
        return meter.stop()


def mean_power(trace: Trace, margin: float = 0.05) -> float:
    span = Span(float(trace.time_s[0]) + margin, float(trace.time_s[-1]) - margin)
    found = window_energy(trace, span).mean_power_w
    assert found is not None
    return found


def test_counters_of_two_packages_add_up_across_the_end_of_their_range(tmp_path: Path) -> None:
    first = rapl(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    second = rapl(tmp_path, "intel-rapl:1", "package-1")
    rapl(tmp_path, "intel-rapl:0:0", "core")

    def count(seconds: float) -> None:
        write(first, int(900_000 + 2e6 * seconds) % 1_000_000)
        write(second, int(5_000_000 + 1e6 * seconds))

    with counting(count):
        time.sleep(0.02)
        before = time.monotonic()
        trace = record(tmp_path, 0.6)
    assert trace.info.scope == "package"
    assert trace.info.name == "intel-rapl:0 + intel-rapl:1 (package-0)"
    assert before < trace.time_s[0] < trace.time_s[-1] < time.monotonic()
    assert (trace.clock, trace.gaps) == ("host", ())
    assert mean_power(trace) == pytest.approx(3.0, rel=0.1)
    assert trace.energy_j is not None
    assert (trace.energy_j[1:] >= trace.energy_j[:-1]).all()


def test_part_of_a_package_by_name(tmp_path: Path) -> None:
    rapl(tmp_path, "intel-rapl:0", "package-0")
    core = rapl(tmp_path, "intel-rapl:0:0", "core")
    with counting(lambda seconds: write(core, int(2e6 * seconds))):
        time.sleep(0.02)
        trace = record(tmp_path, 0.4, source="intel-rapl:0:0")
    assert trace.info.scope == "rail"
    assert mean_power(trace) == pytest.approx(2.0, rel=0.1)


def test_hwmon_power(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "cpu_thermal", temp1_input=25_000)
    hwmon(tmp_path, 2, "ina226", power1_input=1_250_000, curr1_input=250, in1_input=5_000)
    trace = record(tmp_path, 0.1)
    assert trace.info.name == "hwmon2/power1 (ina226)"
    assert mean_power(trace, 0.01) == pytest.approx(1.25)


def test_hwmon_current_times_voltage(tmp_path: Path) -> None:
    hwmon(tmp_path, 1, "ina3221", curr1_input=200, in1_input=3_300, curr2_input=1)
    trace = record(tmp_path, 0.1)
    assert trace.power_w is None
    assert mean_power(trace, 0.01) == pytest.approx(0.66)


@pytest.mark.parametrize("current", [-400_000, 400_000], ids=["flows out is below 0", "above 0"])
def test_battery_that_discharges(tmp_path: Path, current: int) -> None:
    battery(tmp_path, current_now=current, voltage_now=3_800_000)
    trace = record(tmp_path, 0.1)
    assert (trace.info.scope, trace.codes) == ("battery", ())
    assert mean_power(trace, 0.01) == pytest.approx(1.52)


def test_battery_that_is_charged_is_refused_and_later_noticed(tmp_path: Path) -> None:
    folder = battery(tmp_path, "Charging", power_now=1_500_000)
    with pytest.raises(DeviceError, match="battery of BAT0 is charging") as caught:
        record(tmp_path, 0.1)
    assert "unplug the charger" in caught.value.hint
    write(folder / "status", "Discharging")
    with Meter({"root": str(tmp_path)}) as meter:
        meter.open()
        meter.start()
        time.sleep(0.1)
        write(folder / "status", "Charging")
        trace = meter.stop()
    assert trace.codes == ("charging",)
    assert combine([], trace.info, trace.codes).codes == ("charging",)


def test_sensor_that_vanishes_is_a_device_error(tmp_path: Path) -> None:
    folder = hwmon(tmp_path, 0, "ina219", power1_input=1)
    with Meter({"root": str(tmp_path), "interval_ms": 1}) as meter:
        meter.open()
        meter.start()
        time.sleep(0.02)
        (folder / "power1_input").unlink()
        time.sleep(0.05)
        with pytest.raises(DeviceError, match="hwmon0/power1 cannot be read: No such file") as e:
            meter.stop()
    assert e.value.exit_code == 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read hwmon0")]


@contextmanager
def nobody() -> Iterator[None]:
    """Whom the permissions of files hold for."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_counter_that_only_root_may_read(tmp_path: Path) -> None:
    counter = rapl(tmp_path, "intel-rapl:0", "package-0")
    for folder in [*counter.parents][: len(counter.relative_to("/tmp").parts)]:
        if folder != Path("/tmp"):
            folder.chmod(0o755)
    counter.chmod(0o000)
    with nobody(), pytest.raises(DeviceError, match="intel-rapl:0 may not be read") as caught:
        record(tmp_path, 0.1)
    assert caught.value.hint == f"sudo chmod a+r {counter}, or run as root"


def test_readings_that_come_late_are_a_gap(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "ina219", power1_input=1_000_000)
    with Meter({"root": str(tmp_path), "interval_ms": 2}) as meter:
        meter.open()
        (source,) = meter._read  # type: ignore[attr-defined]
        slow, reads = replace(source), iter(range(1000))

        def read() -> list[float]:
            if next(reads) == 20:
                time.sleep(0.1)
            return source.read()

        object.__setattr__(slow, "read", read)
        meter._read = [slow]  # type: ignore[attr-defined]
        meter.start()
        time.sleep(0.3)
        trace = meter.stop()
    assert len(trace.gaps) >= 1
    window = window_energy(trace, Span(float(trace.time_s[1]), float(trace.time_s[-2])))
    assert (window.gross_j, window.codes) == (None, ("samples_lost",))


def test_what_cannot_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="the machine tells nothing of its power"):
        record(tmp_path, 0)
    hwmon(tmp_path, 0, "ina219", power1_input=1, power2_input=2)
    with pytest.raises(UsageError, match="several sources") as caught:
        record(tmp_path, 0)
    assert caught.value.hint == "choose source: hwmon0/power1, hwmon0/power2"
    with pytest.raises(UsageError, match="no source 'hwmon7'"):
        record(tmp_path, 0, source="hwmon7")
    with pytest.raises(UsageError, match="above zero"):
        Meter({"interval_ms": 0})
    with pytest.raises(DeviceError, match="nothing was recorded"):
        Meter({"root": str(tmp_path)}).stop()


def test_one_capture_follows_another_and_closing_twice_is_fine(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "ina219", power1_input=1)
    meter = find_meter("sysfs")({"root": str(tmp_path), "interval_ms": 1})
    meter.close()
    meter.open()
    ends = []
    for _ in range(2):
        meter.start()
        time.sleep(0.02)
        ends.append(meter.stop().time_s[[0, -1]].tolist())
    assert ends[0][1] < ends[1][0]
    meter.start()
    meter.close()
    meter.close()
    assert isinstance(Meter.plugged_in(), list)
