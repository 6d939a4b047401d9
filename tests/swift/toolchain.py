"""The Swift toolchain of a later Debian, unpacked into a folder and run there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RELEASE = "trixie"
PACKAGES = "base-files,bash,dash,coreutils,swiftlang,libc6-dev,libstdc++-14-dev,git"
HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr"
PATIENCE_S = 1200


class Toolchain:
    """A root folder with `swiftc` and `swift build`; 2.4 GB, so it goes when it is closed.

    Nothing of it is configured: its programs need no more than their files.
    """

    def __init__(self, root: Path) -> None:
        if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
            pytest.skip("a toolchain in a folder needs root and mmdebstrap")
        self.root = root
        command = ["mmdebstrap", "-q", "--variant=extract", f"--hook-dir={HOOKS}"]
        done = subprocess.run(
            [*command, f"--include={PACKAGES}", RELEASE, str(root)], capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"swiftlang of Debian {RELEASE} cannot be had: {done.stderr[-300:]}")
        for folder in ("root", "proc", "work"):
            (root / folder).mkdir(exist_ok=True)
        (root / "usr/bin/sh").unlink(missing_ok=True)
        (root / "usr/bin/sh").symlink_to("dash")
        subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)

    @property
    def work(self) -> Path:
        """A folder for sources, `/work` inside."""
        return self.root / "work"

    def run(self, command: str, folder: str = "") -> subprocess.CompletedProcess[str]:
        """A shell command in a folder of `work`."""
        path = "PATH=/usr/bin:/bin:/usr/libexec/swift/bin"
        script = f"cd /work/{folder} && {command}"
        return subprocess.run(
            [
                "chroot",
                str(self.root),
                "/usr/bin/env",
                "-i",
                path,
                "HOME=/root",
                "bash",
                "-c",
                script,
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )

    def close(self) -> None:
        """Take it all away."""
        subprocess.run(["umount", self.root / "proc"], check=True)
        shutil.rmtree(self.root)
