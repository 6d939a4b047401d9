"""Meter android: its parsers on published captures, and the meter on a fake adb that prints them.

No phone can be here. The capture of `energy_value` is of a Pixel 6, as google/oboe (Apache-2.0)
documents it in apps/OboeTester/power; those of `dumpsys battery` follow AOSP's BatteryService and a
Galaxy phone's; lines of the HAL are in the format of AOSP's PowerStats::dumpEnergyMeter.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edgekit.errors import ConnectionLost, DeviceError, UsageError
from edgekit.measure.energy import Span, window_energy
from edgekit.power._android import ampere, battery, rails, volts
from edgekit.power.android import Meter
from edgekit.power.base import Trace

PIXEL_6 = """t=349894
CH0(T=349894)[S10M_VDD_TPU], 5578756
CH1(T=349894)[VSYS_PWR_MODEM], 29110940
CH2(T=349894)[VSYS_PWR_RFFE], 3166046
CH3(T=349894)[S2M_VDD_CPUCL2], 30203502
CH4(T=349894)[S3M_VDD_CPUCL1], 23377533
CH5(T=349894)[S4M_VDD_CPUCL0], 46356942
CH6(T=349894)[S5M_VDD_INT], 10771876
CH7(T=349894)[S1M_VDD_MIF], 21091363
t=359458
CH0(T=359458)[VSYS_PWR_WLAN_BT], 45993209
CH7(T=359458)[VSYS_PWR_DISPLAY], 81221665
"""
HAL = """
============= PowerStats HAL 2.0 energy consumers ==============
                                TPU          5578.76 mWs
============= PowerStats HAL 2.0 energy meter ==============
                           Channel   Cumulative Energy
             [S10M_VDD_TPU]:Tensor          5578.76 mWs
          [S2M_VDD_CPUCL2]:CPU(BIG)        30203.50 mWs
         [VSYS_PWR_DISPLAY]:Display        81221.66 mWs
========== End of PowerStats HAL 2.0 energy meter ==========
"""
PLUGGED = """Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Max charging current: 0
  Max charging voltage: 0
  Charge counter: 2845000
  status: 5
  health: 2
  present: true
  level: 100
  scale: 100
  voltage: 4312
  temperature: 302
  technology: Li-ion
  LED Charging: true
  current now: 141
"""
UNPLUGGED = PLUGGED.replace("USB powered: true", "USB powered: false").replace("tus: 5", "tus: 3")


def test_rails_of_a_published_kernel_capture() -> None:
    found = rails(PIXEL_6)
    assert len(found) == 10
    assert found["S2M_VDD_CPUCL2"] == pytest.approx(30.203502)
    assert found["VSYS_PWR_DISPLAY"] == pytest.approx(81.221665)


def test_rails_of_the_hals_published_format() -> None:
    assert rails(HAL) == {
        "S10M_VDD_TPU": pytest.approx(5.57876),
        "S2M_VDD_CPUCL2": pytest.approx(30.2035),
        "VSYS_PWR_DISPLAY": pytest.approx(81.22166),
    }
    assert rails("Can't find service: android.hardware.power.stats.IPowerStats/default\n") == {}
    assert rails("cat: /sys/bus/iio/devices/iio:device0/energy_value: Permission denied\n") == {}


def test_battery_of_published_captures() -> None:
    assert battery(PLUGGED).powered == ("USB",)
    assert (battery(UNPLUGGED).powered, battery(UNPLUGGED).charging) == ((), False)
    assert battery(UNPLUGGED.replace("status: 3", "status: 2")).charging
    with pytest.raises(DeviceError, match="says nothing of a battery"):
        battery("Can't find service: battery\n")


@pytest.mark.parametrize(
    ("told", "amperes"),
    [
        ([-412_000, -398_000, -420_000], 0.412),
        ([412_000, 398_000, 420_000], 0.412),
        ([-380, -412, -450], 0.412),
        ([1_200, 1_300, 1_250], 1.25),
        ([-2_345_678], 2.345678),
    ],
    ids=["uA, below 0", "uA, above 0", "mA, below 0", "mA, above 0", "much"],
)
def test_sign_and_unit_are_calibrated(told: list[float], amperes: float) -> None:
    assert sorted(told)[len(told) // 2] * ampere(told) == pytest.approx(amperes)


def test_what_no_battery_tells() -> None:
    for told in ([0], [2], [8_000_000_000]):
        with pytest.raises(DeviceError, match="no current that a phone draws"):
            ampere(told)
    assert [volts(raw) for raw in (4_312_000, 4312, 4.3)] == pytest.approx([4.312, 4.312, 4.3])
    with pytest.raises(DeviceError, match="voltage cannot be 0"):
        volts(0)


FAKE = """#!/bin/sh
# prints what files beside it hold; counts rails up by the clock: 2 W and 0.5 W
here=$(dirname "$0")
[ -e "$here/gone" ] && { echo "error: device offline" >&2; exit 1; }
[ "$1" = -s ] && shift 2
case "$3" in
*dumpsys\\ battery*) cat "$here/battery" ;;
*IPowerStats*) [ -e "$here/hal" ] && awk -v t="$(date +%s.%N)" 'BEGIN {
    t -= 1.7e9; printf "  [S2M_VDD_CPUCL2]:CPU   %.2f mWs\\n", 2000 * t
    printf "  [VSYS_PWR_DISPLAY]:Display   %.2f mWs\\n", 500 * t }' || true ;;
*energy_value*) cat "$here/kernel" 2>/dev/null || echo "Permission denied" ;;
*current_now*) cat "$here/cell" ;;
esac
[ -e "$here/cut" ] || echo edgekit-code:0
"""


@pytest.fixture
def fake_adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "adb"
    script.write_text(FAKE)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "battery").write_text(UNPLUGGED)
    (tmp_path / "cell").write_text("-412\n3912000\n")
    return tmp_path


def record(seconds: float, given: dict[str, object]) -> Trace:
    with Meter({"interval_ms": 50, **given}) as meter:
        meter.open()
        meter.start()
        time.sleep(seconds)
        return meter.stop()


def power(trace: Trace) -> float:
    ends = trace.time_s[[1, -2]].tolist()
    found = window_energy(trace, Span(*ends)).mean_power_w
    assert found is not None
    return found


def test_rails_of_a_fake_adb(fake_adb: Path) -> None:
    (fake_adb / "hal").touch()
    trace = record(1.0, {"serial": "emulator-5554"})
    assert power(trace) == pytest.approx(2.5, rel=0.05)
    assert trace.info.name == "phone emulator-5554 (rails S2M_VDD_CPUCL2, VSYS_PWR_DISPLAY)"
    assert (trace.info.scope, trace.codes) == ("rail", ())
    assert 0 < trace.clock_error_s < 0.5
    trace = record(0.6, {"rails": "S2M_VDD_CPUCL2"})
    assert power(trace) == pytest.approx(2.0, rel=0.1)
    (fake_adb / "battery").write_text(PLUGGED)
    assert record(0.2, {}).codes == ("charging",)
    with pytest.raises(UsageError, match="no rail S9") as caught:
        record(0, {"rails": "S9"})
    assert "VSYS_PWR_DISPLAY" in caught.value.hint


def test_text_of_a_fake_adb_that_was_cut_off_is_not_taken_for_whole(fake_adb: Path) -> None:
    (fake_adb / "hal").touch()
    (fake_adb / "cut").touch()
    with pytest.raises(ConnectionLost, match="the connection broke"):
        record(0.2, {})


def test_rails_of_the_kernel_where_the_hal_of_a_fake_adb_tells_none(fake_adb: Path) -> None:
    (fake_adb / "kernel").write_text(PIXEL_6)
    trace = record(0.2, {})
    assert trace.energy_j is not None
    assert trace.energy_j[0] == pytest.approx(sum(rails(PIXEL_6).values()))
    (fake_adb / "kernel").unlink()
    with pytest.raises(DeviceError, match="counts no rails"):
        record(0, {})


def test_battery_of_a_fake_adb(fake_adb: Path) -> None:
    trace = record(0.5, {"source": "battery"})
    assert power(trace) == pytest.approx(0.412 * 3.912)
    assert trace.info.scope == "battery"
    (fake_adb / "cell").write_text("Permission denied\n3912000\n")
    with pytest.raises(DeviceError, match="tells no battery current"):
        record(0.1, {"source": "battery"})


def test_battery_that_a_cable_feeds_is_refused(fake_adb: Path) -> None:
    (fake_adb / "battery").write_text(PLUGGED)
    with pytest.raises(DeviceError, match="charging, or something else feeds it") as caught:
        record(0.1, {"source": "battery"})
    assert "Wi-Fi" in caught.value.hint
    (fake_adb / "battery").write_text(UNPLUGGED)
    with Meter({"source": "battery"}) as meter:
        meter.open()
        meter.start()
        (fake_adb / "battery").write_text(PLUGGED)
        time.sleep(0.2)
        assert meter.stop().codes == ("charging",)


def test_phone_that_goes_away(fake_adb: Path) -> None:
    (fake_adb / "hal").touch()
    with Meter({"interval_ms": 20}) as meter:
        meter.open()
        meter.start()
        (fake_adb / "gone").touch()
        time.sleep(0.3)
        with pytest.raises(DeviceError, match="device offline") as caught:
            meter.stop()
    assert caught.value.exit_code == 4
    with pytest.raises(UsageError, match="no source 'screen'"):
        Meter({"source": "screen"})
