"""The memory plan of the model as C: which bytes of the arena hold what, from step to step."""

from __future__ import annotations

from edgekit.reports._names import distinct
from edgekit.reports._sources import Item
from edgekit.reports.base import Section, columns, rows

COLUMNS = columns(
    ("name", "value"),
    ("kind", "kind"),
    ("first", "from step"),
    ("last", "to step"),
    ("offset", "at", "B"),
    ("bytes", "size", "B"),
    ("end", "up to", "B"),
)


def sections(item: Item) -> list[Section]:
    """One, where the build has a C project (of an edgekit that tells its plan)."""
    made = (item.build.manifest.get("c_project") if item.build else None) or {}
    blocks = made.get("memory")
    if not blocks:
        return []
    names = distinct([block["name"] for block in blocks])
    values = [
        (
            name,
            block["kind"],
            block["first"],
            block["last"],
            block["offset"],
            block["bytes"],
            block["offset"] + block["bytes"],
        )
        for block, name in zip(blocks, names, strict=True)
    ]
    return [
        Section(
            "memory",
            "memory",
            item.name,
            "Memory plan of the C project",
            "counted",
            f"the compiler for {made['core']}; a step is a layer; no plan can be smaller than "
            f"{made['arena_bound_bytes']:,} B",
            COLUMNS,
            rows(COLUMNS, values),
            "the arena alone: the stack of an inference and your program come on top",
            {"arena": made["arena_bytes"]},
        )
    ]
