"""The ssh driver against a real sshd of a real Arm userland under qemu-user, faults included."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from arm_board import AARCH64, ARMHF, OLD_AARCH64, ArmBoard, Kind, small_disk
from litert_builds import small_model, write_build

from edgekit.devices._litert import device as litert_device
from edgekit.devices._litert.place import TIMED_OUT
from edgekit.devices._ssh.board import Board
from edgekit.devices._ssh.connection import Connection
from edgekit.devices._ssh.runtime import check_runtime
from edgekit.devices.base import Job, Request
from edgekit.devices.ssh import Driver
from edgekit.errors import ConnectionLost, DeviceError, MissingExtra, TargetError, UsageError

MakeBoard = Callable[[Kind], ArmBoard]
SHORT = Request(seconds=0.5, warmup_seconds=0.1, most_seconds=20)
slow = pytest.mark.slow
essential = pytest.mark.essential


@pytest.fixture
def board(make_board: MakeBoard) -> Iterator[ArmBoard]:
    """A Raspberry-Pi-like board; nothing may run there when a test is over."""
    found = make_board(AARCH64)
    yield found
    assert quiet(found) == []
    assert not [each for each in psutil.Process().children() if each.name() == "ssh"]


def quiet(board: ArmBoard) -> list[str]:
    """What still runs on the board some seconds after."""
    until = time.monotonic() + 10
    while (left := board.words()) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def deployed(board: ArmBoard, folder: Path, manifest: Mapping[str, Any], **options: Any) -> Driver:
    driver = Driver()
    try:
        driver.deploy(Job(folder, manifest, None, {**board.options, **options}))
    except BaseException:
        driver.close()
        raise
    return driver


def small(folder: Path) -> dict[str, Any]:
    return write_build(folder, small_model(), "rpi4")


def later(board: ArmBoard, seconds: float, act: Callable[[], None]) -> threading.Thread:
    """Do something so long after a worker has appeared on the board."""

    def watch() -> None:
        until = time.monotonic() + 60
        while not board.workers() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(seconds)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@slow
@essential
def test_build_for_a_raspberry_pi_runs_there_bit_for_bit(board: ArmBoard, built: Path) -> None:
    folder = built / "digits-rpi4"
    manifest = json.loads((folder / "manifest.json").read_text())
    told: list[float] = []
    with deployed(board, folder, manifest) as driver:
        golden = driver.check()
        assert (golden.vectors, golden.compared, golden.mismatched) == (8, 160, 0)
        window = driver.run(Request(0.5, 0.1, 10, 20, samples=told.extend))
        found = driver.environment()
    assert tuple(told) == window.latency_ms
    assert 0.5 <= window.end_s - window.start_s < 5
    assert 0 < window.clock_error_s < 0.1
    assert window.codes == ()
    assert window.before.processors is not None
    assert found["machine"] == "aarch64"
    assert found["runtime"] == "ai-edge-litert 2.3.0"
    names = {path.name for path in board.cache.iterdir()}
    assert {artifact["sha256"] for artifact in manifest["artifacts"][:1]} < names
    assert "run" not in names


@slow
@essential
def test_connection_that_is_cut_during_a_window_is_made_again(
    board: ArmBoard, tmp_path: Path
) -> None:
    cuts = [board.cut]

    def cut_once(_: object) -> None:
        if cuts:
            cuts.pop()()

    with deployed(board, tmp_path, small(tmp_path)) as driver:
        window = driver.run(Request(1.0, 0.1, 10, 20, samples=cut_once))
        assert driver.reconnected == 1
        assert window.inferences == len(window.latency_ms) >= 10


@slow
@essential
def test_second_bench_at_once_is_refused(board: ArmBoard, tmp_path: Path) -> None:
    manifest = small(tmp_path)
    with deployed(board, tmp_path, manifest) as driver:
        with pytest.raises(DeviceError, match="another bench is running on it") as caught:
            deployed(board, tmp_path, manifest)
        assert caught.value.exit_code == 4
        assert not isinstance(caught.value, ConnectionLost)
        assert driver.run(SHORT).inferences


@slow
def test_connection_that_is_cut_during_warm_up_is_made_again(
    board: ArmBoard, tmp_path: Path
) -> None:
    with deployed(board, tmp_path, small(tmp_path)) as driver:
        thread = later(board, 5, board.cut)
        window = driver.run(Request(0.5, 10, 10, 30))
        thread.join()
        assert driver.reconnected == 1
        assert window.inferences >= 10


@slow
def test_connection_that_is_cut_during_deploy_is_made_again(
    board: ArmBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, cuts = Board.put, [board.cut]

    def put_with_a_cut(self: Board, path: Path) -> str:
        if cuts:
            cuts.pop()()
        return put(self, path)

    monkeypatch.setattr(Board, "put", put_with_a_cut)
    with deployed(board, tmp_path, small(tmp_path)) as driver:
        assert driver.reconnected == 1
        assert driver.check().ok


@slow
def test_connection_whose_master_is_gone_is_made_again(board: ArmBoard, tmp_path: Path) -> None:
    with deployed(board, tmp_path, small(tmp_path)) as driver:
        place = driver._there
        assert isinstance(place, Board)
        master = place._connection._master
        assert master is not None
        master.kill()
        master.wait()
        assert driver.run(SHORT).inferences
        assert driver.reconnected == 1


@slow
def test_board_is_taken_over_from_an_earlier_connection_of_the_same_bench(
    board: ArmBoard, tmp_path: Path
) -> None:
    """As if the first were cut without the board having noticed."""
    with deployed(board, tmp_path, small(tmp_path)) as first, Driver() as second:
        second._token = first._token
        second.deploy(Job(tmp_path, small(tmp_path), None, board.options))
        place = first._there
        assert isinstance(place, Board)
        assert place._holder is not None
        assert place._holder.wait(20)
        assert second.run(SHORT).inferences


@slow
def test_board_that_reboots_is_used_again(board: ArmBoard, tmp_path: Path) -> None:
    boots = [board.boot]

    def reboot(_: object) -> None:
        if boots:
            for process in board.processes(everything=True):
                process.kill()
            boots.pop()()

    with deployed(board, tmp_path, small(tmp_path)) as driver:
        assert driver.run(Request(1, 0.1, 10, 30, samples=reboot)).inferences
        assert driver.reconnected >= 1


@slow
def test_board_that_stays_away_is_named(tmp_path: Path, board: ArmBoard) -> None:
    with pytest.raises(ConnectionLost, match=r"board: no connection: .*refused"):
        deployed(board, tmp_path, small(tmp_path), port=1)


@slow
def test_worker_that_hangs_is_ended_on_the_board(
    board: ArmBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litert_device, "LATE_S", 1.0)

    def stop(_: object) -> None:
        for worker in board.workers():
            worker.send_signal(signal.SIGSTOP)

    with deployed(board, tmp_path, small(tmp_path)) as driver:
        with pytest.raises(DeviceError, match="the worker hangs, waiting for 'window'"):
            driver.run(Request(seconds=30, most_seconds=3, samples=stop))
        assert board.workers() == []


@slow
def test_worker_killed_there_is_taken_for_a_lack_of_memory(board: ArmBoard, tmp_path: Path) -> None:
    def kill(_: object) -> None:
        for worker in board.workers():
            worker.kill()

    with deployed(board, tmp_path, small(tmp_path)) as driver:
        with pytest.raises(DeviceError, match="killed by signal 9") as caught:
            driver.run(Request(seconds=30, samples=kill))
        assert not isinstance(caught.value, ConnectionLost)


@slow
def test_worker_does_not_outlive_a_client_that_is_gone(board: ArmBoard, tmp_path: Path) -> None:
    """As if this machine had lost its power: its input stays open and nobody ends the worker."""
    with deployed(board, tmp_path, small(tmp_path)) as driver:
        place = driver._there
        assert isinstance(place, Board)
        words, pipe = place.command(["--model", driver._model], 6), subprocess.PIPE
        with subprocess.Popen(words, stdin=pipe, stdout=subprocess.DEVNULL) as client:
            assert client.wait(60) == TIMED_OUT
        assert board.workers() == []


@slow
def test_changed_file_in_the_cache_is_sent_again(board: ArmBoard, tmp_path: Path) -> None:
    manifest = small(tmp_path)
    stored = board.cache / manifest["artifacts"][0]["sha256"]
    deployed(board, tmp_path, manifest).close()
    stored.write_bytes(b"something else")
    with deployed(board, tmp_path, manifest) as driver:
        assert driver.check().ok
        stored.write_bytes(small_model(size=3))
        with pytest.raises(DeviceError, match="the model there is not that of the build"):
            driver.run(SHORT)
    stored.unlink()


@slow
def test_full_disk_is_named(board: ArmBoard, tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model() + bytes(100_000), "rpi4")
    with small_disk(board, 32), pytest.raises(DeviceError, match="disk is full") as caught:
        deployed(board, tmp_path, manifest)
    assert "make room" in caught.value.hint


@slow
def test_unknown_key_of_the_board_is_refused(board: ArmBoard, tmp_path: Path) -> None:
    config = tmp_path / "config"
    known = board.config.parent / "known_hosts"
    text = board.config.read_text().replace(str(known), str(tmp_path / "none"))
    config.write_text(text)
    with pytest.raises(DeviceError, match="Host key verification failed") as caught:
        deployed(board, tmp_path, small(tmp_path), config=str(config))
    assert caught.value.hint == "connect once by hand and compare its key: ssh board"
    assert not isinstance(caught.value, ConnectionLost)


@slow
def test_user_whom_the_board_does_not_know_is_refused(board: ArmBoard, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="Permission denied") as caught:
        deployed(board, tmp_path, small(tmp_path), host="nobody@board")
    assert "ssh-copy-id nobody@board" in caught.value.hint


@slow
def test_board_without_that_python_is_named(board: ArmBoard, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match="board: there is no ~/venv/bin/python3"):
        deployed(board, tmp_path, small(tmp_path), python="~/venv/bin/python3")


@slow
def test_board_without_the_runtime_is_told_how_to_install_it(
    board: ArmBoard, tmp_path: Path
) -> None:
    site, hidden = board.root / "opt/site/ai_edge_litert", board.root / "opt/hidden"
    shutil.move(site, hidden)
    try:
        with pytest.raises(MissingExtra, match="neither ai-edge-litert nor") as caught:
            deployed(board, tmp_path, small(tmp_path))
        assert caught.value.hint.startswith("there: python3 -m pip install ai-edge-litert")
    finally:
        shutil.move(hidden, site)


@slow
@pytest.mark.parametrize("kind", [OLD_AARCH64, ARMHF], ids=["aarch64", "armhf"])
def test_tflite_runtime_computes_the_same(make_board: MakeBoard, built: Path, kind: Kind) -> None:
    board, folder = make_board(kind), built / "digits-rpi4"
    manifest = json.loads((folder / "manifest.json").read_text())
    with deployed(board, folder, manifest) as driver:
        golden = driver.check()
        assert (golden.vectors, golden.compared, golden.mismatched) == (8, 160, 0)
        assert driver.run(SHORT).inferences
        found = driver.environment()
    assert found["runtime"] == "tflite-runtime 2.14.0"
    assert found["machine"] == {"arm64": "aarch64", "armhf": "armv7l"}[kind.debian]
    assert quiet(board) == []


@slow
def test_model_that_the_runtime_there_does_not_have_the_ops_for_is_not_copied(
    make_board: MakeBoard, real_models: Path, tmp_path: Path
) -> None:
    board = make_board(OLD_AARCH64)
    data = (real_models / "kws_dscnn" / "kws_ref_model_dynrange.tflite").read_bytes()
    manifest = write_build(tmp_path, newer_dense(data), "rpi4")
    with pytest.raises(TargetError, match="FULLY_CONNECTED"):
        deployed(board, tmp_path, manifest)
    assert not (board.cache / manifest["artifacts"][0]["sha256"]).exists()


def newer_dense(data: bytes) -> bytes:
    """The model with its dense layer in the version that a newer converter asks for."""
    from made_tflite import pack, unpack

    model = unpack(data)
    for code in model.operatorCodes:
        if max(code.builtinCode, code.deprecatedBuiltinCode) == 9:  # FULLY_CONNECTED
            code.version = 12
    return pack(model)


FACTS = {"runtime": "ai-edge-litert 2.3.0", "numpy": "2.4.6"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runtime": None}, "neither ai-edge-litert nor tflite-runtime"),
        ({"numpy": None}, "numpy is not installed"),
        ({"runtime": "tflite-runtime 2.14.0"}, "does not work with numpy 2.4.6"),
    ],
)
def test_what_a_worker_needs(change: dict[str, Any], message: str) -> None:
    check_runtime("pi", FACTS, "x")
    with pytest.raises(MissingExtra, match=message):
        check_runtime("pi", {**FACTS, **change}, "tflite-runtime==2.14.0")


def test_without_a_host_nothing_is_tried(tmp_path: Path) -> None:
    with Driver() as driver, pytest.raises(UsageError, match="no host is given"):
        driver.deploy(Job(tmp_path, small(tmp_path)))


def test_host_keys_are_never_skipped() -> None:
    connection = Connection("pi", 22, "/x")
    words = " ".join(connection.command("true"))
    assert "StrictHostKeyChecking" not in words
    assert "BatchMode=yes" in words
    assert words.startswith("ssh -F /x -p 22 ")
