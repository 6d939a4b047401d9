"""Meter `sysfs`: what a Linux machine knows of its own power (RAPL, hwmon, battery)."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.errors import DeviceError, UsageError
from edgekit.power._kernel import ROOT, Kernel
from edgekit.power._sources import Source, find_sources


class Meter(Kernel):
    """Reads files of the kernel; a processor's counters are of the whole package."""

    title = "a Linux machine, this or one over ssh: RAPL counters, hwmon sensors, its battery"

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Sources of this machine."""
        try:
            return [source.name for source in find_sources(ROOT)]
        except OSError:
            return []

    def _find(self) -> Sequence[Source]:
        found = self._sources()
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
            raise DeviceError("the machine tells nothing of its power", hint)
        raise UsageError("there are several sources of power", f"choose source: {names}")
