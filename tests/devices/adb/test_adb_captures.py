"""What has no real part here, Android around adbd: read from what real phones printed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import captures
import pytest
from conftest import Desk

from edgekit.devices._adb.attached import Attached, choose, parse_attached
from edgekit.devices._adb.benchmark_model import parse_timings
from edgekit.devices._adb.dumpsys import parse_charging, parse_properties, parse_thermal
from edgekit.devices._adb.health import Health, refuse_hot
from edgekit.devices.adb import Driver
from edgekit.devices.base import NO_GOLDEN, Request, State
from edgekit.errors import DeviceError

HOT = captures.THERMAL.replace("Thermal Status: 0", "Thermal Status: 2")


def test_thermal_service_in_a_published_capture() -> None:
    found = parse_thermal(captures.THERMAL)
    assert found is not None
    assert (found.status, found.name) == (0, "none")
    assert found.temperatures_c == {"AP": 25.6, "BAT": 23.8, "PA": 25.7}  # not the cached SUBBAT
    assert parse_thermal("Can't find service: thermalservice") is None


def test_battery_in_a_published_capture() -> None:
    assert parse_charging(captures.BATTERY) is True
    for status, charging in (("3", False), ("5", False), ("1", None)):
        text = captures.BATTERY.replace("  status: 2", f"  status: {status}")
        assert parse_charging(text) is charging
    assert parse_charging("Can't find service: battery") is None


def test_properties_in_a_published_capture() -> None:
    found = parse_properties(captures.PROPERTIES)
    assert (found["ro.product.model"], found["ro.build.version.release"]) == ("K1", "4.4.2")
    assert len(found) == 6


def test_attached_devices_in_published_captures() -> None:
    found = parse_attached(captures.ATTACHED)
    assert [each.serial for each in found] == ["emulator-5556", "emulator-5554", "0a388e93"]
    assert [each.state for each in found] == ["device"] * 3
    assert str(found[2]) == "0a388e93 (Nexus 7)"
    assert choose(found, "0a388e93") is found[2]
    with pytest.raises(DeviceError, match="more than one device: emulator-5556") as caught:
        choose(found, None)
    assert caught.value.hint == "choose one: serial = ..."
    assert parse_attached("* daemon not running; starting now\nList of devices attached\n\n") == []


@pytest.mark.parametrize(
    ("text", "state", "hint"),
    [
        (captures.FORBIDDEN, "no permissions", "access to its USB port"),
        ("List of devices attached\n0a388e93  unauthorized usb:1-1 transport_id:2\n",
         "unauthorized", "allow debugging"),
        ("List of devices attached\n0a388e93\toffline\n", "offline", "adb reconnect offline"),
    ],
)  # fmt: skip
def test_device_that_cannot_be_used(text: str, state: str, hint: str) -> None:
    (found,) = parse_attached(text)
    assert found.state == state
    assert str(found) == f"{found.serial}, {state}"
    with pytest.raises(DeviceError, match=f"is {state}") as caught:
        choose([found], None)
    assert hint in caught.value.hint


def test_choice_among_none() -> None:
    with pytest.raises(DeviceError, match="adb sees no device"):
        choose([], None)
    with pytest.raises(DeviceError, match="adb sees no device b") as caught:
        choose([Attached("a", "device")], "b")
    assert caught.value.hint == "it sees a"
    with pytest.raises(DeviceError) as caught:
        choose([], "192.168.1.7:5555")
    assert caught.value.hint.endswith("adb connect 192.168.1.7:5555")


def test_benchmark_model_in_published_captures() -> None:
    found = parse_timings(captures.BENCHMARK)
    assert (found.inferences, found.mean_ms, found.deviation_ms) == (50, 33.2094, 0.45)
    assert (found.first_ms, found.init_ms, found.memory_mb) == (49.06, 0.855, 12.8672)
    newer = parse_timings(captures.BENCHMARK + captures.BENCHMARK_MEMORY)
    assert newer.memory_mb == 12.8672  # the first that it says
    older = parse_timings(captures.BENCHMARK_2019)
    assert (older.inferences, older.mean_ms) == (15, 66.7676)
    assert (older.init_ms, older.memory_mb) == (9.933, None)
    peak = "Overall peak memory footprint (MB) via periodic monitoring: 21.5\n"
    assert parse_timings(captures.BENCHMARK + peak).memory_mb == 21.5


def test_benchmark_model_with_one_inference_and_with_none() -> None:
    one = "count=1 curr=49060\ncount=2 curr=33(all same)\nInference timings in us: Init: 855, F"
    found = parse_timings(one)
    assert (found.inferences, found.mean_ms, found.first_ms) == (2, 0.033, 49.06)
    with pytest.raises(DeviceError, match="no timings: Failed to load"):
        parse_timings("STARTING!\nERROR\nFailed to load model m.tflite\n")


def test_health_is_part_of_the_state() -> None:
    state = State(load=1.0, temperatures_c={"skin": 30.0})
    cool = Health(parse_thermal(captures.THERMAL), charging=True).added(state)
    assert (cool.load, cool.charging, cool.throttled) == (1.0, True, ())
    assert cool.temperatures_c == {"skin": 30.0, "AP": 25.6, "BAT": 23.8, "PA": 25.7}
    hot = Health(parse_thermal(HOT), charging=False)
    assert hot.added(state).throttled == ("thermal_moderate",)
    assert Health().added(state) == state
    with pytest.raises(DeviceError, match=r"K1 is hot \(thermal status: moderate\)") as caught:
        refuse_hot("K1", hot, allowed=False)
    assert "allow_hot" in caught.value.hint
    refuse_hot("K1", hot, allowed=True)
    refuse_hot("K1", Health(), allowed=False)


def pretend(desk: Desk, name: str, text: str, folder: Path) -> None:
    desk.phone.install(name, f"cat <<'END'\n{text}END", folder)


def test_bench_on_a_phone_whose_services_print_published_captures(
    desk: Desk, tmp_path: Path
) -> None:
    properties = captures.PROPERTIES + "[ro.product.cpu.abi]: [x86_64]\n"
    pretend(desk, "getprop", properties, tmp_path)
    service = (
        f"case $1 in battery) cat <<'END'\n{captures.BATTERY}END\n;; *) cat <<'END'\n{{}}END\nesac"
    )
    desk.phone.install("dumpsys", service.format(HOT), tmp_path)
    try:
        with Driver() as driver, pytest.raises(DeviceError, match=r"K1 \(.*\) is hot"):
            driver.deploy(desk.job())
        with Driver() as driver:
            driver.deploy(desk.job(allow_hot=True))
            window = driver.run(Request(seconds=0.1, warmup_seconds=0.0))
            told = driver.environment()
        assert (window.before.charging, window.codes) == (True, ("hot",))
        assert window.after.throttled == ("thermal_moderate",)
        assert (told["model"], told["android"], told["abi"]) == ("K1", "4.4.2", "x86_64")
        desk.phone.install("dumpsys", service.format(captures.THERMAL), tmp_path)
        with Driver() as driver:
            driver.deploy(desk.job())
            assert driver.run(Request(seconds=0.1, warmup_seconds=0.0)).codes == ()
    finally:
        desk.phone.shell("rm /usr/local/bin/*")


def test_benchmark_model_that_prints_a_published_capture(desk: Desk, tmp_path: Path) -> None:
    tool = tmp_path / "benchmark_model"
    tool.write_text(f"#!/bin/sh\necho $@ >&2\ncat <<'END'\n{captures.BENCHMARK}END\n")
    samples: list[float] = []
    with Driver() as driver:
        driver.deploy(desk.job(benchmark_model=str(tool), runtime="", worker=""))
        assert driver.check().codes == (NO_GOLDEN,)
        window = driver.run(replace(Request(), samples=samples.extend))
        told = driver.environment()
    assert window.latency_ms == tuple(samples) == (33.2094,)
    assert (window.inferences, window.first_ms, window.init_ms) == (50, 49.06, 0.855)
    assert window.end_s - window.start_s == pytest.approx(50 * 33.2094e-3)
    assert (told["runtime"], told["memory_mb"]) == ("benchmark_model", 12.8672)
    with Driver() as driver:
        driver.deploy(desk.job(benchmark_model="/bin/false"))
        with pytest.raises(DeviceError, match="benchmark_model ends with code 1"):
            driver.run(Request())
