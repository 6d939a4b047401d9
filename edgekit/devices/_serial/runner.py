"""Results in the format of MLPerf Tiny's runner: `results.txt`, `results.json` and `log.txt`.

Source: github.com/mlcommons/tiny, benchmark/runner/main.py and script.py, performance mode.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edgekit.devices._serial.timing import RULES_S, Timed
from edgekit.errors import OutputError

WINDOWS = 5
NOTE = "compatible with MLPerf Tiny's protocol, measured by edgekit: not an MLPerf result"
_RULE = "-" * 57


def write_runner_log(folder: Path, name: str, windows: Sequence[Timed], at: float) -> None:
    """Write the three files into `folder`; called again after each window, they grow.

    Args:
        folder: Made where it is missing.
        name: Of the input, as the runner names its file.
        windows: All so far.
        at: When, in seconds since 1970.

    Raises:
        OutputError: The folder cannot be written.
    """
    stamp = time.strftime("%m%d.%H%M%S ulp-mlperf: ", time.localtime(at))
    texts = {
        "log.txt": "\n".join([NOTE, *_log(windows, stamp), *_summary(windows, stamp)]) + "\n",
        "results.txt": "\n".join([NOTE, *_summary(windows, stamp)]) + "\n",
        "results.json": json.dumps([*_rows(name, windows), *_errors(windows)]),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="ascii")
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error}", "give another folder as runner_log"
        ) from error


def _log(windows: Sequence[Timed], stamp: str) -> Iterator[str]:
    for number, window in enumerate(windows, 1):
        yield f"{stamp}Performance results for window {number}:"
        yield f"{stamp}  # Inferences : {window.ran.inferences:>13}"
        yield f"{stamp}  Runtime      : {window.seconds:>10.3f} sec."
        yield f"{stamp}  Throughput   : {1 / window.latency_s:>10.3f} inf./sec."
        yield f"{stamp}  m-results    : {list(window.ran.results)}"


def _summary(windows: Sequence[Timed], stamp: str) -> list[str]:
    if len(windows) != WINDOWS:
        return [f"{stamp}ERROR 1 - loop_count was not exactly {WINDOWS}."]
    if min(window.seconds for window in windows) < RULES_S:
        return [f"{stamp}ERROR 2 - loop exited before 10 seconds elapsed."]
    median = statistics.median(1 / window.latency_s for window in windows)
    throughput = f"{stamp}Median throughput is {median:>10.3f} inf./sec."
    return [stamp + _RULE, throughput, stamp + _RULE]


def _rows(name: str, windows: Sequence[Timed]) -> Iterator[dict[str, Any]]:
    for window in windows:
        infer: dict[str, Any] = {"results": list(window.ran.results), "total_inferences": 1}
        if window.ran.us:
            begin, end = window.ran.us
            infer |= {"start_time": begin, "end_time": end}
        infer |= {
            "elapsed_time": round(window.seconds * 1e6),
            "iterations": window.ran.inferences,
            "warmups": window.warmups,
            "throughput": 1 / window.latency_s,
        }
        yield {"file": name, "infer": infer, "mode": "p"}


def _errors(windows: Sequence[Timed]) -> list[dict[str, str]]:
    if len(windows) != WINDOWS:
        return [{"error": "error 1", "mode": "p"}]
    short = min(window.seconds for window in windows) < RULES_S
    return [{"error": "error 2", "mode": "p"}] if short else []
