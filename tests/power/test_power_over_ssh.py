"""Meters sysfs and ina2xx on another machine: a real sshd of this one, on loopback alone."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgekit.errors import DeviceError, UsageError
from edgekit.measure.energy import Span, window_energy
from edgekit.power.base import find_meter

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
needs_sshd = pytest.mark.skipif(SSHD is None, reason="sshd is not on this machine")


@dataclass(frozen=True)
class Server:
    """An sshd, and what a meter is told to reach it."""

    config: Path
    process: subprocess.Popen[bytes]
    host: str = "there"

    def given(self, root: Path, **more: object) -> dict[str, object]:
        told = {"host": self.host, "config": str(self.config), "root": str(root)}
        return {**told, "interval_ms": 5, **more}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    keys = {name: tmp_path / name for name in ("host_key", "user_key")}
    for key in keys.values():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (tmp_path / "authorized").write_bytes((tmp_path / "user_key.pub").read_bytes())
    public = " ".join((tmp_path / "host_key.pub").read_text().split()[:2])
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {public}\n")
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys['host_key']}\nUsePAM no\n"
        f"AuthorizedKeysFile {tmp_path}/authorized\nStrictModes no\nPidFile none\n"
        "PermitRootLogin yes\nPasswordAuthentication no\n"
    )
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host there\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n"
        f" IdentityFile {keys['user_key']}\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {tmp_path}/known\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    command = [str(SSHD), "-D", "-f", str(tmp_path / "sshd_config"), "-E", str(tmp_path / "log")]
    process = subprocess.Popen(command, start_new_session=True)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield Server(config, process)
    process.terminate()
    process.wait()


def hwmon(root: Path, label: str, microwatts: int) -> Path:
    folder = root / "class/hwmon/hwmon1"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n")
    show(folder / "power1_input", microwatts)
    return folder / "power1_input"


def show(sensor: Path, microwatts: int) -> None:
    """As the kernel does: whole at any time."""
    beside = sensor.with_suffix(".new")
    beside.write_text(f"{microwatts}\n")
    beside.replace(sensor)


def readers() -> list[str]:
    """Processes of the reader that still run."""
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "row TIME TOOK" in line]


@needs_sshd
def test_window_by_the_clock_of_this_machine(server: Server, tmp_path: Path) -> None:
    sensor = hwmon(tmp_path, "ina226", 1_000_000)
    with find_meter("ina2xx")(server.given(tmp_path)) as made:
        made.open()
        made.start()
        time.sleep(0.2)
        show(sensor, 3_000_000)
        start = time.monotonic()
        time.sleep(0.5)
        end = time.monotonic()
        show(sensor, 1_000_000)
        time.sleep(0.2)
        trace = made.stop()
    assert trace.info.name == "hwmon1/power1 (ina226)"
    assert 0 < trace.clock_error_s < 0.05
    inside = window_energy(trace, Span(start + 0.05, end - 0.05))
    around = window_energy(trace, Span(start - 0.1, end + 0.1))
    assert inside.mean_power_w == pytest.approx(3.0, rel=0.01)
    assert around.gross_j == pytest.approx(3 * (end - start) + 0.2, rel=0.05)
    assert readers() == []


@needs_sshd
def test_connection_that_is_cut_during_a_capture(server: Server, tmp_path: Path) -> None:
    hwmon(tmp_path, "ina226", 1)
    with find_meter("sysfs")(server.given(tmp_path)) as made:
        made.open()
        made.start()
        time.sleep(0.1)
        subprocess.run(["pkill", "-KILL", "-P", str(server.process.pid)], check=True)
        time.sleep(0.3)
        with pytest.raises(DeviceError, match="hwmon1/power1: no answer") as caught:
            made.stop()
    assert caught.value.exit_code == 4
    until = time.monotonic() + 5
    while readers() and time.monotonic() < until:
        time.sleep(0.05)
    assert readers() == [], "nothing outlives the connection"
    assert not [t for t in threading.enumerate() if t.name == "read remote power"]


@needs_sshd
def test_sensor_that_vanishes_there_and_what_is_not_there(server: Server, tmp_path: Path) -> None:
    sensor = hwmon(tmp_path, "ina226", 1)
    with find_meter("sysfs")(server.given(tmp_path)) as made:
        made.open()
        made.start()
        sensor.unlink()
        time.sleep(0.1)
        with pytest.raises(DeviceError, match=r"cannot be read there: .*No such file"):
            made.stop()
    with pytest.raises(DeviceError, match="tells nothing of its power"):
        find_meter("sysfs")(server.given(tmp_path)).open()
    hwmon(tmp_path / "other", "ina226", 1)
    with pytest.raises(UsageError, match="no source 'BAT0'"):
        find_meter("sysfs")(server.given(tmp_path / "other", source="BAT0")).open()


def test_host_that_is_none() -> None:
    with pytest.raises(UsageError, match="is no host"):
        find_meter("sysfs")({"host": "-oProxyCommand=x"})
    with pytest.raises(DeviceError, match="nowhere"):
        find_meter("sysfs")({"host": "nowhere.invalid"}).open()
