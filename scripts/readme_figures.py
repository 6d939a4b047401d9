"""Put measured tables between their marks in a page; the scripts that measure call it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
COMPRESSION = ROOT / "docs/compression"


def write(table: str, begin: str, end: str, page: Path = README) -> None:
    """Replace what stands between the marks `begin` and `end`; without them nothing is written."""
    text = page.read_text(encoding="utf-8")
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        sys.exit(f"{page.name} has no {begin.strip()} ... {end.strip()}")
    page.write_text(f"{before}{begin}{table}{end}{after}", encoding="utf-8")
