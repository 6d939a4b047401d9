"""Meter `android`: an Android phone's own counters, over adb.

`rails`: the rails that its power monitor (ODPM) counts; `battery`: current and voltage at the
battery, which says nothing while something else feeds the phone. With a cable in, adb has to go
over Wi-Fi: `adb tcpip 5555`, `adb connect PHONE:5555`, then pull the cable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edgekit.equipment import Needs, Option
from edgekit.errors import UsageError
from edgekit.power._android import ampere
from edgekit.power._phone import Cell, Phone, find_rails
from edgekit.power._polled import INTERVAL, Polled, Readable
from edgekit.power.base import Trace

if TYPE_CHECKING:
    from edgekit.power._sampler import Samples


class Meter(Polled):
    """Asks one phone."""

    title = "an Android phone's own counters: power rails (ODPM) or battery, over adb"
    options = {  # noqa: RUF012
        "serial": Option("of the phone, as `adb devices` lists it"),
        "source": Option("rails or battery; default rails"),
        "rails": Option("names parted by commas; default all, added"),
        "interval_ms": INTERVAL,
    }
    needs = Needs(tools=("adb",))
    default_ms = 100.0

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        self._source = self.given.get("source", "rails")
        if self._source not in ("rails", "battery"):
            raise UsageError(f"no source '{self._source}'", "rails or battery")

    def _find(self) -> Sequence[Readable]:
        phone = Phone(self.given.get("serial"))
        if self._source == "battery":
            return [Cell(phone)]
        chosen = [name.strip() for name in self.given.get("rails", "").split(",")]
        return [find_rails(phone, [name for name in chosen if name])]

    def _trace(self, samples: Samples) -> Trace:
        if self._source == "battery":
            unit = ampere([row[0] for row in samples.rows])
            samples.rows = [(row[0] * unit, row[1]) for row in samples.rows]
        return super()._trace(samples)
