"""Cables, killed workers, full disks: each is mended or named, and nothing runs on afterwards."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Desk
from phone import Phone

from edgekit.devices._adb.client import Adb
from edgekit.devices._adb.files import FOLDER
from edgekit.devices.adb import Driver
from edgekit.devices.base import Request
from edgekit.errors import ConnectionLost, DeviceError

WINDOW = Request(seconds=0.4, warmup_seconds=0.05, inferences=5, most_seconds=10)


def replug(phone: Phone, after_s: float = 0.2) -> None:
    """Pull the cable, and put it back a little later."""
    phone.unplug()
    threading.Timer(after_s, phone.plug_in).start()


def when_a_worker_runs(phone: Phone, act: Callable[[], None], after_s: float = 0.2) -> None:
    """In the background: wait for a worker, then a little, then act."""

    def watch() -> None:
        while not phone.workers():
            time.sleep(0.01)
        time.sleep(after_s)
        act()

    threading.Thread(target=watch, daemon=True).start()


@pytest.fixture
def driver(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    monkeypatch.setattr("edgekit.devices.base.PAUSE_S", 0.3)
    with Driver() as found:
        yield found


def test_cable_out_while_a_file_is_copied(
    desk: Desk, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.phone.shell(f"rm -rf {FOLDER}")
    push, pulled = Adb.push, []

    def push_and_pull_the_cable(adb: Adb, path: Path, target: str) -> None:
        if not pulled and path.stat().st_size > 1 << 20:
            pulled.append(path)
            threading.Timer(0.002, replug, (desk.phone,)).start()
        push(adb, path, target)

    monkeypatch.setattr(Adb, "push", push_and_pull_the_cable)
    driver.deploy(desk.job())
    assert driver.reconnected == 1
    assert driver.check().ok


def test_cable_out_during_warm_up(desk: Desk, driver: Driver) -> None:
    driver.deploy(desk.job())
    when_a_worker_runs(desk.phone, lambda: replug(desk.phone))
    window = driver.run(replace(WINDOW, warmup_seconds=0.6))
    assert (driver.reconnected, window.inferences) == (1, len(window.latency_ms))


def test_cable_out_during_a_window(desk: Desk, driver: Driver) -> None:
    told: list[Sequence[float]] = []

    def samples(values: Sequence[float]) -> None:
        if not told:
            replug(desk.phone)
        told.append(values)

    driver.deploy(desk.job())
    window = driver.run(replace(WINDOW, samples=samples))
    assert driver.reconnected == 1
    assert len(window.latency_ms) == window.inferences < sum(map(len, told))


def test_phone_that_restarts(desk: Desk, driver: Driver) -> None:
    def restart(_: object) -> None:
        if not driver.reconnected:
            desk.phone.unplug()
            for pid, _ in desk.phone.running():
                os.kill(pid, signal.SIGKILL)
            desk.phone.plug_in()

    driver.deploy(desk.job())
    window = driver.run(replace(WINDOW, samples=restart))
    assert (driver.reconnected, len(window.latency_ms)) == (1, window.inferences)


def test_cable_that_stays_out(desk: Desk, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.devices._adb.client.CONNECT_S", 1.0)
    driver.deploy(desk.job())
    desk.phone.unplug()
    with pytest.raises(ConnectionLost) as caught:
        driver.run(WINDOW)
    assert driver.reconnected == 2
    assert desk.phone.serial in caught.value.message
    assert desk.phone.quiet()
    desk.phone.plug_in()


def test_worker_that_is_killed(desk: Desk, driver: Driver) -> None:
    driver.deploy(desk.job())

    def kill() -> None:
        os.kill(desk.phone.workers()[0], signal.SIGKILL)

    when_a_worker_runs(desk.phone, kill)
    with pytest.raises(DeviceError, match="the worker was killed by signal 9") as caught:
        driver.run(WINDOW)
    assert not isinstance(caught.value, ConnectionLost)
    assert "memory" in caught.value.hint
    assert not desk.phone.workers()
    assert driver.run(WINDOW).inferences > 0


def test_worker_that_hangs_is_ended(
    desk: Desk, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgekit.devices._litert.device.LATE_S", 0.5)
    driver.deploy(desk.job())

    def stop() -> None:
        os.kill(desk.phone.workers()[0], signal.SIGSTOP)

    when_a_worker_runs(desk.phone, stop)
    with pytest.raises(DeviceError, match="the worker hangs"):
        driver.run(replace(WINDOW, most_seconds=1.5))
    assert not desk.phone.workers()


def test_full_disk(desk: Desk, tmp_path: Path) -> None:
    with Phone(tmp_path, size="4m") as small:
        options = {**desk.options, "adb": str(small.adb)}
        with Driver() as driver, pytest.raises(DeviceError, match="its disk is full") as caught:
            driver.deploy(replace(desk.job(), options=options))
        assert "make room" in caught.value.hint
        assert small.quiet()
        sizes = small.shell(f"stat -c %s {FOLDER}/?????????*").split()
        assert sizes == [str((desk.build.folder / "model.tflite").stat().st_size)]


def test_what_a_lost_bench_left_is_removed(desk: Desk) -> None:
    with Driver() as driver:
        driver.deploy(desk.job())
        files = desk.phone.shell(f"ls {FOLDER}")
    desk.phone.shell(f"touch {FOLDER}/{'0' * 64}.12345678 {FOLDER}/group.12345678")
    with Driver() as driver:
        driver.deploy(desk.job())
        assert desk.phone.shell(f"ls {FOLDER}") == files


def test_driver_that_is_gone_leaves_nothing(desk: Desk) -> None:
    driver = Driver()
    driver.deploy(desk.job())
    session = driver._session("default", 60)
    assert desk.phone.workers()
    session._process.kill()  # what the end of this process does to its children's pipes
    assert driver._phone._lock._holder is not None
    driver._phone._lock._holder.kill()
    assert desk.phone.quiet()
    session.close()
    driver.close()


@pytest.mark.slow
def test_link_that_drops_silently(
    desk: Desk, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgekit.devices._litert.device.LATE_S", 1.0)
    driver.deploy(desk.job())
    threading.Timer(0.5, desk.phone.link, ("down",)).start()
    threading.Timer(8, desk.phone.link, ("up",)).start()
    with pytest.raises(DeviceError, match="the worker hangs"):
        driver.run(replace(WINDOW, seconds=2, most_seconds=3))
    assert not desk.phone.workers()
    assert driver.run(WINDOW).inferences > 0
