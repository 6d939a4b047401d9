"""X-NUCLEO-LPM01A as EEMBC's energyrunner keeps it: `NAME-energy.bin`.

A byte 0xF1, then little-endian float32: the rate in Hz, and a sample a period: what it added, in mJ
a second. Beside it may lie `NAME-timestamps.json` (times of the marks in s) and `results.txt`
(which tells the inferences of each window).

The runner adds the period up sample by sample, and so do the times here: a timestamp is a whole
number of periods, which float64 cannot hold, and the sum's rounding decides which of two samples it
falls on. With it the runner's own figures come out to the last digit.

The board's gain: UM2243 states an accuracy of 2 %, taken as the half width of a rectangle.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from edgekit.errors import DataError
from edgekit.power._files.marks import read_marks
from edgekit.power._files.recording import Recording
from edgekit.power.base import MeterInfo, Trace

MAGIC = b"\xf1"
ACCURACY = 0.02
INFERENCES = re.compile(r"# Inferences\s*:\s*(\d+)")


def read(path: Path) -> Recording:
    """The trace of a binary file, with the windows and inferences that lie beside it.

    Raises:
        DataError: It is damaged.
    """
    content = path.read_bytes()[1:]
    values = np.frombuffer(content[: len(content) // 4 * 4], "<f4").astype(np.float64)
    rate, milliwatts = (values[0] if values.size else 0.0), values[1:]
    if not (math.isfinite(rate) and rate > 0) or milliwatts.size < 2 or len(content) % 4:
        raise DataError(f"{path} is a damaged LPM01A file", "copy it again from the runner")
    time = np.concatenate([[0.0], np.cumsum(np.full(milliwatts.size - 1, 1 / rate))])
    info = MeterInfo("X-NUCLEO-LPM01A", "board", ACCURACY / math.sqrt(3), float(rate))
    trace = Trace(time, power_w=milliwatts / 1e3, clock="meter", info=info, sample="mean")
    stamps = path.with_name(path.name.replace("-energy.bin", "-timestamps.json"))
    spans = read_marks(stamps) if stamps != path and stamps.is_file() else ()
    return Recording(trace, tuple(spans), _inferences(path.with_name("results.txt"), len(spans)))


def _inferences(results: Path, windows: int) -> tuple[int, ...]:
    if not results.is_file():
        return ()
    found = tuple(int(n) for n in INFERENCES.findall(results.read_text(errors="replace")))
    return found if len(found) == windows else ()
