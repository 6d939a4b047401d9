"""A phone to test with: adbd, mksh and toybox, as Android has them, in a network namespace.

It is no Android: it has no getprop, no dumpsys and no /sys. What it is made of are Debian's
packages, extracted once and kept in ~/.cache/edgekit-tests.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

import pytest
from arm_board import CPUINFO

CACHE = Path.home() / ".cache" / "edgekit-tests"
PORT = 25555
PACKAGES = "adbd,adb,mksh,toybox,libc-bin,libstdc++6,libgcc-s1"
TOYBOX = ("cat", "chmod", "flock", "ls", "mkdir", "mv", "rm", "sha256sum", "sleep", "stat")
TOYBOX += ("timeout", "touch", "uname")
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
ADB = "usr/lib/android-sdk/platform-tools"
HOLD = """
ip link set lo up && mkdir -p {root}/proc {root}/data && mount -t proc proc {root}/proc &&
mount -t tmpfs -o size={size} tmpfs {root}/data && mkdir -p {root}/data/local/tmp &&
mkdir -p {root}/usr/local/bin && mount -t tmpfs tmpfs {root}/usr/local/bin && {more} :
echo ready
exec cat
"""


def _sources() -> str:
    """Debian's own archive as this machine knows it, with backports, which have adbd."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    known = dict(reversed(line.split()) for line in listed.stdout.splitlines())
    uri = known["bookworm"]
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    return "".join(
        f"deb {key} {uri} {suite} main\n" for suite in ("bookworm", "bookworm-backports")
    )


def extract(architecture: str) -> Path:
    """Root file system of a phone; the test is skipped by name where it cannot be had."""
    root = CACHE / f"phone-{architecture}-3"
    if root.is_dir():
        return root
    beside = root.with_suffix(f".{os.getpid()}")
    command = ["mmdebstrap", "-q", "--variant=extract", f"--architectures={architecture}"]
    command += ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", f"--include={PACKAGES}"]
    command += ['--aptopt=APT::Default-Release "bookworm-backports"', "bookworm", str(beside), "-"]
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, input=_sources(), text=True, capture_output=True, check=True)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        shutil.rmtree(beside, ignore_errors=True)
        pytest.skip(f"adbd cannot be extracted from Debian's packages: {error}")
    _link_commands(beside / "usr" / "bin")
    _write_processors(beside)
    with contextlib.suppress(OSError):  # another test run was faster
        beside.rename(root)
    return root


def _link_commands(folder: Path) -> None:
    """The shell and the commands of Android."""
    for name in TOYBOX:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("toybox")
    (folder / "sh").unlink(missing_ok=True)
    (folder / "sh").symlink_to("mksh")


def _write_processors(root: Path) -> None:
    """Four cores of an Arm board: without them XNNPACK is off, with this machine's own it fails."""
    cpu = root / "sys" / "devices" / "system" / "cpu"
    cpu.mkdir(parents=True)
    for name in ("possible", "present"):
        (cpu / name).write_text("0-3\n")
    (root / "cpuinfo").write_text(CPUINFO)


class Phone:
    """An adbd on 127.0.0.1, inside; `adb` is a program that talks to it from outside.

    Args:
        folder: For the program `adb` and the home of its server.
        size: Of /data, as mount takes it.
        architecture: Of the phone; not this machine's: emulated by qemu-user.
    """

    serial = f"127.0.0.1:{PORT}"

    def __init__(self, folder: Path, size: str = "64m", architecture: str = "amd64") -> None:
        self.root = extract(architecture)
        self._library = f"/usr/lib/{TRIPLETS[architecture]}"
        client = extract("amd64")
        place = shlex.quote(str(self.root))
        arm = (
            f"mount --bind {place}/cpuinfo {place}/proc/cpuinfo &&"
            if architecture != "amd64"
            else ""
        )
        hold = HOLD.format(root=place, size=size, more=arm)
        self._holder = subprocess.Popen(
            ["unshare", "-n", "-m", "--propagation", "private", "sh", "-c", hold],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stderr is not None
        if self._holder.stdout.readline() != "ready\n":
            pytest.skip(f"no namespaces on this machine: {self._holder.stderr.read().strip()}")
        self._net = os.readlink(f"/proc/{self._holder.pid}/ns/net")
        self._daemon: subprocess.Popen[bytes] | None = None
        self.adb = folder / "adb"
        self._write_client(client)
        try:
            self.plug_in()
        except BaseException:
            self.close()
            raise

    def _write_client(self, client: Path) -> None:
        libraries = f"{client}/usr/lib/{TRIPLETS['amd64']}"
        self.adb.write_text(
            "#!/bin/sh\n"
            f"export LD_LIBRARY_PATH={libraries}/android:{libraries}\n"
            f"export HOME={self.adb.parent}\n"
            f"export ADB_SERVER_SOCKET=localfilesystem:{self.adb.parent}/server\n"
            f'exec nsenter --net=/proc/{self._holder.pid}/ns/net {client}/{ADB}/adb "$@"\n'
        )
        self.adb.chmod(0o755)

    def plug_in(self) -> None:
        """Start adbd, and wait until it listens."""
        libraries = f"{self._library}:{self._library}/android"
        enter = ["nsenter", "-t", str(self._holder.pid), "-n", "-m", "--"]
        environment = {
            "QEMU_CPU": "cortex-a72",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin",
            "ADBD_PORT": str(PORT),
        }
        self._daemon = subprocess.Popen(
            [*enter, "chroot", str(self.root), f"/{ADB}/adbd"],
            env={**os.environ, **environment, "LD_LIBRARY_PATH": libraries},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            self("disconnect", self.serial)
            if self("connect", self.serial).startswith("connected to"):
                return
            time.sleep(0.05)
        pytest.fail("adbd does not start")

    def unplug(self) -> None:
        """End adbd at once: what a cable that is pulled, or a reboot, does to this end."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def link(self, state: str) -> None:
        """`down`: packets get lost, and neither side is told; `up`."""
        enter = ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]
        subprocess.run([*enter, "ip", "link", "set", "lo", state], check=True)

    def __call__(self, *words: str) -> str:
        """What `adb` says."""
        done = subprocess.run(
            [self.adb, *words], capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout + done.stderr

    def shell(self, command: str) -> str:
        """What a command on the phone prints."""
        return self("-s", self.serial, "shell", command)

    def install(self, name: str, script: str, folder: Path) -> None:
        """A program on its PATH, gone with the phone."""
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        self("-s", self.serial, "push", str(folder / name), f"/usr/local/bin/{name}")

    def running(self) -> list[tuple[int, str]]:
        """All that runs on the phone but adbd itself: process on this machine, command line."""
        known = {self._holder.pid, self._daemon.pid if self._daemon else 0}
        return [
            (pid, line)
            for pid, line in _in_namespace(self._net)
            if pid not in known and f"{ADB}/adb " not in line and not line.startswith("adb -L")
        ]

    def processes(self) -> list[str]:
        """Their command lines."""
        return [line for _, line in self.running()]

    def workers(self) -> list[int]:
        """Processes of workers, on this machine."""
        return [
            pid for pid, line in self.running() if "--runtime" in line and "timeout" not in line
        ]

    def quiet(self, seconds: float = 5.0) -> bool:
        """Whether nothing runs on the phone any more, within so many seconds."""
        until = time.monotonic() + seconds
        while self.processes() and time.monotonic() < until:
            time.sleep(0.05)
        return not self.processes()

    def close(self) -> None:
        """End all of it."""
        self("kill-server")
        self.unplug()
        self._holder.kill()
        self._holder.wait()
        for pid, _ in _in_namespace(self._net):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def __enter__(self) -> Phone:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _in_namespace(net: str) -> list[tuple[int, str]]:
    """Processes of a network namespace, zombies left out."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(each / "ns" / "net") == net:
                line = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                found.append((int(each.name), line))
    return found
