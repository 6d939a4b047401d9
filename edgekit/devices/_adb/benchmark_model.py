"""TensorFlow's `benchmark_model`: its command line, and the figures in what it prints.

Source: tensorflow/lite/tools/benchmark/{README.md,benchmark_model.cc}. It tells means only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.devices.base import Request
from edgekit.errors import DeviceError

_STAT = re.compile(
    r"count=(\d+)(?: first=([\d.e+]+) curr=\S+ min=\S+ max=\S+ avg=([\d.e+]+)"
    r"(?: std=([\d.e+]+))?| curr=([\d.e+]+))"
)
_INIT = re.compile(r"Init(?:ialization)?: ([\d.e+]+)")
_MEMORY = (
    re.compile(r"Overall peak memory footprint \(MB\) via periodic monitoring: ([\d.e+]+)"),
    re.compile(r"emory footprint[^:\n]*\(MB\): init=\S+ overall=([\d.e+]+)"),
)


@dataclass(frozen=True)
class Timings:
    """What one run of the tool found.

    Attributes:
        inferences: That were timed.
        mean_ms: Of one of them.
        deviation_ms: Standard deviation; None where the tool does not say.
        first_ms: The very first inference.
        init_ms: Loading the model; None where the tool does not say.
        memory_mb: Peak, else what memory grew by; None where the tool does not say.
    """

    inferences: int
    mean_ms: float
    deviation_ms: float | None
    first_ms: float
    init_ms: float | None
    memory_mb: float | None


def arguments(model: str, threads: int, request: Request) -> list[str]:
    """For one window."""
    return [
        f"--graph={model}",
        f"--num_threads={threads}",
        "--warmup_runs=1",
        f"--warmup_min_secs={request.warmup_seconds}",
        f"--num_runs={request.inferences}",
        f"--min_secs={request.seconds}",
        f"--max_secs={request.most_seconds}",
    ]


def parse_timings(text: str) -> Timings:
    """The figures of a run: the first line of statistics is of warm-up, the last is timed.

    Raises:
        DeviceError: There are none.
    """
    stats = list(_STAT.finditer(text))
    if len(stats) < 2:
        last = " ".join(text.strip().splitlines()[-1:])[:300]
        raise DeviceError(
            f"benchmark_model gives no timings: {last}", "run it by itself to see why"
        )
    init = _INIT.search(text.partition("timings in us")[2])
    memory = next((found for each in _MEMORY if (found := each.search(text))), None)
    deviation = stats[-1][4]
    return Timings(
        inferences=int(stats[-1][1]),
        mean_ms=_mean(stats[-1]) / 1e3,
        deviation_ms=float(deviation) / 1e3 if deviation else None,
        first_ms=float(stats[0][2] or stats[0][5]) / 1e3,
        init_ms=float(init[1]) / 1e3 if init else None,
        memory_mb=float(memory[1]) if memory else None,
    )


def _mean(stat: re.Match[str]) -> float:
    """A count of 1 has only the current value."""
    return float(stat[3] or stat[5])
