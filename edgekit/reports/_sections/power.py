"""Power over time as a meter recorded it, with the windows that were timed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.reports._sources import Item, Run
from edgekit.reports.base import Cell, Section, columns, rows

if TYPE_CHECKING:
    from edgekit.power._files.recording import Recording

COLUMNS = columns(
    ("window", "window"),
    ("time_s", "time", "s"),
    ("mean_mw", "mean", "mW"),
    ("least_mw", "least", "mW"),
    ("most_mw", "most", "mW"),
    ("inside", "in the window"),
)
POINTS = 1200
"""Of all windows together: more than a screen has columns are no use."""


def sections(item: Item) -> list[Section]:
    """One for each run whose meter left traces."""
    return [section for run in item.runs for section in _traces(item, run)]


def _traces(item: Item, run: Run) -> Iterator[Section]:
    files = sorted(run.path.glob("window-*.npz"), key=_number) if run.path.is_dir() else []
    if not files:
        return
    from edgekit.power._files.read import read_recording

    recordings = [read_recording(file) for file in files]
    info = recordings[0].trace.info
    values: list[tuple[Cell, ...]] = []
    begin = float(recordings[0].trace.time_s[0])
    for number, recording in enumerate(recordings, 1):
        values += _points(number, recording, begin, max(POINTS // len(recordings), 20))
    of = "" if info.scope == "none" else f" of the {info.scope}"
    samples = sum(recording.trace.time_s.size for recording in recordings)
    rate = f", {info.sample_rate_hz:,.0f} samples a second" if info.sample_rate_hz else ""
    yield Section(
        "power",
        "trace",
        item.name,
        f"Power{of} while it was timed",
        "estimated" if info.estimated else "measured",
        f"{info.name}{rate}; {samples:,} samples, drawn as mean, least and most of a stretch",
        COLUMNS,
        rows(COLUMNS, values),
        "energy is computed from all samples, not from these points",
    )


def _points(
    number: int, recording: Recording, begin: float, most: int
) -> Iterator[tuple[Cell, ...]]:
    """Mean, least and most power of stretches of as many samples; a stretch is in the window or
    not, by its middle."""
    import numpy as np

    from edgekit.measure._integrate import power_of

    time, power = recording.trace.time_s, power_of(recording.trace) * 1e3
    for part in np.array_split(np.arange(time.size), min(most, time.size)):
        middle = float(time[part].mean())
        inside = any(span.start_s <= middle <= span.end_s for span in recording.spans)
        drawn = power[part]
        figures = (float(drawn.mean()), float(drawn.min()), float(drawn.max()))
        yield number, round(middle - begin, 6), *(float(f"{x:.6g}") for x in figures), inside


def _number(file: Path) -> int:
    digits = file.stem.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0
