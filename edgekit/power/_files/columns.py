"""A trace of named columns; see `names` for the names, `notes` for what lies beside them.

Energy is a cumulative counter; `energy_j_per_ms` and `energy_uj_per_sample` are what each sample
adds, and means then. Columns whose name is no quantity's are digital channels where they hold
nothing but zeros and ones, and else left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError
from edgekit.power._counter import unwrap
from edgekit.power._files import notes as told
from edgekit.power._files.holes import holes
from edgekit.power._files.names import HINT, quantity, scale
from edgekit.power._files.notes import Notes
from edgekit.power._files.recording import Recording
from edgekit.power.base import Sample, Trace

Array = NDArray[np.float64]
Found = dict[str, Array]


def recording(columns: Mapping[str, Array], notes: Notes, where: str) -> Recording:
    """The trace of columns [n] and notes.

    Raises:
        DataError: A quantity is there twice, or there is no time or no power.
    """
    ranges = {name: float(column[0]) for name, column in columns.items() if told.is_range(name)}
    columns = {name: column for name, column in columns.items() if name not in ranges}
    found = _quantities(columns, where)
    time = _time(found, notes, where)
    sample = _shares(columns, found, time) or told.sample(notes)
    if not {"power", "current", "energy"} & found.keys():
        raise DataError(f"{where} has no column of power, current or energy", HINT)
    full, volts, counter = (
        told.counter_range({**notes, **ranges}),
        told.volts(notes),
        "energy" in found,
    )
    if volts is not None and "voltage" not in found:
        found["voltage"] = np.full(time.size, volts)
    if counter and full:
        found["energy"] = unwrap(found["energy"], full)
    trace = Trace(
        time,
        power_w=found.get("power"),
        current_a=found.get("current"),
        voltage_v=found.get("voltage"),
        energy_j=found.get("energy"),
        digital=_channels(columns),
        gaps=(*told.gaps(notes), *(() if counter else holes(time))),
        clock="meter",
        info=told.info(notes),
        sample=sample,
    )
    return Recording(trace, inferences=told.inferences(notes))


def _quantities(columns: Mapping[str, Array], where: str) -> Found:
    """In SI units."""
    found: Found = {}
    for name, values in columns.items():
        if kind := quantity(name):
            if kind[0] in found:
                raise DataError(f"{where} has two columns of {kind[0]}", "leave one of them out")
            found[kind[0]] = values * kind[1]
    return found


def _channels(columns: Mapping[str, Array]) -> dict[str, NDArray[np.uint8]]:
    return {
        name.removeprefix("digital_"): values.astype(np.uint8)
        for name, values in columns.items()
        if quantity(name) is None and np.isin(values, (0.0, 1.0)).all()
    }


def _time(found: Found, notes: Notes, where: str) -> Array:
    rate = told.number(notes, "sample_rate_hz")
    if "time" in found:
        time = found["time"]
    elif rate > 0 and found:
        time = np.arange(next(iter(found.values())).size) / rate
    else:
        raise DataError(f"{where} has no column of time", HINT)
    if time.size < 2:
        raise DataError(f"{where} has {time.size} samples", "energy needs at least two")
    return np.asarray(time, np.float64)


def _shares(columns: Mapping[str, Array], found: Found, time: Array) -> Sample | None:
    """Turn energy that each sample adds into its mean power; `mean` where it was that."""
    per = next((kind[2] for name in columns if (kind := quantity(name)) and kind[2]), "")
    if not per or "energy" not in found:
        return None
    lasts = np.diff(time, append=2 * time[-1] - time[-2])
    found["power"] = found.pop("energy") / (lasts if per == "sample" else scale("time", per))
    return "mean"
