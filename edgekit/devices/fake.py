"""A device that does not exist: what it times and how it fails is set by options.

For tests of what uses devices, and to try `lab.toml`, reports and comparisons at a desk without a
board. Its figures say that they are simulated.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from edgekit.devices.base import Device, Golden, Job, Request, State, Window
from edgekit.equipment import Option
from edgekit.errors import ConnectionLost, DeviceError, UsageError

MOST = 100_000
"""Samples of a window, however short they are."""


class Driver(Device):
    """Simulated latencies around a set one."""

    title = "no device at all: simulated figures, for tests and first steps"
    figures = frozenset({"latency"})
    kind = "fake"
    options: ClassVar[Mapping[str, Option]] = {
        "latency_ms": Option("median of an inference in ms, default 5", "number"),
        "jitter": Option("relative spread of samples, default 0.01", "number"),
        "drift": Option("relative change from window to window, default 0", "number"),
        "seed": Option("of the samples, default 0", "whole"),
        "mismatched": Option("output values that are wrong, default 0", "whole"),
        "load": Option("load of the device, default 0", "number"),
        "throttled": Option("names of what throttles it, parted by commas"),
        "codes": Option("codes that the driver reports, parted by commas"),
        "lose": Option("connections that break before a window succeeds, default 0", "whole"),
        "real_time": Option("let the time of a window pass, default no", "switch"),
        "die": Option("fail for good when the first window is asked for, default no", "switch"),
    }

    def __init__(self) -> None:
        super().__init__()
        self._windows = 0
        self._now = time.monotonic()
        self._lost = 0

    def _deploy(self, job: Job) -> None:
        """Nothing is copied."""
        if not job.options.get("latency_ms", 1.0) > 0:
            raise UsageError("latency_ms is not above zero", "give milliseconds, e.g. 5")

    def _check(self) -> Golden:
        return Golden(vectors=1, compared=10, mismatched=self._option("mismatched", 0))

    def _run(self, request: Request) -> Window:
        self._fail()
        samples = self._samples(request)
        seconds = sum(samples) / 1e3
        start = self._pass(seconds)
        request.samples(samples)
        self._windows += 1
        state = State(
            load=self._option("load", 0.0), processors=4, throttled=self._names("throttled")
        )
        return Window(
            latency_ms=samples,
            inferences=len(samples),
            start_s=start,
            end_s=self._now,
            before=state,
            after=state,
            codes=self._names("codes"),
        )

    def _environment(self) -> Mapping[str, Any]:
        return {"simulated": True}

    def _fail(self) -> None:
        if self._option("die", False):
            raise DeviceError("the fake device died, as it was told", "leave out die")
        if self._lost < self._option("lose", 0):
            self._lost += 1
            raise ConnectionLost("the fake device hung up, as it was told", "leave out lose")

    def _pass(self, seconds: float) -> float:
        """Let time pass, if only in name; returns when that began."""
        start = self._now
        if self._option("real_time", False):
            start = time.monotonic()
            time.sleep(seconds)
        self._now = start + seconds
        return start

    def _samples(self, request: Request) -> tuple[float, ...]:
        """As many as take the time of the window."""
        draw = random.Random(f"{self._option('seed', 0)}/{self._windows}")
        median = self._option("latency_ms", 5.0) * (1 + self._option("drift", 0.0)) ** self._windows
        wanted = max(request.inferences, round(request.seconds * 1e3 / median) + 1)
        spread = self._option("jitter", 0.01)
        return tuple(median * abs(draw.gauss(1, spread)) for _ in range(min(wanted, MOST)))

    def _names(self, option: str) -> tuple[str, ...]:
        return tuple(name for name in self._option(option, "").split(",") if name)

    def _option(self, name: str, default: Any) -> Any:
        return self.job.options.get(name, default)
