"""Java classes for Android, made by `javac` alone: what Android itself brings is a few stubs.

The stubs declare what the library calls, and are left out of what is shipped. Class files of
Java 8 run on every Android that desugars, and depend on the compiler's release only.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from edgekit._run import run
from edgekit.android.archive import archive

JAVAC = "javac"


def compiler() -> str | None:
    """The Java compiler on PATH, if there is one."""
    return shutil.which(JAVAC)


def classes_jar(sources: Mapping[str, str], package: str) -> bytes:
    """`classes.jar` of the sources of one package.

    Raises:
        ToolError: `javac` is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
        place, made = Path(scratch) / "src", Path(scratch) / "classes"
        place.mkdir()
        for name, text in sources.items():
            (place / name).write_text(text, encoding="ascii")
        with as_file(files("edgekit.android") / "stubs") as stubs:
            given = [*sorted(place.glob("*.java")), *sorted(stubs.rglob("*.java"))]
            run([JAVAC, *_OPTIONS, "-d", made, *given], timeout=120)
        own = made.joinpath(*package.split("."))
        entries = {str(path.relative_to(made)): path.read_bytes() for path in own.glob("*.class")}
    return archive(entries)


_OPTIONS = (
    *("--release", "8", "-encoding", "US-ASCII"),
    *("-proc:none", "-g:source,lines", "-nowarn", "-Xlint:none"),
)
