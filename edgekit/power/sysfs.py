"""Meter `sysfs`: what this Linux machine knows of its own power (RAPL, hwmon, battery)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgekit.equipment import Option
from edgekit.errors import DeviceError, UsageError
from edgekit.power._polled import INTERVAL, Polled
from edgekit.power._sources import Source, find_sources

ROOT = Path("/sys")


class Meter(Polled):
    """Reads files of the kernel; a processor's counters are of the whole package."""

    title = "this Linux machine: RAPL counters, hwmon sensors, its battery"
    options = {  # noqa: RUF012
        "source": Option("one of those listed, e.g. intel-rapl:0, hwmon2/power1 or BAT0"),
        "interval_ms": INTERVAL,
        "root": Option("folder instead of /sys"),
    }

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Sources of this machine."""
        try:
            return [source.name for source in find_sources(ROOT)]
        except OSError:
            return []

    def _find(self) -> Sequence[Source]:
        found = find_sources(Path(self.given.get("root", ROOT)))
        names = ", ".join(source.name for source in found)
        wanted = self.given.get("source")
        if wanted is not None:
            chosen = [source for source in found if source.name == wanted]
            if not chosen:
                raise UsageError(f"no source '{wanted}'", f"there are: {names or 'none'}")
            return chosen
        packages = [source for source in found if source.scope == "package"]
        if packages or len(found) == 1:
            return packages or found
        if not found:
            hint = "measure with a meter of its own (edgekit devices)"
            raise DeviceError("this machine tells nothing of its power", hint)
        raise UsageError("there are several sources of power", f"choose source: {names}")
