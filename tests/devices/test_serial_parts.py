"""Parts of the serial driver: what a build says, clocks, the runner's texts, ports."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serial_toy import version_of, write_serial_toy
from toy_project import HEADER, SECOND, VECTORS, reference

from edgekit.devices._serial.monitor import Inferred
from edgekit.devices._serial.ports import find_port, port_names
from edgekit.devices._serial.runner import write_runner_log
from edgekit.devices._serial.subject import Output, Subject, read_subject
from edgekit.devices._serial.timing import Timed, length
from edgekit.devices.serial import Driver
from edgekit.errors import DeviceError, ModelError, OutputError, UsageError


def test_vectors_version_and_outputs_of_a_build(tmp_path: Path) -> None:
    manifest = write_serial_toy(tmp_path)
    found = read_subject(tmp_path, manifest)
    wanted = [bytes(value & 255 for value in row) for row in VECTORS]
    assert [given for given, _ in found.vectors] == wanted
    assert [list(struct.unpack("4b", out)) for _, out in found.vectors] == [
        reference(row) for row in VECTORS
    ]
    assert found.outputs == (Output(4, 1, "i", 0.125, -3),)
    assert found.version == version_of(tmp_path)


def test_version_changes_with_every_source(tmp_path: Path) -> None:
    changed = {"second": SECOND.replace(">>= 5", ">>= 4"), "header": HEADER.replace("52", "64")}
    found = {"as it is": {}, **{name: {name: text} for name, text in changed.items()}}
    for name, toy in found.items():
        write_serial_toy(tmp_path / name, **toy)
    versions = {version_of(tmp_path / name) for name in found}
    assert len(versions) == 3
    assert all(len(version) == len("toy-") + 12 for version in versions)


def test_what_outputs_stand_for() -> None:
    outputs = (
        Output(8, 4, "f", 1.0, 0),
        Output(2, 1, "u", 0.5, 128),
        Output(4, 2, "i", 0.001, 0),
        Output(8, 8, "i", 1.0, 0),
    )
    content = struct.pack("<2f2B2hq", 1.5, -2.25, 128, 255, -1000, 7, -5)
    real = [value for _, value in Subject("", (), outputs).real(content)]
    assert real == pytest.approx([1.5, -2.25, 0, 63.5, -1.0, 0.007, -5])


def test_build_without_a_c_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no C project") as found:
        read_subject(tmp_path, {"target": "rpi4"})
    assert "--export c_project" in found.value.hint


@pytest.mark.parametrize("name", ["serial/model.h", "toy_golden.h", "toy.h"])
def test_damaged_build_is_named(tmp_path: Path, name: str) -> None:
    manifest = write_serial_toy(tmp_path)
    path = tmp_path / "c_project" / name
    path.unlink()
    with pytest.raises(ModelError, match=f"{name} is missing") as found:
        read_subject(tmp_path, manifest)
    assert found.value.hint == "build it again"
    path.write_text("nothing\n")
    with pytest.raises(ModelError):
        read_subject(tmp_path, manifest)


@pytest.mark.parametrize(
    ("us", "host_s", "found"),
    [
        ((1_000_000, 3_000_000), 2.0, (2.0, ())),
        ((2**32 - 500_000, 1_500_000), 2.0, (2.0, ())),
        ((3_000_000, 1_000_000), 2.0, (2.0, ("clock_jump",))),
        ((0, 4_000_000), 2.0, (2.0, ("clock_jump",))),
        (None, 2.5, (2.5, ())),
    ],
    ids=["plain", "wrapped", "backwards", "too far", "no clock"],
)
def test_length_of_a_window(
    us: tuple[int, int] | None, host_s: float, found: tuple[float, tuple[str, ...]]
) -> None:
    seconds, codes = length(Inferred(1, 10.0, 10.0 + host_s, us, ()), 0.001, real_time=True)
    assert (seconds, codes) == (pytest.approx(found[0]), found[1])


def test_clock_of_an_emulator_counts_by_itself() -> None:
    ran = Inferred(1, 10.0, 10.1, (0, 4_000_000), ())
    assert length(ran, 0.001, real_time=False) == (4.0, ())
    backwards = Inferred(1, 10.0, 10.1, (2**33, 0), ())
    assert length(backwards, 0.001, real_time=False)[1] == ("clock_jump",)


def timed(seconds: float, inferences: int = 100) -> Timed:
    ran = Inferred(inferences, 0, seconds, (0, round(seconds * 1e6)), (0.25, 0.75))
    return Timed(ran, seconds, 10, ())


def test_runner_log_has_the_median_of_five_windows(tmp_path: Path) -> None:
    windows = [timed(seconds) for seconds in (10.0, 12.5, 12.5, 16.0, 20.0)]
    write_runner_log(tmp_path / "new", "x.bin", windows, 0.0)
    lines = (tmp_path / "new/results.txt").read_text().splitlines()
    assert lines[0].endswith("not an MLPerf result")
    assert lines[2].endswith(" ulp-mlperf: Median throughput is      8.000 inf./sec.")
    assert lines[1].endswith("ulp-mlperf: " + "-" * 57)
    rows = json.loads((tmp_path / "new/results.json").read_text())
    assert len(rows) == 5
    assert rows[1]["infer"] == {
        **{"results": [0.25, 0.75], "total_inferences": 1, "start_time": 0},
        **{"end_time": 12_500_000, "elapsed_time": 12_500_000, "iterations": 100},
        **{"warmups": 10, "throughput": 8.0},
    }


@pytest.mark.parametrize(
    ("windows", "error"),
    [([timed(10)] * 4, "ERROR 1 - loop_count was"), ([timed(10)] * 4 + [timed(9)], "ERROR 2")],
)
def test_runner_log_says_what_the_rules_forbid(
    tmp_path: Path, windows: list[Timed], error: str
) -> None:
    write_runner_log(tmp_path, "x.bin", windows, 0.0)
    text = (tmp_path / "results.txt").read_text()
    assert error in text
    assert "Median" not in text


def test_runner_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file cannot be written"):
        write_runner_log(tmp_path / "file", "x.bin", [timed(10)], 0.0)


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What pyserial finds, simulated: this machine may have no port at all."""
    found = [
        port("/dev/ttyACM0", "STM32 STLink", "066DFF48"),
        port("/dev/ttyACM1", "STM32 STLink", "066DFF99"),
        port("/dev/ttyUSB0", "FT232R USB UART", "A10K"),
        port("/dev/ttyS0", "n/a", None, "n/a"),
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: found)
    return found


def port(device: str, description: str, number: str | None, hwid: str = "USB") -> Any:
    class Port(SimpleNamespace):
        def __lt__(self, other: Any) -> bool:
            return bool(self.device < other.device)

    return Port(device=device, description=description, serial_number=number, hwid=hwid)


def test_simulated_ports_are_listed(ports: list[Any]) -> None:
    assert port_names() == ["/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyUSB0"]
    assert Driver.plugged_in() == port_names()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("/dev/ttyACM7", "/dev/ttyACM7"),
        ("socket://host:7", "socket://host:7"),
        ("COM3", "COM3"),
        ("ftdi", ""),
        ("066dff99", "/dev/ttyACM1"),
        ("FT232R", "/dev/ttyUSB0"),
    ],
)
def test_which_of_the_simulated_ports_is_meant(ports: list[Any], asked: str, found: str) -> None:
    if found:
        assert find_port(asked) == found
        return
    with pytest.raises(DeviceError, match="no serial port 'ftdi'") as caught:
        find_port(asked)
    assert "FT232R USB UART A10K" in caught.value.hint


@pytest.mark.parametrize("asked", [None, "STLink"])
def test_several_simulated_ports_are_refused(ports: list[Any], asked: str | None) -> None:
    with pytest.raises(UsageError, match=r"several serial ports: /dev/ttyACM0 STM32 STLink 066DFF"):
        find_port(asked)


def test_the_only_simulated_port_is_taken(ports: list[Any]) -> None:
    del ports[:2]
    assert find_port(None) == "/dev/ttyUSB0"
    del ports[:]
    with pytest.raises(DeviceError, match="no serial port on this machine"):
        find_port(None)
