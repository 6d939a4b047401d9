"""What the bench harness itself costs, and how steady its figure is on a busy host.

Overhead: the worker in Python against the native one, which is a loop in C around the same
libLiteRt.so; both time the same model in windows that take turns, and the figure is the median of
the ratios pair by pair. Steadiness: the median of several windows, as `edgekit bench` takes it,
again and again while one core is kept busy; the figure is the coefficient of variation of them.

    python scripts/benchmark_harness.py MODEL.tflite... [--pairs 9] [--runs 10]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import ai_edge_litert

from edgekit.artifact import Artifact
from edgekit.devices._litert.place import Place
from edgekit.devices.base import Job, Request
from edgekit.devices.host import Driver, Here
from edgekit.measure.latency import summarise

WINDOWS, WINDOW_S = 5, 1.0
BUSY = "while True: pass"


class Native(Here):
    """This machine, with the worker in C."""

    def __init__(self, worker: Path) -> None:
        super().__init__()
        self._worker = worker

    def command(self, arguments: Sequence[str], seconds: float) -> list[str]:
        """The worker that was compiled here, on the library of the Python package."""
        library = Path(ai_edge_litert.__file__).parent / "libLiteRt.so"
        return [str(self._worker), "--runtime", str(library), *arguments]


class NativeDriver(Driver):
    """LiteRT here, without Python."""

    worker: Path

    def _connect(self, job: Job) -> Place:
        return Native(self.worker)


def native_worker(folder: Path) -> Path:
    """The worker of the driver `adb`, compiled for this machine."""
    from edgekit.devices._adb.compile import compile_worker

    return compile_worker(["gcc"], folder)


def job_of(model: Path, folder: Path) -> Job:
    """A build that is nothing but a model."""
    copy = folder / "model.tflite"
    copy.write_bytes(model.read_bytes())
    artifact = Artifact.of("tflite", copy, folder).to_json()
    return Job(folder, {"target": "linux-x86_64", "artifacts": [artifact]})


def overhead(job: Job, worker: Path, pairs: int) -> dict[str, float]:
    """Medians in ms of both workers, and how much more the one in Python takes, in percent."""
    NativeDriver.worker = worker
    request = Request(WINDOW_S)
    with Driver() as ours, NativeDriver() as native:
        ours.deploy(job)
        native.deploy(job)
        found = [(median_of(ours, request), median_of(native, request)) for _ in range(pairs)]
    more = [100 * (a / b - 1) for a, b in found]
    return {
        "python_ms": statistics.median(a for a, _ in found),
        "native_ms": statistics.median(b for _, b in found),
        "overhead_percent": statistics.median(more),
        "least_percent": min(more),
        "most_percent": max(more),
    }


def median_of(driver: Driver, request: Request) -> float:
    """Median latency of one window, in ms."""
    return statistics.median(driver.run(request).latency_ms)


def steadiness(job: Job, runs: int) -> dict[str, float]:
    """Spread of the median over runs, in percent of their mean."""
    with busy_core(), Driver() as driver:
        driver.deploy(job)
        medians = [run_median(driver) for _ in range(runs)]
    mean = statistics.fmean(medians)
    return {"median_ms": mean, "cv_percent": 100 * statistics.stdev(medians) / mean}


def run_median(driver: Driver) -> float:
    """What one run of `edgekit bench` reports."""
    windows = [driver.run(Request(WINDOW_S)).latency_ms for _ in range(WINDOWS)]
    return summarise(windows).median_ms


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """One process that never rests."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
        try:
            yield
        finally:
            busy.kill()


def main() -> None:
    """Print one line of JSON a model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=9, help="windows of each worker")
    parser.add_argument("--runs", type=int, default=10, help="with one busy core")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        worker = native_worker(folder)
        for model in given.models:
            job = job_of(model, folder)
            figures = {"model": model.name, **overhead(job, worker, given.pairs)}
            if given.runs > 1:
                figures |= steadiness(job, given.runs)
            print(json.dumps({k: round(v, 4) if k != "model" else v for k, v in figures.items()}))


if __name__ == "__main__":
    main()
