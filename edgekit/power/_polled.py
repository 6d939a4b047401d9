"""A meter that has to be asked for each sample, of one thing or of several that are added."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from edgekit.equipment import Option
from edgekit.errors import DeviceError, UsageError
from edgekit.power._sampler import Sampler, Samples
from edgekit.power.base import MeterInfo, PowerMeter, Scope, Trace

INTERVAL = Option("time between readings, in ms", "number")


class Readable(Protocol):
    """One thing whose power can be asked for."""

    @property
    def name(self) -> str:
        """As users choose it."""

    @property
    def label(self) -> str:
        """What it says it is."""

    @property
    def scope(self) -> Scope:
        """What its power is of."""

    @property
    def quantities(self) -> Sequence[str]:
        """What a reading holds: `energy`, `power`, or `current` and `voltage`."""

    @property
    def full_j(self) -> float | None:
        """What a turn of its counter adds; None where it has no end."""

    @property
    def gain(self) -> float:
        """Relative standard uncertainty; 0 where it is not known."""

    def read(self) -> list[float]:
        """The quantities now, in SI units."""

    def charging(self) -> bool:
        """Whether it is a battery that something fills."""


class Sampling(Protocol):
    """What asks: a thread here, or a reader elsewhere."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> Samples:
        """End, and give what was read."""

    def abandon(self) -> None:
        """End, whatever was read."""


class Polled(PowerMeter):
    """Asks what `_find` returns, in a thread; where it is several, each is a counter."""

    default_ms: ClassVar[float] = 10.0

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        self._interval: float = self.given.get("interval_ms", self.default_ms) / 1e3
        if self._interval <= 0:
            raise UsageError("interval_ms must be above zero", f"e.g. {self.default_ms:g}")
        self._read: Sequence[Readable] = ()
        self._sampler: Sampling | None = None

    def _open(self) -> None:
        self._read = self._find()
        refuse_charging(self._read)

    def _start(self) -> None:
        if not self._read:
            raise DeviceError("the meter is not connected", "open it first")
        refuse_charging(self._read)
        self._sampler = self._make()
        self._sampler.start()

    def _stop(self) -> Trace:
        if self._sampler is None:
            raise DeviceError("nothing was recorded", "start the meter first")
        samples, self._sampler = self._sampler.stop(), None
        return self._trace(samples)

    def _close(self) -> None:
        if self._sampler is not None:
            self._sampler.abandon()
            self._sampler = None

    def _make(self) -> Sampling:
        read = self._read
        what = " and ".join(one.name for one in read)
        return Sampler(
            lambda: [value for one in read for value in one.read()], self._interval, what
        )

    def _trace(self, samples: Samples) -> Trace:
        import numpy as np

        if len(samples.times_s) < 2:
            raise DeviceError("nothing was recorded", "record for longer than an interval")
        first = self._read[0]
        values = _values(self._read, np.array(samples.rows, np.float64).T)
        name = f"{' + '.join(one.name for one in self._read)} ({first.label})"
        return Trace(
            np.array(samples.times_s),
            power_w=values.get("power"),
            current_a=values.get("current"),
            voltage_v=values.get("voltage"),
            energy_j=values.get("energy"),
            gaps=() if "energy" in values else samples.gaps(self._interval),
            clock_error_s=samples.error_s,
            info=MeterInfo(name, first.scope, first.gain, 1 / self._interval),
            codes=("charging",) if any(one.charging() for one in self._read) else (),
        )

    @abc.abstractmethod
    def _find(self) -> Sequence[Readable]: ...


def refuse_charging(read: Sequence[Readable]) -> None:
    """Refuse a battery that a charger fills: what the device draws does not flow out of it.

    Raises:
        DeviceError: It is.
    """
    for one in read:
        if one.scope == "battery" and one.charging():
            hint = "unplug the charger (a phone: adb over Wi-Fi), or measure at its plug"
            raise DeviceError(
                f"the battery of {one.name} is charging, or something else feeds it", hint
            )


def _values(read: Sequence[Readable], columns: Any) -> dict[str, Any]:
    """Arrays by quantity; counters unwrapped and added; what flows out of a battery above zero."""
    import numpy as np

    from edgekit.power._counter import unwrap

    if "energy" in read[0].quantities:
        pairs = zip(read, columns, strict=True)
        return {"energy": sum(unwrap(c, one.full_j) if one.full_j else c for one, c in pairs)}
    values = dict(zip(read[0].quantities, columns, strict=True))
    drawn = next(name for name in ("power", "current") if name in values)
    if read[0].scope == "battery" and np.median(values[drawn]) < 0:
        values[drawn] = -values[drawn]
    return values
