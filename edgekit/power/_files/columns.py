"""Columns by their names: which quantity, in which unit.

A name is words: one says the quantity (`time`, `current`, `voltage`, `power`, `energy`, or their
letters t, i, v, p, e), the last may say the unit (`time_ms`, `Current(uA)`, `power [mW]`); without
one it is s, A, V, W or J. Energy is a cumulative counter; `energy_j_per_ms` and
`energy_uj_per_sample` are what each sample adds, and means then. Columns of other names that hold
nothing but zeros and ones are digital channels, others are left out.

Notes beside the columns (`# key: value` in a text, single values in npz): `sample` (`instant` or
`mean`), `sample_rate_hz` where no column is time, `voltage_v` where it is constant,
`energy_range_j` where a counter begins again (it may be a column, too), `gain_uncertainty`,
`meter`, `scope`, `inferences`, and `gaps` (`0.5:0.6 1.2:1.3`, in s) where samples were lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError
from edgekit.power._counter import unwrap
from edgekit.power._files.holes import holes
from edgekit.power._files.recording import Recording
from edgekit.power.base import MeterInfo, Sample, Scope, Trace

Array = NDArray[np.float64]
FIELDS = {"time": "s", "current": "A", "voltage": "V", "power": "W", "energy": "J"}
WORDS = {
    "time": ("time", "timestamp", "elapsed", "seconds", "t"),
    "current": ("current", "amps", "i"),
    "voltage": ("voltage", "volts", "vbus", "v"),
    "power": ("power", "watts", "p"),
    "energy": ("energy", "joules", "e"),
}
PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9}
LONGER = {"min": 60.0, "h": 3600.0}
VOLTS = re.compile(r"voltage(_[mu]?v)?")
HINT = "name columns by quantity and unit: time_s, power_mw, current_ua and voltage_v, energy_uj"


def quantity(name: str) -> tuple[str, float, str] | None:
    """Of a column: its quantity, one of its units in SI units, and per what; None of others."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("µ", "u").replace("μ", "u"))
    per = words[words.index("per") + 1 :] if "per" in words else []
    words = words[: words.index("per")] if "per" in words else words
    for field, known in WORDS.items():
        letter = bool(words) and words[0] == known[-1] and len(words) <= 2
        if letter or any(word in known[:-1] for word in words):
            return field, _scale(field, words[-1]), per[0] if per else ""
    return None


def recording(columns: Mapping[str, Array], notes: Mapping[str, Any], where: str) -> Recording:
    """The trace of columns [n] and notes.

    Raises:
        DataError: A quantity is there twice, or there is no time or no power.
    """
    found: dict[str, Array] = {}
    digital: dict[str, Any] = {}
    each = ""
    for name, values in columns.items():
        kind = quantity(name)
        if kind and kind[0] == "energy" and "range" in name:
            notes = {**notes, name: float(values[0])}
        elif kind is None:
            if np.isin(values, (0.0, 1.0)).all():
                digital[name.removeprefix("digital_")] = values.astype(np.uint8)
        elif kind[0] in found:
            raise DataError(f"{where} has two columns of {kind[0]}", "leave one of them out")
        else:
            found[kind[0]] = values * kind[1]
            each = kind[2] if kind[0] == "energy" else each
    time = _time(found, notes, where)
    sample = _sample(notes, each, where)
    found = {**found, **_scalars(found, notes, time.size)}
    power, counter = found.get("power"), found.get("energy")
    if counter is not None and each:
        lasts = np.diff(time, append=2 * time[-1] - time[-2])
        power, counter = counter / (lasts if each == "sample" else _scale("time", each)), None
    if power is None and counter is None and "current" not in found:
        raise DataError(f"{where} has no column of power, current or energy", HINT)
    trace = Trace(
        time,
        power_w=power,
        current_a=found.get("current"),
        voltage_v=found.get("voltage"),
        energy_j=_turned(counter, notes),
        digital=digital,
        gaps=(*_gaps(notes), *(holes(time) if counter is None else ())),
        clock="meter",
        info=_info(notes),
        sample=sample,
    )
    return Recording(trace, inferences=_inferences(notes, where))


def _scale(field: str, word: str) -> float:
    unit = FIELDS[field].lower()
    if field == "time" and word in LONGER:
        return LONGER[word]
    if field == "energy" and word.endswith("wh"):
        return 3600 * PREFIXES.get(word.removesuffix("wh"), 1.0)
    return PREFIXES.get(word.removesuffix(unit), 1.0) if word.endswith(unit) else 1.0


def _time(found: Mapping[str, Array], notes: Mapping[str, Any], where: str) -> Array:
    if "time" in found:
        time = found["time"]
    elif "sample_rate_hz" in notes and found:
        time = np.arange(len(next(iter(found.values())))) / _number(notes, "sample_rate_hz")
    else:
        raise DataError(f"{where} has no column of time", HINT)
    if time.size < 2:
        raise DataError(f"{where} has {time.size} samples", "energy needs at least two")
    return np.asarray(time, np.float64)


def _sample(notes: Mapping[str, Any], each: str, where: str) -> Sample:
    sample = "mean" if each else str(notes.get("sample", "instant"))
    if sample not in get_args(Sample):
        raise DataError(f"{where}: a sample is no '{sample}'", "sample: instant or mean")
    return sample  # type: ignore[return-value]


def _scalars(found: Mapping[str, Array], notes: Mapping[str, Any], n: int) -> dict[str, Array]:
    """Quantities that are one value for the whole trace."""
    name = next((name for name in notes if VOLTS.fullmatch(name)), None)
    if name is None or "voltage" in found:
        return {}
    return {"voltage": np.full(n, _number(notes, name) * _scale("voltage", name.split("_")[-1]))}


def _turned(counter: Array | None, notes: Mapping[str, Any]) -> Array | None:
    if counter is None:
        return None
    for name in notes:
        kind = quantity(name)
        if "range" in name and kind and kind[0] == "energy":
            return unwrap(counter, _number(notes, name) * kind[1])
    return counter


def _info(notes: Mapping[str, Any]) -> MeterInfo:
    scope = str(notes.get("scope", "board"))
    return MeterInfo(
        str(notes.get("meter", "unknown")),
        scope if scope in get_args(Scope) else "board",  # type: ignore[arg-type]
        _number(notes, "gain_uncertainty") if "gain_uncertainty" in notes else 0.0,
        _number(notes, "sample_rate_hz") if "sample_rate_hz" in notes else None,
    )


def _number(notes: Mapping[str, Any], name: str) -> float:
    try:
        return float(notes[name])
    except (TypeError, ValueError):
        raise DataError(f"{name} is '{notes[name]}' in the trace", "give a number") from None


def _gaps(notes: Mapping[str, Any]) -> list[tuple[float, float]]:
    try:
        pairs = [text.split(":") for text in str(notes.get("gaps", "")).split()]
        return [(float(start), float(end)) for start, end in pairs]
    except ValueError:
        raise DataError(f"gaps are '{notes['gaps']}' in the trace", "gaps: 0.5:0.6") from None


def _inferences(notes: Mapping[str, Any], where: str) -> tuple[int, ...]:
    given = notes.get("inferences")
    if given is None:
        return ()
    try:
        return tuple(int(float(part)) for part in str(given).replace(",", " ").split())
    except ValueError:
        raise DataError(f"{where}: inferences is '{given}'", "give whole numbers") from None
