"""The shipped digit reader as a user builds it, for the tests of the whole command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "calibration_data"
DIGITS = [
    str(DATA / "digits.keras"),
    *("--calibration", f"{DATA}/digits_calibration.npz", "--preprocess", "unit"),
    *("--evaluation", f"{DATA}/digits_evaluation.npz:x,y[:200]"),
]


def edgekit_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "edgekit", *arguments], cwd=folder, capture_output=True, text=True
    )


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the report, which may differ."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "report.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
