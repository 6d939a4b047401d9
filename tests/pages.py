"""Pages of docs/ followed word by word in an empty folder: commands are run, files written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what follows that on the line, and its text."""

    language: str
    title: str
    text: str


def blocks(page: str) -> list[Block]:
    """Of a page below docs/, in order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [Block(*found) for found in _FENCE.findall(text)]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """With `edgekit` and `python3` in the path, as an installation puts them there."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    for name, module in {"edgekit": "-m edgekit", "python3": ""}.items():
        script = place / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        script.chmod(0o755)
    path = f"{place}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **more}


def run(text: str, folder: Path, env: dict[str, str]) -> str:
    """What the commands of a block say; the first that fails ends it."""
    commands = text.replace("path/to/edgekit", str(ROOT))
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def missing(*tools: str) -> str:
    """Why a page cannot be followed here; empty where it can."""
    lacking = [tool for tool in tools if shutil.which(tool) is None]
    return f"not on this machine: {', '.join(lacking)}" if lacking else ""
