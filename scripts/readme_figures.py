"""Put measured tables between their marks in the README; the scripts that measure call it."""

from __future__ import annotations

import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def write(table: str, begin: str, end: str) -> None:
    """Replace what stands between the marks `begin` and `end`; without them nothing is written."""
    text = README.read_text(encoding="utf-8")
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        sys.exit(f"README.md has no {begin.strip()} ... {end.strip()}")
    README.write_text(f"{before}{begin}{table}{end}{after}", encoding="utf-8")
