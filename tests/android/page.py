"""The page for Android apps: its blocks of one language."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "apps" / "android.md"


def blocks(language: str) -> list[str]:
    """The fenced texts that are marked with `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
