"""Notes beside the columns of a trace: `# key: value` in a text, single values in npz.

`sample` (`instant` or `mean`), `sample_rate_hz` where no column is time, `voltage_v` where it is
constant, `energy_range_j` where a counter begins again (it may be a column, too), `meter`, `scope`,
`gain_uncertainty`, `inferences`, and `gaps` (`0.5:0.6 1.2:1.3`, in s) where samples were lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from edgekit.errors import DataError
from edgekit.power._files.names import quantity, scale
from edgekit.power.base import MeterInfo, Sample, Scope

Notes = Mapping[str, Any]
VOLTS = re.compile(r"voltage(_[mu]?v)?")


def number(notes: Notes, name: str, default: float = 0.0) -> float:
    """A note that is a number.

    Raises:
        DataError: It is none.
    """
    try:
        return float(notes.get(name, default))
    except (TypeError, ValueError):
        raise DataError(f"{name} is '{notes[name]}' in the trace", "give a number") from None


def volts(notes: Notes) -> float | None:
    """The constant supply in V."""
    name = next((name for name in notes if VOLTS.fullmatch(name)), None)
    return None if name is None else number(notes, name) * scale("voltage", name.split("_")[-1])


def counter_range(notes: Notes) -> float | None:
    """What a turn of the energy counter adds in J."""
    for name in notes:
        if is_range(name):
            kind = quantity(name)
            return number(notes, name) * (kind[1] if kind else 1.0)
    return None


def is_range(name: str) -> bool:
    """Whether a name is that of the range of an energy counter."""
    kind = quantity(name)
    return kind is not None and kind[0] == "energy" and "range" in name


def sample(notes: Notes) -> Sample:
    """What a sample stands for."""
    told = str(notes.get("sample", "instant"))
    if told not in get_args(Sample):
        raise DataError(f"a sample of the trace is no '{told}'", "sample: instant or mean")
    return told  # type: ignore[return-value]


def info(notes: Notes) -> MeterInfo:
    """The meter."""
    scope = str(notes.get("scope", "board"))
    return MeterInfo(
        str(notes.get("meter", "unknown")),
        scope if scope in get_args(Scope) else "board",  # type: ignore[arg-type]
        number(notes, "gain_uncertainty"),
        number(notes, "sample_rate_hz") or None,
    )


def gaps(notes: Notes) -> list[tuple[float, float]]:
    """Spans in which samples were lost."""
    try:
        pairs = [text.split(":") for text in str(notes.get("gaps", "")).split()]
        return [(float(start), float(end)) for start, end in pairs]
    except ValueError:
        raise DataError(f"gaps are '{notes['gaps']}' in the trace", "gaps: 0.5:0.6") from None


def inferences(notes: Notes) -> tuple[int, ...]:
    """Of each window, or one number for all."""
    given = notes.get("inferences", "")
    try:
        return tuple(int(float(part)) for part in str(given).replace(",", " ").split())
    except ValueError:
        raise DataError(f"inferences is '{given}' in the trace", "give whole numbers") from None
