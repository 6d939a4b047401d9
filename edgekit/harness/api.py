"""The library face: `edgekit.bench` and its keyword arguments as what is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit._discover import did_you_mean
from edgekit.artifact import Build
from edgekit.devices.base import Request
from edgekit.errors import UsageError
from edgekit.harness.bench import bench
from edgekit.harness.lab import load_lab
from edgekit.harness.report import Report
from edgekit.harness.wanted import Wanted
from edgekit.progress import Progress

NAMES = {
    "options": "options",
    "power": "meter",
    "meter_options": "meter_options",
    "channel": "channel",
    "windows": "windows",
    "inferences": "inferences",
    "quick": "quick",
    "sustained": "sustained_s",
    "idle": "idle_s",
}
"""Arguments of `bench_one` -> fields of `Wanted`."""


def bench_one(
    build: Build | str | Path,
    device: str,
    *,
    seconds: float = Request.seconds,
    lab: str | Path | None = None,
    output: str | Path | None = None,
    progress: Progress | None = None,
    **wanted: Any,
) -> Report:
    """`edgekit.bench`: see there."""
    for name in wanted:
        if name not in NAMES:
            raise UsageError(f"bench() takes no '{name}'", did_you_mean(name, NAMES))
    loaded = build if isinstance(build, Build) else Build.load(Path(build))
    given = {NAMES[name]: value for name, value in wanted.items()}
    asked = Wanted(
        device,
        **given,
        request=Request(seconds=seconds),
        output=Path(output) if output else None,
    )
    return bench(loaded, asked, load_lab(Path(lab) if lab else None), progress)
