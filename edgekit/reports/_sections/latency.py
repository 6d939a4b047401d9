"""Latency of a run: how it is distributed, and over time where it went on for a while."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.reports._sources import Item, Run
from edgekit.reports.base import Section, columns, rows

BINS = columns(("start", "from", "ms"), ("end", "to", "ms"), ("count", "inferences"))
CURVE = columns(
    ("time_s", "time", "s"),
    ("median_ms", "latency", "ms"),
    ("temperature_c", "hottest sensor", "°C"),
    ("frequency_mhz", "clock", "MHz"),
    ("energy_mj", "energy", "mJ"),
)


def sections(item: Item) -> list[Section]:
    """One or two for each run that was timed."""
    return [section for run in item.runs for section in (*_bins(item, run), *_curve(item, run))]


def _bins(item: Item, run: Run) -> Iterator[Section]:
    found = run.report["latency"]
    if not found or found["samples"] <= len(found["windows_ms"]):
        return
    counts, start = found["histogram"], found["min_ms"]
    width = (found["histogram_end_ms"] - start) / len(counts)
    values = [(start + i * width, start + (i + 1) * width, n) for i, n in enumerate(counts)]
    marks = {"median": found["median_ms"], "p95": found["p95_ms"]}
    if found["low_ms"] is not None and found["high_ms"] is not None:
        marks |= {"low": found["low_ms"], "high": found["high_ms"]}
    slower = found["samples"] - sum(counts)
    caveat = f"{slower:,} slower ones lie to the right of the picture; " if slower else ""
    windows = len(found["windows_ms"])
    yield Section(
        "latency",
        "distribution",
        item.name,
        "Latency of an inference",
        "measured",
        f"{found['samples']:,} inferences in {windows} windows on {run.report['device']}",
        BINS,
        rows(BINS, values),
        f"{caveat}the interval is of the median, not of a single inference",
        marks,
    )


def _curve(item: Item, run: Run) -> Iterator[Section]:
    found = run.report.get("sustained")
    if not found:
        return
    points = found["curve"]
    values = [tuple(point[column.key] for column in CURVE) for point in points]
    marks = {} if found["onset_s"] is None else {"slower from": found["onset_s"]}
    yield Section(
        "sustained",
        "over_time",
        item.name,
        "Latency without a pause",
        "measured",
        f"{len(points):,} windows one after another on {run.report['device']}",
        CURVE,
        rows(CURVE, values),
        "each point is the median of a window",
        marks,
    )
