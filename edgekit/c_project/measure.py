"""Code and constants of a C project as its compiler makes them, where that compiler is there."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from edgekit._run import ToolError, run
from edgekit.c_project.processors import options
from edgekit.c_project.project import FOLDER, CProject

PREFIX = "arm-none-eabi-"
_SECTION = re.compile(r"^\.(text|rodata|data|bss)\S*\s+(\d+)", re.MULTILINE)


def measure(project: CProject, build: Path) -> dict[str, Any] | None:
    """Bytes of the sections of `<prefix>.c`, compiled for the target's core.

    Args:
        project: What was written.
        build: The folder that holds it.

    Returns:
        `text`, `rodata`, `data`, `bss` and how that was found; None where no compiler for the core
        is there or it refuses, which says nothing about the build.
    """
    flags = [*options(project.compiled.core.name), *project.cflags]
    tools = [shutil.which(f"{PREFIX}{name}") for name in ("gcc", "size")]
    if not options(project.compiled.core.name) or not all(tools):
        return None
    source = build / FOLDER / f"{project.prefix}.c"
    try:
        with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
            made = Path(scratch) / "model.o"
            run([f"{PREFIX}gcc", *flags, "-std=c99", "-c", source, "-o", made], timeout=300)
            said = run([f"{PREFIX}size", "-A", made]).stdout
        version = run([f"{PREFIX}gcc", "-dumpfullversion"]).stdout.strip()
    except ToolError:
        return None
    sizes = dict.fromkeys(("text", "rodata", "data", "bss"), 0)
    for name, count in _SECTION.findall(said):
        sizes[name] += int(count)
    return {**sizes, "compiler": f"{PREFIX}gcc {version}", "flags": flags, "state": "measured"}
