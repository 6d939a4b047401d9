"""Android's class library and dexer, which Debian has in bullseye alone: unpacked, not installed.

They are kept in the user's cache; a test that needs them skips by name where the archive that has
them cannot be reached.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

PACKAGES = ("libandroid-23-java", "dalvik-exchange")
ANDROID_JAR = "usr/share/java/com.android.android-23.jar"
DX_JAR = "usr/share/java/com.android.dx-10.0.0.jar"
_RELEASE = "bullseye"


def unpacked() -> Path:
    """The folder that the packages are unpacked into."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    place = cache / "edgekit-tests" / "bullseye"
    if not (place / "done").exists():
        _download(place)
    return place


def _download(place: Path) -> None:
    lists, archives = place / "lists", place / "archives"
    for folder in (lists / "partial", archives / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::Etc::SourceList": place / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": lists,
        "Dir::Cache": archives,
        "APT::Sandbox::User": "root",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    try:
        (place / "sources.list").write_text(f"deb {_archive()} {_RELEASE} main\n")
        _run(place, "apt-get", *options, "update", "-qq")
        _run(place, "apt-get", *options, "download", "-qq", *PACKAGES)
        for package in place.glob("*.deb"):
            _run(place, "dpkg", "-x", package.name, ".")
    except (OSError, StopIteration, subprocess.SubprocessError) as error:
        pytest.skip(f"Debian bullseye, which has {' and '.join(PACKAGES)}, not reached: {error}")
    (place / "done").touch()


def _archive() -> str:
    """The address that this system has Debian's packages from, whichever its release is."""
    told = _run(
        Path(), "apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Label: Debian"
    )
    return next(line.split()[1] for line in told.splitlines() if line.startswith("Debian "))


def _run(place: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=300)
    return done.stdout.decode()
