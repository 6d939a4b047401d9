"""The contract of a power meter: what it records, and how to write the next one.

A meter is a file of this folder with a class `Meter(PowerMeter)`, or an entry point of the group
`edgekit.power` of another package; its name is the file's name. It declares what it can be told
and what it needs as data and writes `_open`, `_start`, `_stop` and `_close`. Energy is computed
from its trace by `edgekit.measure.energy`, never here.

Errors: `MissingExtra` where a package is missing, `DeviceError` where the meter does not answer or
was unplugged, `UsageError` for an option that cannot be used.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from edgekit._discover import load, names
from edgekit.equipment import Equipment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "power"
Scope = Literal["board", "rail", "package", "battery", "none"]
"""What a meter's power is of; figures of different scopes are never compared."""
Sample = Literal["instant", "mean"]
"""What a sample of power, current or voltage stands for: the moment of its time, or the mean from
its time to the next sample's."""


@dataclass(frozen=True)
class MeterInfo:
    """What a meter is.

    Attributes:
        name: And its model and serial number, for people.
        scope: What its power is of.
        gain_uncertainty: Relative standard uncertainty of its power, from its data sheet; 0 where
            none is stated.
        sample_rate_hz: Of its samples, nominal.
        estimated: Whether it computes what it does not measure.
    """

    name: str
    scope: Scope
    gain_uncertainty: float = 0.0
    sample_rate_hz: float | None = None
    estimated: bool = False


@dataclass(frozen=True, eq=False)
class Trace:
    """What a meter recorded; at least power, or current and voltage, or cumulative energy.

    Attributes:
        time_s: float64 [n], ascending: of each sample, on `time.monotonic` of this machine where
            `clock` is `host`, else on the meter's own clock.
        power_w: float64 [n].
        current_a: float64 [n].
        voltage_v: float64 [n].
        energy_j: float64 [n], cumulative, ascending.
        digital: uint8 [n] by name of a channel.
        gaps: Spans of `time_s`, start and end, in which samples were lost.
        clock: Whose clock `time_s` is.
        clock_error_s: How far `time_s` may be off.
        info: The meter.
        codes: What the meter saw go wrong (`charging`), see `edgekit.measure.verdict`.
        sample: What a sample stands for.
    """

    time_s: NDArray[np.float64]
    power_w: NDArray[np.float64] | None = None
    current_a: NDArray[np.float64] | None = None
    voltage_v: NDArray[np.float64] | None = None
    energy_j: NDArray[np.float64] | None = None
    digital: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    gaps: tuple[tuple[float, float], ...] = ()
    clock: Literal["host", "meter"] = "host"
    clock_error_s: float = 0.0
    info: MeterInfo = MeterInfo("unknown", "board")
    codes: tuple[str, ...] = ()
    sample: Sample = "instant"


class PowerMeter(Equipment):
    """A way to record power; a context manager. One capture may follow another."""

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        """Take the options.

        Raises:
            UsageError: It takes no such option, or not such a value.
            MissingExtra: A package that it needs is missing.
        """
        self.given = self.accept(given or {})

    def open(self) -> None:
        """Connect.

        Raises:
            DeviceError: There is no such meter, or it does not answer.
        """
        self._open()

    def start(self) -> None:
        """Begin a capture."""
        self._start()

    def stop(self) -> Trace:
        """End the capture.

        Raises:
            DeviceError: The meter was unplugged, or recorded nothing.
        """
        return self._stop()

    @abc.abstractmethod
    def _open(self) -> None: ...

    @abc.abstractmethod
    def _start(self) -> None: ...

    @abc.abstractmethod
    def _stop(self) -> Trace: ...


def meter_names() -> list[str]:
    """Names of all meters, sorted."""
    return names(PACKAGE)


def find_meter(name: str) -> type[PowerMeter]:
    """The meter called `name`.

    Raises:
        UsageError: There is none; the hint has the nearest name.
    """
    meter: type[PowerMeter] = load(PACKAGE, name)
    return meter
