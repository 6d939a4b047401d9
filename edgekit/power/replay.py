"""Meter `replay`: plays a recorded trace, again and again, as if it were recorded now.

For tests, and to try a bench without a meter. Its figures are not of the device that is measured:
they carry the code `estimated`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.equipment import Option
from edgekit.errors import DeviceError, UsageError
from edgekit.power.base import PowerMeter, Trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Meter(PowerMeter):
    """Begins the recording with each capture."""

    title = "a recorded trace, played as if it were measured now"
    options = {  # noqa: RUF012
        "path": Option("npz, csv, LPM01A or JLS file"),
        "voltage_v": Option("of the supply, where the file has current alone, in V", "number"),
    }

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        if "path" not in self.given:
            raise UsageError("replay needs a recorded trace", "give its path")
        self._recorded: Trace | None = None
        self._begun: float | None = None

    def _open(self) -> None:
        from edgekit.measure.recorded import with_voltage
        from edgekit.power._files.read import read_recording

        recording = read_recording(Path(self.given["path"]))
        if "voltage_v" in self.given:
            recording = with_voltage(recording, self.given["voltage_v"])
        self._recorded = recording.trace

    def _start(self) -> None:
        self._begun = time.monotonic()

    def _stop(self) -> Trace:
        if self._recorded is None or self._begun is None:
            raise DeviceError("nothing was recorded", "start the meter first")
        begun, self._begun = self._begun, None
        return played(self._recorded, begun, time.monotonic() - begun)

    def _close(self) -> None:
        self._begun = None


def played(trace: Trace, begun_s: float, seconds: float) -> Trace:
    """The trace from `begun_s` of this machine's clock on, repeated until `seconds` are filled."""
    import numpy as np

    from edgekit.measure._integrate import power_of

    time_s = trace.time_s - trace.time_s[0]
    length = float(time_s[-1] + np.median(np.diff(time_s)))
    times = max(1, math.ceil(seconds / length) + 1)

    def again(values: NDArray[Any], step: float = 0.0) -> NDArray[np.float64]:
        return np.concatenate([values + step * turn for turn in range(times)])

    gaps = [
        (
            begun_s + a - trace.time_s[0] + turn * length,
            begun_s + b - trace.time_s[0] + turn * length,
        )
        for turn in range(times)
        for a, b in trace.gaps
    ]
    return replace(
        trace,
        time_s=begun_s + again(time_s, length),
        power_w=again(power_of(trace)),
        current_a=None,
        voltage_v=None,
        energy_j=None,
        digital={name: np.tile(levels, times) for name, levels in trace.digital.items()},
        gaps=tuple(gaps),
        clock="host",
        info=replace(trace.info, name=f"replay of {trace.info.name}", estimated=True),
        sample="mean" if trace.energy_j is not None else trace.sample,
    )
