"""The serial driver against a microcontroller that is simulated on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from serial_toy import version_of, write_serial_toy
from virtual_mcu import VirtualMcu, toy

from edgekit.devices import base
from edgekit.devices._serial import exchange, monitor, session
from edgekit.devices.base import Golden, Job, Request, Window
from edgekit.devices.serial import Driver
from edgekit.errors import ConnectionLost, DeviceError, MissingExtra, UsageError

QUICK = Request(seconds=0.1, warmup_seconds=0.01)
Simulate = Callable[..., VirtualMcu]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause is longer than a board of this kind needs."""
    monkeypatch.setattr(base, "PAUSE_S", 0.1)
    monkeypatch.setattr(exchange, "QUIET_S", 0.5)
    monkeypatch.setattr(monitor, "SETTLE_S", 0.01)
    monkeypatch.setattr(session, "ENOUGH_S", 0.03)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    write_serial_toy(tmp_path / "build")
    return tmp_path / "build"


@pytest.fixture
def simulate(build: Path, tmp_path: Path) -> Iterator[Simulate]:
    """Starts a simulated board with the firmware of `build`; it ends with the test."""
    boards: list[VirtualMcu] = []

    def start(**traits: Any) -> VirtualMcu:
        given = {"model": version_of(build)} | traits
        boards.append(VirtualMcu(tmp_path / "ttyACM0", **given).__enter__())
        return boards[-1]

    yield start
    for board in boards:
        board.__exit__()


def job(build: Path, **options: Any) -> Job:
    given = {"port": str(build.parent / "ttyACM0"), "quick": True, "patience": 0.7} | options
    manifest = json.loads((build / "manifest.json").read_text())
    return Job(build, manifest, None, {name: v for name, v in given.items() if v is not None})


def measured(
    build: Path, windows: int = 1, request: Request = QUICK, **options: Any
) -> tuple[Golden, list[Window], Driver]:
    """Golden vectors and windows; the driver is closed."""
    with Driver() as driver:
        driver.deploy(job(build, **options))
        golden = driver.check()
        return golden, [driver.run(request) for _ in range(windows)], driver


def test_simulated_board_computes_every_bit_and_is_timed(build: Path, simulate: Simulate) -> None:
    board = simulate(inference_s=0.002)
    told: list[float] = []
    request = Request(seconds=0.2, warmup_seconds=0.05, samples=told.extend)
    began = time.monotonic()
    golden, windows, driver = measured(build, 3, request)
    assert golden == Golden(vectors=3, compared=12, mismatched=0)
    assert (golden.ok, driver.reconnected) == (True, 0)
    for window in windows:
        assert window.latency_ms[0] == pytest.approx(2, rel=0.25)
        assert window.codes == ()
        assert began < window.start_s < window.end_s < time.monotonic()
        length = window.end_s - window.start_s
        assert length == pytest.approx(window.inferences * window.latency_ms[0] / 1e3, abs=0.03)
        assert length > 0.19
        assert 0 < window.clock_error_s < 0.05
    assert told == [window.latency_ms[0] for window in windows]
    counts = [command.split()[1:] for command in board.heard if command.startswith("infer")][-3:]
    assert all(60 <= int(timed) <= 200 and 10 <= int(warm) <= 50 for timed, warm in counts)


def test_simulated_environment_names_firmware_protocol_and_clock(
    build: Path, simulate: Simulate
) -> None:
    simulate()
    with Driver() as driver:
        driver.deploy(job(build))
        driver.check()
        driver.run(QUICK)
        found = driver.environment()
        assert driver.identity() == f"serial {(build.parent / 'ttyACM0').resolve()}"
    assert found["protocol"] == "compatible with MLPerf Tiny's; not an MLPerf result"
    assert (found["name"], found["firmware"]) == ("virtual", "virtual 1")
    assert found["model"] == version_of(build)
    assert (found["golden"], found["clock"], found["garbled_replies"]) == ("every bit", "device", 0)
    assert 0 < found["round_trip_ms"] < 100


def test_simulated_board_that_computes_something_else_is_named(
    build: Path, simulate: Simulate
) -> None:
    simulate(compute=lambda content: toy(content)[:3] + b"\x07")
    golden, _, _ = measured(build, 0)
    assert (golden.ok, golden.compared, golden.mismatched) == (False, 12, 3)
    assert re.fullmatch(r"golden vector 0: output byte 3 is 7, should be \d+", golden.detail)


def test_simulated_fewer_golden_vectors_where_that_is_asked_for(
    build: Path, simulate: Simulate
) -> None:
    simulate()
    assert measured(build, 0, vectors=1)[0].vectors == 1


def off_by(steps: int) -> Callable[[bytes], bytes]:
    """The toy, whose last output is so many steps away from where it should be."""

    def compute(content: bytes) -> bytes:
        right = toy(content)
        signed = right[3] - 256 if right[3] > 127 else right[3]
        return right[:3] + bytes([(signed - steps if signed > 0 else signed + steps) & 255])

    return compute


@pytest.mark.parametrize(("steps", "wrong"), [(0, 0), (2, 0), (3, 3)])
def test_simulated_firmware_of_others_is_compared_as_it_prints(
    build: Path, simulate: Simulate, steps: int, wrong: int
) -> None:
    simulate(ours=False, model="kws01", compute=off_by(steps))
    golden, windows, _ = measured(build, model="kws01")
    assert (golden.compared, golden.mismatched, golden.tolerance) == (12, wrong, 2)
    assert golden.ok == (wrong == 0)
    assert windows[0].codes == ()
    if wrong:
        assert re.match(r"golden vector 0: value 3 is -?\d+\.\d{3}, should be", golden.detail)


def test_simulated_tolerance_for_firmware_of_others_is_an_option(
    build: Path, simulate: Simulate
) -> None:
    simulate(ours=False, compute=off_by(3))
    assert measured(build, 0, tolerance=3)[0].ok


@pytest.mark.parametrize("model", ["toy-000000000000", "kws01"])
def test_simulated_board_with_another_model_is_refused(
    build: Path, simulate: Simulate, model: str
) -> None:
    simulate(model=model)
    with pytest.raises(DeviceError, match=f"runs the model '{model}', the build is 'toy-") as found:
        measured(build)
    assert "flash c_project/" in found.value.hint


COMMANDS = ("name", "profile", "db load", "db", "infer", "out")


@pytest.mark.parametrize("command", COMMANDS)
def test_simulated_garbage_between_the_lines_is_passed_over(
    build: Path, simulate: Simulate, command: str
) -> None:
    simulate(faults={command: ["garbage"] * 4})
    golden, _, driver = measured(build, 0)
    assert (golden.ok, driver.reconnected) == (True, 0)


@pytest.mark.parametrize("command", COMMANDS)
def test_simulated_half_a_line_is_asked_for_again(
    build: Path, simulate: Simulate, command: str
) -> None:
    board = simulate(faults={command: ["cut"]})
    golden, _, driver = measured(build, 0)
    assert (golden.ok, driver.reconnected) == (True, 0)
    assert board.faults == {command: []}


@pytest.mark.parametrize("command", ["db"])
def test_simulated_command_that_is_lost_is_sent_again(
    build: Path, simulate: Simulate, command: str
) -> None:
    board = simulate(faults={command: ["silence"]})
    assert measured(build, 0)[0].ok
    assert board.faults == {command: []}


def test_simulated_half_a_line_in_a_window_is_told(build: Path, simulate: Simulate) -> None:
    board = simulate()
    with Driver() as driver:
        driver.deploy(job(build))
        driver.check()
        driver.run(QUICK)
        board.faults["infer"] = ["cut"]
        assert driver.run(QUICK).codes == ("reconnected",)
        assert driver.environment()["garbled_replies"] == 1


def test_simulated_garbage_alone_is_named(build: Path, simulate: Simulate) -> None:
    simulate(faults={"profile": ["cut"] * 3})
    with pytest.raises(DeviceError, match="answers 'profile' with what makes no sense") as found:
        measured(build)
    assert "baud rate" in found.value.hint


def test_simulated_noise_without_end_is_named(build: Path, simulate: Simulate) -> None:
    simulate(faults={"name": ["babble"]})
    with pytest.raises(DeviceError, match="sends bytes without end"):
        measured(build)


def test_simulated_bit_that_the_line_flips_is_not_taken_for_a_wrong_model(
    build: Path, simulate: Simulate
) -> None:
    board = simulate(faults={"infer": ["flip"]})
    assert measured(build, 0)[0].ok
    assert "db print" in board.heard


@pytest.mark.parametrize("command", ["db", "infer", "out"])
def test_simulated_board_that_reboots_is_measured_after_all(
    build: Path, simulate: Simulate, command: str
) -> None:
    simulate(faults={command: ["reboot"]})
    golden, _, driver = measured(build, 0)
    assert (golden.ok, driver.reconnected) == (True, 1)


def test_simulated_reboot_in_a_window_is_recovered(build: Path, simulate: Simulate) -> None:
    board = simulate()
    with Driver() as driver:
        driver.deploy(job(build))
        driver.check()
        first = driver.run(QUICK)
        board.faults["infer"] = ["reboot"]
        second = driver.run(QUICK)
        assert driver.reconnected == 1
    assert second.codes == ()
    assert second.latency_ms[0] == pytest.approx(first.latency_ms[0], rel=0.3)


def test_simulated_board_that_always_reboots_is_named(build: Path, simulate: Simulate) -> None:
    simulate(faults={"infer": ["reboot"] * 9})
    with pytest.raises(ConnectionLost, match="restarted before it had answered 'infer 1 0'") as e:
        measured(build)
    assert "power supply" in e.value.hint


def test_simulated_board_that_hangs_is_named_in_time(build: Path, simulate: Simulate) -> None:
    simulate(faults={"infer": ["hang"]})
    began = time.monotonic()
    with pytest.raises(DeviceError, match=r"does not answer 'infer 1 0': nothing for 0\.7 s"):
        measured(build)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("command", ["profile", "infer"])
def test_simulated_board_that_is_pulled_out_is_named(
    build: Path, simulate: Simulate, command: str
) -> None:
    simulate(faults={command: ["vanish"]})
    with pytest.raises(ConnectionLost, match=r"no port .*ttyACM0") as found:
        measured(build)
    assert "plug the board in" in found.value.hint


@pytest.mark.parametrize("command", ["db", "infer"])
def test_simulated_board_that_is_plugged_in_again_is_measured_after_all(
    build: Path, simulate: Simulate, command: str
) -> None:
    simulate(faults={command: ["vanish:0.15"]})
    golden, windows, driver = measured(build)
    assert (golden.ok, len(windows)) == (True, 1)
    assert driver.reconnected in (1, 2)


@pytest.mark.parametrize("jump", ["-50000000", "50000000"])
def test_simulated_clock_that_jumps_is_told_and_not_believed(
    build: Path, simulate: Simulate, jump: str
) -> None:
    board = simulate(inference_s=0.002)
    with Driver() as driver:
        driver.deploy(job(build))
        driver.check()
        driver.run(QUICK)
        board.faults["infer"] = [f"jump:{jump}"]
        found = driver.run(Request(seconds=0.2, warmup_seconds=0))
    assert found.codes == ("clock_jump",)
    assert found.latency_ms[0] == pytest.approx(2, rel=0.25)


def test_simulated_clock_that_wraps_is_no_jump(build: Path, simulate: Simulate) -> None:
    board = simulate(inference_s=0.002)
    with Driver() as driver:
        driver.deploy(job(build))
        driver.check()
        driver.run(QUICK)
        board.us = 2**32 - 100_000 - round((time.monotonic() - board._began) * 1e6)
        found = driver.run(Request(seconds=0.3, warmup_seconds=0))
    assert found.codes == ()
    assert found.latency_ms[0] == pytest.approx(2, rel=0.25)


def test_simulated_clock_that_runs_at_another_rate_is_told(build: Path, simulate: Simulate) -> None:
    simulate(inference_s=0.002, clock_rate=0.5)
    _, windows, _ = measured(build, request=Request(seconds=0.5, warmup_seconds=0))
    assert windows[0].codes == ("clock_jump",)
    assert windows[0].latency_ms[0] == pytest.approx(2, rel=0.25)


def test_simulated_firmware_for_energy_is_timed_by_the_host(
    build: Path, simulate: Simulate
) -> None:
    simulate(inference_s=0.002, energy=True)
    with Driver() as driver:
        driver.deploy(job(build))
        assert driver.check().ok
        found = driver.run(Request(seconds=0.3))
        assert driver.environment()["clock"] == "host"
    assert found.latency_ms[0] == pytest.approx(2, rel=0.25)
    assert found.codes == ()


def test_simulated_window_that_comes_out_short_is_taken_again(
    build: Path, simulate: Simulate
) -> None:
    board = simulate(inference_s=0.004)
    with Driver() as driver:
        driver.deploy(job(build))
        driver.check()
        driver.run(QUICK)
        board.faults["infer"] = ["slow:0.5"]
        found = driver.run(QUICK)
    assert found.end_s - found.start_s > 0.09
    assert found.inferences > 40


def test_simulated_wrong_results_in_a_window_are_told(build: Path, simulate: Simulate) -> None:
    board = simulate()
    with Driver() as driver:
        driver.deploy(job(build))
        driver.check()
        driver.run(QUICK)
        board.faults["infer"] = ["drift"]
        assert driver.run(QUICK).codes == ("golden_mismatch",)


def test_simulated_window_ends_when_it_must(build: Path, simulate: Simulate) -> None:
    simulate(inference_s=0.03)
    request = Request(seconds=5, warmup_seconds=0, inferences=100, most_seconds=0.3)
    _, windows, _ = measured(build, 1, request)
    assert windows[0].inferences <= 10


def test_simulated_second_bench_on_the_same_port_is_refused(
    build: Path, simulate: Simulate
) -> None:
    simulate()
    with Driver() as first:
        first.deploy(job(build))
        with (
            Driver() as second,
            pytest.raises(DeviceError, match="ttyACM0 is in use by another program") as found,
        ):
            second.deploy(job(build))
        assert not isinstance(found.value, ConnectionLost)
        assert first.check().ok
    with Driver() as third:
        third.deploy(job(build))
        assert third.check().ok


def test_port_that_is_not_there_is_named_at_once(build: Path) -> None:
    began = time.monotonic()
    with pytest.raises(DeviceError, match=r"no port .*ttyACM0") as found:
        measured(build)
    assert not isinstance(found.value, ConnectionLost)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("port", ["socke://x:1", "/etc/hostname"])
def test_what_is_no_port_is_refused(build: Path, port: str) -> None:
    with pytest.raises((UsageError, DeviceError)) as found:
        measured(build, port=port)
    assert port in found.value.message


def test_simulated_port_may_be_a_url(build: Path, simulate: Simulate) -> None:
    """A serial server on the network, as pyserial knows them."""
    board = simulate()
    server = socket.create_server(("127.0.0.1", 0))

    def bridge() -> None:
        connection, _ = server.accept()
        with connection, open(board.link, "r+b", buffering=0) as port:
            down = threading.Thread(target=_copy, args=(port.read, connection.sendall))
            down.daemon = True
            down.start()
            _copy(connection.recv, port.write)

    threading.Thread(target=bridge, daemon=True).start()
    url = f"socket://127.0.0.1:{server.getsockname()[1]}"
    golden, windows, _ = measured(build, port=url)
    server.close()
    assert (golden.ok, windows[0].codes) == (True, ())


def _copy(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
    with contextlib.suppress(OSError):  # the board is gone at the end
        while content := read(4096):
            write(content)


def test_simulated_results_are_written_as_the_runner_does(build: Path, simulate: Simulate) -> None:
    simulate()
    folder = build.parent / "log"
    measured(build, 5, runner_log=str(folder))
    assert {path.name for path in folder.iterdir()} == {"log.txt", "results.txt", "results.json"}
    rows = json.loads((folder / "results.json").read_text())
    assert rows.pop() == {"error": "error 2", "mode": "p"}
    assert [row["file"] for row in rows] == [f"{version_of(build)}_golden_0.bin"] * 5
    for row in rows:
        infer = row["infer"]
        assert infer["elapsed_time"] == infer["end_time"] - infer["start_time"]
        per_second = 1e6 * infer["iterations"] / infer["elapsed_time"]
        assert infer["throughput"] == pytest.approx(per_second)
        assert len(infer["results"]) == 4
    log = (folder / "log.txt").read_text()
    pattern = r"\d{4}\.\d{6} ulp-mlperf:   Throughput   : +(\d+\.\d{3}) inf\./sec\."
    assert [float(found) for found in re.findall(pattern, log)] == pytest.approx(
        [row["infer"]["throughput"] for row in rows], abs=1e-3
    )
    assert "not an MLPerf result" in log
    assert (
        "ERROR 2 - loop exited before 10 seconds elapsed." in (folder / "results.txt").read_text()
    )


@pytest.mark.parametrize("name", ["vectors", "patience", "baud"])
def test_number_that_makes_no_sense_is_refused(build: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} = -?0"):
        measured(build, **{name: 0})


def test_simulated_doctor_reaches_the_board_without_a_build(
    build: Path, simulate: Simulate
) -> None:
    port = {"port": str(build.parent / "ttyACM0")}
    board = simulate()
    Driver().reach(port)
    assert board.heard == ["name"]
    with Driver() as driver:
        driver.deploy(job(build))
        with pytest.raises(DeviceError, match="in use by another program"):
            Driver().reach(port)
    simulate(faults={"name": ["silence"] * 3})
    with pytest.raises(DeviceError, match="does not answer 'name'") as found:
        Driver().reach(port)
    assert "c_project/serial" in found.value.hint


def test_simulated_half_a_command_of_a_program_before_does_no_harm(
    build: Path, simulate: Simulate
) -> None:
    board = simulate()
    with board.link.open("wb", buffering=0) as port:
        port.write(b"db 0")
    assert measured(build, 0)[0].ok
    assert board.heard[0] == "db 0name"


def test_simulated_what_a_program_before_left_unread_does_no_harm(
    build: Path, simulate: Simulate
) -> None:
    board = simulate()
    with board.link.open("wb", buffering=0) as port:
        port.write(b"profile%infer 1 0%")
        time.sleep(0.05)
    assert measured(build, 0)[0].ok


def test_simulated_lines_that_are_not_for_the_host_are_no_sign_of_life(
    build: Path, simulate: Simulate
) -> None:
    simulate(faults={"infer": ["log"]})
    began = time.monotonic()
    with pytest.raises(DeviceError, match="does not answer 'infer 1 0'"):
        measured(build)
    assert time.monotonic() - began < 5


def test_simulated_buffer_that_is_too_small_is_not_overrun(build: Path, simulate: Simulate) -> None:
    board = simulate(room=8)
    with pytest.raises(DeviceError, match="16 bytes of input do not arrive whole"):
        measured(build)
    assert not [command for command in board.heard if re.match("db [0-9a-f]{2}", command)]


def test_unknown_option_is_refused(build: Path) -> None:
    with pytest.raises(UsageError, match="serial takes no option 'core'"):
        measured(build, core="cortex-m4")


def test_missing_pyserial_is_named(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.equipment.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="not installed: serial") as found:
        measured(build)
    assert "[serial]" in found.value.hint
