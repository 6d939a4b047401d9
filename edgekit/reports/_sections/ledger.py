"""The ledger: what each step of a build did to the size of the file, and of its download."""

from __future__ import annotations

from edgekit.reports._sources import Item
from edgekit.reports.base import Section, columns, rows

COLUMNS = columns(
    ("step", "step"),
    ("measure", "size of"),
    ("before", "before", "B"),
    ("after", "after", "B"),
    ("change", "change", "B"),
    ("zeros", "zero weights", "%"),
    ("agreement", "top-1 agreement", "%"),
)
MEASURES = (("bytes", ".tflite"), ("gzip", "gzip -9"))


def sections(item: Item) -> list[Section]:
    """One, where there was more than one step."""
    if item.build is None:
        return []
    steps = item.build.manifest["ledger"]
    if len(steps) < 2:
        return []
    values = []
    for index, step in enumerate(steps):
        before = steps[index - 1] if index else dict.fromkeys(("bytes", "gzip"), 0)
        weights = step["weights"]
        zeros = round(100 * weights["zeros"] / max(1, weights["elements"]), 1)
        for key, title in MEASURES:
            size = before[key], step[key], step[key] - before[key]
            values.append((step["step"], title, *size, zeros, step["top1_agreement"]))
    return [
        Section(
            "ledger",
            "waterfall",
            item.name,
            "What each step did to the size",
            "counted",
            "the flatbuffer after each step, as it is and compressed",
            COLUMNS,
            rows(COLUMNS, values),
            "zeros and shared values shrink what is compressed, not the file that a device reads",
        )
    ]
