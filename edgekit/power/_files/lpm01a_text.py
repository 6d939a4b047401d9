"""X-NUCLEO-LPM01A, as text: what its serial line said during an acquisition (`format ascii_dec`).

By the board's own `help`: a sample is `6409-07`, 6409 x 10^-7, of `output energy` in J that
a period of `freq` added, of `output current` in A at that moment, with the supply that `volt` set;
`TimeStamp: 001s 000ms, buff 00%` comes once a second, `event 01 ris` with a mark on its pin. Events
make windows in pairs, and of an odd number the first is left out, as MLPerf Tiny does. Between two
time stamps there are as many samples as they are periods apart, or some were lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgekit.errors import DataError
from edgekit.measure.spans import Span, marks
from edgekit.power._files.recording import Recording
from edgekit.power.base import MeterInfo, Trace

SAMPLE = re.compile(r"^(\d{4})([+-]\d{2})\s*$")
STAMP = re.compile(r"TimeStamp:\s*(\d+)s\s*(\d+)ms")
EVENT = re.compile(r"event \d+ (?:ris|fal)")
SETTING = re.compile(r"\b(output|freq|volt)\s+([\w.]+)")
UNITS = {"k": 1e3, "m": 1e-3, "u": 1e-6}
UNSAID = "keep the lines that set output, freq and volt at its top (`output energy`)"


@dataclass
class Log:
    """What the lines said, in their order."""

    values: list[float] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    stamps: list[tuple[float, int]] = field(default_factory=list)
    events: list[int] = field(default_factory=list)

    def add(self, line: str) -> None:
        """One line."""
        if sample := SAMPLE.match(line):
            self.values.append(float(sample[1]) * 10.0 ** int(sample[2]))
        elif stamp := STAMP.search(line):
            self.stamps.append((int(stamp[1]) + int(stamp[2]) / 1e3, len(self.values)))
        elif EVENT.search(line):
            self.events.append(len(self.values))
        else:
            self.settings.update(SETTING.findall(line))


def read(path: Path) -> Recording:
    """The trace of a log.

    Raises:
        DataError: It does not say what its samples are.
    """
    log = Log()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        log.add(line)
    output = log.settings.get("output")
    if output not in ("energy", "current") or "freq" not in log.settings:
        raise DataError(f"{path} does not say what its samples are", UNSAID)
    rate = _number(log.settings["freq"], path)
    values = np.array(log.values)
    time = np.arange(values.size) / rate
    info = MeterInfo("X-NUCLEO-LPM01A", "board", 0.02 / 3**0.5, rate)
    common = {"clock": "meter", "info": info, "gaps": _gaps(log, rate)}
    if output == "energy":
        trace = Trace(time, power_w=values * rate, sample="mean", **common)  # type: ignore[arg-type]
    else:
        volts = np.full(values.size, _number(log.settings.get("volt", ""), path))
        trace = Trace(time, current_a=values, voltage_v=volts, **common)  # type: ignore[arg-type]
    found = marks([event / rate for event in log.events]) if len(log.events) > 1 else []
    return Recording(trace, tuple(Span(s.start_s, s.end_s, seen=True) for s in found))


def _number(text: str, path: Path) -> float:
    try:
        return float(text.rstrip("kmu") or "x") * UNITS.get(text[-1:], 1.0)
    except ValueError:
        raise DataError(f"{path} does not say what its samples are", UNSAID) from None


def _gaps(log: Log, rate: float) -> tuple[tuple[float, float], ...]:
    pairs = zip(log.stamps, log.stamps[1:], strict=False)
    return tuple(
        (first / rate, second / rate)
        for (before, first), (after, second) in pairs
        if round((after - before) * rate) != second - first
    )
