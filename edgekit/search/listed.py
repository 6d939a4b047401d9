"""`[search.space]` as the user writes it: values by pass and option, by table and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgekit._discover import did_you_mean
from edgekit.errors import UsageError
from edgekit.passes.base import ALIASES, load, names
from edgekit.project import Project
from edgekit.search import students

OFF = "off"
"""What leaves a pass out."""
TABLES = ("quantize", "compile", "fine_tune")
"""Tables of the project that may be searched besides passes."""
Values = tuple[Any, ...]


def listed_in(project: Project) -> dict[str, Values]:
    """What `[search.space]` says, flat: `PASS.OPTION`, `TABLE.KEY`, `zoo.NETWORK.OPTION`.

    Raises:
        UsageError: No lists of values.
    """
    flat: dict[str, Values] = {}
    for table, keys in project.search.space.items():
        if not isinstance(keys, Mapping):
            raise UsageError(
                f"[search.space] {table} is not a table", "write remove.macs = [0.8, 0.5]"
            )
        name = load(table).name if table in (*names(), *ALIASES) else table
        for key, values in keys.items():
            own = values.items() if isinstance(values, Mapping) and table == students.TABLE else ()
            for inner, value in own:
                flat[f"{name}.{key}.{inner}"] = _values(f"{table}.{key}.{inner}", value)
            if not own:
                flat[f"{name}.{key}"] = _values(f"{table}.{key}", values)
    return flat


def rest_of(listed: Mapping[str, Values]) -> Mapping[str, Values]:
    """Those that are of no pass that is searched: each is of a table.

    Raises:
        UsageError: One is not.
    """
    for name in listed:
        table = name.partition(".")[0]
        if table in names():
            raise UsageError(
                f"[search.space] {name} is no option, or of a pass that is not searched",
                f"edgekit passes {table} lists them; name the pass in [search] passes",
            )
        if table not in TABLES:
            hint = did_you_mean(table, [*names(), *TABLES])
            raise UsageError(f"[search.space] {table} cannot be searched", hint)
    return listed


def ordered(values: Sequence[Any]) -> bool:
    """Whether all but `off` are numbers, or lists, which stand from the mildest on."""
    return all(
        isinstance(value, int | float | list) and not isinstance(value, bool)
        for value in values
        if value != OFF
    )


def _values(name: str, values: Any) -> Values:
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise UsageError(
            f"[search.space] {name} = {values!r}: no list of values",
            f'write {name} = [0.8, 0.5], "off" in front to leave the pass out',
        )
    return tuple(values)
