"""Names of layers, short and yet different from each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edgekit.layer_names import short


def distinct(names: Sequence[str]) -> list[str]:
    """Short names; where two become the same, their places stand behind."""
    found = short(names)
    count = Counter(found)
    return [f"{name} #{i}" if count[name] > 1 else name for i, name in enumerate(found)]
