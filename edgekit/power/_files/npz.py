"""NumPy archives: our own, the repacked MLPerf Tiny sessions of a JS220, and arrays with names.

Our own (`edgekit_trace` is in it) holds the fields of `Trace` by their names, `digital_NAME` for
channels, `gaps` [k, 2], `spans` [w, 2], `inferences` [w or 1], and as JSON what is no array.

Arrays with names are columns, see `columns`; `gaps` [k, 2], `spans` [w, 2] and `inferences` may lie
beside them.

A session of the MLPerf Tiny runner with a JS220 holds, for its captures i = 0, 1, ...,
`energy_J_per_ms_i` [n] (what each millisecond added), `events_i` [2] (counts of samples at the
window's start and end) and `iterations_i`. The captures follow each other with a gap between.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.errors import DataError
from edgekit.measure.spans import Span
from edgekit.power._files.columns import recording
from edgekit.power._files.names import HINT
from edgekit.power._files.recording import Recording
from edgekit.power.base import MeterInfo, Trace

OWN = "edgekit_trace"
VERSION = 1
RATE_HZ, BETWEEN_S = 1000.0, 1.0


def read(path: Path) -> Recording:
    """The trace of an archive.

    Raises:
        DataError: It is damaged, or its arrays are no trace.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: {error}", "record or copy it again") from None
    try:
        return _recording(arrays, path)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise DataError(f"{path} is no trace: {error}", HINT) from None


def _recording(arrays: dict[str, Any], path: Path) -> Recording:
    if OWN in arrays:
        return _own(arrays, path)
    if "energy_J_per_ms_0" in arrays:
        return _session(arrays, path)
    counts = arrays.pop("inferences", np.array([], np.int64)).reshape(-1)
    gaps = _pairs(arrays.pop("gaps", None))
    spans = [Span(a, b) for a, b in _pairs(arrays.pop("spans", None))]
    columns = {n: a.astype(np.float64) for n, a in arrays.items() if a.ndim == 1 and _numbers(a)}
    notes = {name: a.item() for name, a in arrays.items() if a.ndim == 0}
    if len({a.size for a in columns.values()}) != 1:
        raise DataError(f"{path} is no trace: its arrays differ in length", HINT)
    found = recording(columns, notes, str(path))
    trace = replace(found.trace, gaps=(*gaps, *found.trace.gaps))
    return Recording(trace, tuple(spans), tuple(map(int, counts)) or found.inferences)


def _pairs(array: Any) -> list[tuple[float, float]]:
    return [] if array is None else [(float(a), float(b)) for a, b in array.reshape(-1, 2)]


def _numbers(array: Any) -> bool:
    return array.dtype.kind in "biuf"


def _own(arrays: Mapping[str, Any], path: Path) -> Recording:
    meta = json.loads(str(arrays[OWN]))
    if meta["version"] != VERSION:
        raise DataError(f"{path} is a trace of version {meta['version']}", "update edgekit")
    fields = ("power_w", "current_a", "voltage_v", "energy_j")
    channels = [name for name in arrays if name.startswith("digital_")]
    trace = Trace(
        arrays["time_s"],
        **{name: arrays[name] for name in fields if name in arrays},
        digital={name.removeprefix("digital_"): arrays[name] for name in channels},
        gaps=tuple((float(a), float(b)) for a, b in arrays["gaps"]),
        clock=meta["clock"],
        clock_error_s=meta["clock_error_s"],
        info=MeterInfo(**meta["info"]),
        codes=tuple(meta["codes"]),
        sample=meta["sample"],
    )
    spans = tuple(Span(a, b, error, bool(seen)) for a, b, error, seen in arrays["spans"].tolist())
    return Recording(trace, spans, tuple(int(count) for count in arrays["inferences"]))


def _session(arrays: Mapping[str, Any], path: Path) -> Recording:
    times, power, pin, gaps, spans, counts = [], [], [], [], [], []
    begin = 0.0
    for index in range(sum(name.startswith("energy_J_per_ms_") for name in arrays)):
        energy = arrays[f"energy_J_per_ms_{index}"]
        first, last = (int(event) for event in arrays[f"events_{index}"])
        if not 0 <= first < last < energy.size:
            raise DataError(f"{path}: capture {index} ends within its window", "record it again")
        time = begin + np.arange(energy.size + 1) / RATE_HZ
        spans.append(Span(float(time[first]), float(time[last]), seen=True))
        counts.append(int(arrays[f"iterations_{index}"]))
        gaps.append((float(time[-1]), float(time[-1]) + BETWEEN_S))
        times.append(time[:-1])
        power.append(energy * RATE_HZ)
        pin.append((time[:-1] >= time[first]) & (time[:-1] < time[last]))
        begin = gaps[-1][1]
    trace = Trace(
        np.concatenate(times),
        power_w=np.concatenate(power),
        digital={"gpi0": np.concatenate(pin).astype(np.uint8)},
        gaps=tuple(gaps[:-1]),
        clock="meter",
        info=MeterInfo("Joulescope JS220", "board", sample_rate_hz=RATE_HZ),
        sample="mean",
    )
    return Recording(trace, tuple(spans), tuple(counts))
