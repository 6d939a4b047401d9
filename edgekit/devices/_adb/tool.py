"""One window by the user's `benchmark_model` on the device."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit.devices._adb.benchmark_model import arguments, parse_timings
from edgekit.devices._adb.client import quoted
from edgekit.devices._adb.files import FOLDER
from edgekit.devices._adb.place import KILL_AFTER_S, Phone
from edgekit.devices.base import Request, Window
from edgekit.errors import DeviceError

LATE_S = 60.0
"""Seconds for loading the model, and for one inference more than were asked for."""


class Tool:
    """benchmark_model on a device.

    Args:
        phone: Open.
        given: Options of the driver.
        model: Path of the model there.

    Attributes:
        memory_mb: That the last run took; None where it did not say.
    """

    def __init__(self, phone: Phone, given: Mapping[str, Any], model: str) -> None:
        here = Path(given["benchmark_model"]).expanduser()
        self._phone = phone
        self._program = phone.put(here) if here.is_file() else given["benchmark_model"]
        self._threads = given.get("threads", 1)
        self._model = model
        self.memory_mb: float | None = None

    def run(self, request: Request) -> Window:
        """One window: the mean only, and when it ended, as far as can be seen from here.

        Raises:
            DeviceError: The tool fails, or prints no timings.
            ConnectionLost: The connection broke.
        """
        seconds = request.warmup_seconds + request.most_seconds + LATE_S
        words = quoted(self._program, *arguments(self._model, self._threads, request))
        limit = f"timeout -k {KILL_AFTER_S} {math.ceil(seconds)}"
        begun = time.monotonic()
        code, said = self._phone.adb.shell(f"cd {FOLDER} && {limit} {words}", seconds + LATE_S)
        ended = time.monotonic()
        if code:
            last = " ".join(said.strip().splitlines()[-1:])
            raise DeviceError(
                f"{self._phone.name}: benchmark_model ends with code {code}: {last}",
                f"by hand: adb shell {words}",
            )
        return self._window(said, begun, ended, request)

    def _window(self, said: str, begun: float, ended: float, request: Request) -> Window:
        found = parse_timings(said)
        timed = found.inferences * found.mean_ms / 1e3
        self.memory_mb = found.memory_mb
        request.samples([found.mean_ms])
        return Window(
            latency_ms=(found.mean_ms,),
            inferences=found.inferences,
            start_s=ended - timed,
            end_s=ended,
            clock_error_s=max(0.0, ended - begun - timed),
            init_ms=found.init_ms,
            first_ms=found.first_ms,
        )
