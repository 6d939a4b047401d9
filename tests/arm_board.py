"""A real Debian userland for Arm with its own sshd, run by qemu-user: a board for the ssh driver.

What is downloaded is kept in ~/.cache/edgekit-tests. All is on the loopback interface; mounts are
undone and the sshd is ended by `stop`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import psutil

STORE = Path.home() / ".cache" / "edgekit-tests"
TOOLS = ("mmdebstrap", "arch-test", "ssh", "ssh-keygen", "update-binfmts", "tar", "mount")
PACKAGES = (
    "base-files,base-passwd,dash,bash,coreutils,procps,libc-bin,python3,libstdc++6,libgcc-s1,"
    "openssh-server,openssh-sftp-server,util-linux,grep,findutils"
)
CPU = """processor\t: {number}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid half thumb fastmult vfp edsp neon vfpv3 vfpv4 idiva idivt
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
CPUINFO = "".join(CPU.format(number=number) for number in range(4)) + (
    "Hardware\t: BCM2711\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
)
BEFORE_NUMPY_2 = "numpy==1.26.4"


@dataclass(frozen=True)
class Kind:
    """What a board is made of: wheels for its Python, Debian packages besides."""

    debian: str
    emulator: str
    triple: str
    wheels: tuple[str, ...]
    packages: str = ""
    cpu: str = "cortex-a72"
    environment: str = "PYTHONPATH=/opt/site"

    @property
    def platforms(self) -> list[str]:
        names = [f"manylinux_2_{minor}_{self.triple}" for minor in (34, 31, 28, 27, 17)]
        return [*names, f"manylinux2014_{self.triple}"]


AARCH64 = Kind("arm64", "qemu-aarch64", "aarch64", ("ai-edge-litert==2.3.0", BEFORE_NUMPY_2))
OLD_AARCH64 = Kind("arm64", "qemu-aarch64", "aarch64", ("tflite-runtime==2.14.0", BEFORE_NUMPY_2))
ARMHF = Kind(
    *("armhf", "qemu-arm", "armv7l", ("tflite-runtime==2.14.0",), ",python3-numpy", "cortex-a15"),
    # alternatives are set up when packages are configured, which here they are not
    "PYTHONPATH=/opt/site LD_LIBRARY_PATH=/usr/lib/arm-linux-gnueabihf/blas:"
    "/usr/lib/arm-linux-gnueabihf/lapack",
)


def why_not(kind: Kind) -> str:
    """What is in the way of such a board on this machine; empty where nothing is."""
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"not on this machine: {', '.join(lacking)}"
    if os.geteuid():
        return "a board needs chroot and mounts: not for this user"
    if refused := _mounts_refused():
        return f"mounts are refused here: {refused}"
    formats = Path("/proc/sys/fs/binfmt_misc")
    with contextlib.suppress(subprocess.CalledProcessError):
        if not (formats / "register").exists():
            _quietly("mount", "-t", "binfmt_misc", "binfmt_misc", str(formats))
        if not (formats / kind.emulator).exists():
            _quietly("update-binfmts", "--enable", kind.emulator)
    return "" if (formats / kind.emulator).exists() else f"binfmt_misc knows no {kind.emulator}"


def _mounts_refused() -> str:
    with tempfile.TemporaryDirectory() as place:
        try:
            _quietly("mount", "-t", "tmpfs", "tmpfs", place)
        except subprocess.CalledProcessError as error:
            return str(error.stderr.decode().strip())
        _quietly("umount", place)
        return ""


class ArmBoard:
    """A running board.

    Args:
        folder: An empty one.
        kind: What it is made of.
    """

    def __init__(self, folder: Path, kind: Kind) -> None:
        self.root, self.kind = folder / "root", kind
        self.config = folder / "ssh_config"
        self._folder = folder
        self._port = _free_port()
        self._mounts: list[Path] = []
        self._sshd: psutil.Process | None = None

    @property
    def options(self) -> dict[str, str]:
        """For the driver."""
        return {"host": "board", "config": str(self.config)}

    @property
    def cache(self) -> Path:
        """Where the driver keeps its files, seen from here."""
        return self.root / "root/.cache/edgekit"

    def start(self) -> None:
        self._unpack()
        self._furnish()
        self._keys()
        self._mount("-t", "proc", "proc", at=self.root / "proc")
        cpuinfo = self._folder / "cpuinfo"
        cpuinfo.write_text(CPUINFO)
        self._mount("--bind", str(cpuinfo), at=self.root / "proc/cpuinfo")
        self.boot()

    def boot(self) -> None:
        """Start the sshd, and wait for it."""
        command = ["chroot", str(self.root), "/usr/sbin/sshd", "-f", "/etc/ssh/board", "-E", "/log"]
        number = self.root / "run/sshd.pid"
        number.unlink(missing_ok=True)
        subprocess.run(command, check=True, env={**os.environ, "QEMU_CPU": self.kind.cpu})
        until = time.monotonic() + 60
        while not (self._answers() and number.exists() and number.read_text().strip()):
            assert time.monotonic() < until, (self.root / "log").read_text()
            time.sleep(0.1)
        self._sshd = psutil.Process(int(number.read_text()))

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
            return True
        return False

    def stop(self) -> None:
        for process in self.processes(everything=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for place in reversed(self._mounts):
            _quietly("umount", "-l", str(place))
        self._mounts.clear()
        # a quarter of a gigabyte, and never what is still mounted below
        _quietly("rm", "-rf", "--one-file-system", str(self.root))

    def processes(self, *, everything: bool = False) -> list[psutil.Process]:
        """What runs on the board but for the sshd that waits for connections."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                if os.readlink(f"/proc/{process.pid}/root") == str(self.root.resolve()):
                    found.append(process)
        return [process for process in found if everything or process != self._sshd]

    def words(self) -> list[str]:
        """The command lines of `processes`."""
        with contextlib.suppress(psutil.Error):
            return [" ".join(process.cmdline()) for process in self.processes()]
        return self.words()

    def workers(self) -> list[psutil.Process]:
        """Python processes that run a model."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()  # of qemu, the program, its arguments from the 0th on
                if "--model" in words and "python3" in words[:3]:
                    found.append(process)
        return found

    def cut(self) -> None:
        """Cable out: the sshd processes of all connections are gone at once."""
        assert self._sshd is not None
        for child in self._sshd.children(recursive=False):
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in [child, *_sshds(child)]:
                    process.kill()

    def _unpack(self) -> None:
        self.root.mkdir()
        subprocess.run(["tar", "-xf", _userland(self.kind), "-C", self.root], check=True)
        site = self.root / "opt/site"
        site.mkdir(parents=True)
        for wheel in _wheels(self.kind):
            zipfile.ZipFile(wheel).extractall(site)

    def _furnish(self) -> None:
        root = self.root
        for name in ("passwd", "group"):
            shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
        with open(root / "etc/passwd", "a") as file:
            file.write("sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n")
        if not (root / "bin/sh").exists():
            (root / "bin/sh").symlink_to("dash")
        for name in ("root/.ssh", "run/sshd", "proc", "tmp", "sys/devices/system/cpu"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "root/.ssh").chmod(0o700)
        (root / "tmp").chmod(0o1777)
        # XNNPACK looks for these; the host's own /sys would describe another processor
        for name in ("possible", "present"):
            (root / "sys/devices/system/cpu" / name).write_text("0-3\n")
        (root / "etc/ssh/board").write_text(
            f"Port {self._port}\nListenAddress 127.0.0.1\nPidFile /run/sshd.pid\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n"
            "StrictModes no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
            f"SetEnv QEMU_CPU={self.kind.cpu} {self.kind.environment}\n"
        )

    def _keys(self) -> None:
        key, known = self._folder / "key", self._folder / "known_hosts"
        _quietly("ssh-keygen", "-A", "-f", str(self.root))
        _quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        shutil.copy(key.with_suffix(".pub"), self.root / "root/.ssh/authorized_keys")
        public = (self.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
        known.write_text(f"[127.0.0.1]:{self._port} {' '.join(public)}\n")
        self.config.write_text(
            f"Host board\n  HostName 127.0.0.1\n  Port {self._port}\n  User root\n"
            f"  IdentityFile {key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n"
            "  HostKeyAlgorithms ssh-ed25519\n"
        )

    def _mount(self, *words: str, at: Path) -> None:
        _quietly("mount", *words, str(at))
        self._mounts.append(at)


@contextlib.contextmanager
def small_disk(board: ArmBoard, kilobytes: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """The board's cache on a file system of so many kB."""
    board.cache.mkdir(parents=True, exist_ok=True)
    _quietly("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(board.cache))
    try:
        yield
    finally:
        _quietly("umount", "-l", str(board.cache))


def _sshds(process: psutil.Process) -> list[psutil.Process]:
    """Children that are sshd, too: with privilege separation there are two for a connection."""
    return [each for each in process.children() if "sshd" in " ".join(each.cmdline())]


def _userland(kind: Kind) -> Path:
    packages = PACKAGES + kind.packages
    name = hashlib.sha256(packages.encode()).hexdigest()[:12]
    path = STORE / f"bookworm-{kind.debian}-{name}.tar"
    if not path.exists():
        STORE.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.tar")
        command = ["mmdebstrap", "-q", "--variant=extract", f"--architectures={kind.debian}"]
        # updates come and go while a mirror is synchronised, and the main archive stands still
        command += ['--setup-hook=sed -i /security/d "$1"/etc/apt/sources.list']
        command += ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", f"--include={packages}"]
        try:
            _quietly(*command, "bookworm", str(partial))
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)
    return path


def _wheels(kind: Kind) -> list[Path]:
    """Wheels for its Python 3.11, downloaded by pip."""
    folder = STORE / "-".join([kind.triple, *(name.replace("==", "-") for name in kind.wheels)])
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp"]
        command += [word for each in kind.platforms for word in ("--platform", each)]
        try:
            _quietly(*command, "-d", str(partial), *kind.wheels)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return sorted(folder.glob("*.whl"))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _quietly(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
