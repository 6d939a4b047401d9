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
    from numpy.typing import NDArray


class Meter(PowerMeter):
    """Begins the recording anew with each capture."""

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
    """So much of the trace, repeated where it is short, from `begun_s` of this clock on."""
    import numpy as np

    from edgekit.measure._integrate import power_of

    offset = trace.time_s - trace.time_s[0]
    length = float(offset[-1] + np.median(np.diff(offset)))
    turns = range(math.ceil(seconds / length) or 1)
    times = np.concatenate([offset + length * turn for turn in turns])
    kept = int(np.searchsorted(times, seconds, "right"))

    def again(values: NDArray[Any]) -> NDArray[Any]:
        return np.tile(values, len(turns))[:kept]

    shifts = [begun_s - float(trace.time_s[0]) + length * turn for turn in turns]
    gaps = [(shift + a, shift + b) for shift in shifts for a, b in trace.gaps]
    return replace(
        trace,
        time_s=begun_s + times[:kept],
        power_w=again(power_of(trace)),
        current_a=None,
        voltage_v=None,
        energy_j=None,
        digital={name: again(levels) for name, levels in trace.digital.items()},
        gaps=tuple(gap for gap in gaps if gap[0] < begun_s + seconds),
        clock="host",
        info=replace(trace.info, name=f"replay of {trace.info.name}", estimated=True),
        sample="mean" if trace.energy_j is not None else trace.sample,
    )
