"""The Java that is written for a model, compiled and run on this machine's JVM."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgekit.android.names import Names

JAVA = Path(__file__).parent / "java"
WORKER = Path(__file__).parent / "litert_worker.py"
needs_jdk = pytest.mark.skipif(not shutil.which("javac"), reason="no JDK is installed")


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[Any]:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, **options)
    assert done.returncode == 0, (done.stderr, done.stdout)
    return done


def compiled(sources: Path, names: Names, main: str, folder: Path) -> Path:
    """Classes of a library's source, of stand-ins for Android and LiteRT, and of a main class."""
    text = (JAVA / f"{main}.java").read_text()
    own = folder / f"{main}.java"
    own.write_text(text.replace("@package@", names.package).replace("@class@", names.type))
    stand_ins = [path for part in ("android", "org") for path in (JAVA / part).rglob("*.java")]
    annotations = Path("edgekit/android/stubs/androidx")
    stand_ins += (Path(__file__).resolve().parents[2] / annotations).rglob("*.java")
    classes = folder / "classes"
    options = ("--release", "8", "-Xlint:all,-options", "-Werror", "-encoding", "US-ASCII")
    run("javac", *options, "-d", classes, own, *sources.rglob("*.java"), *stand_ins)
    return classes


def java(classes: Path, names: Names, main: str, *arguments: str | Path, **options: Any) -> Any:
    """What a main class writes."""
    settings = (f"-Dpython={sys.executable}", f"-Dworker={WORKER}", "-Xshare:auto")
    command = ("java", *settings, "-cp", classes, f"{names.package}.{main}", *arguments)
    return run(*command, **options).stdout
