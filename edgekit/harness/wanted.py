"""What is asked of a bench; it must make sense together: nothing of it is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.devices.base import Device, Request
from edgekit.equipment import equipment_name
from edgekit.errors import UsageError
from edgekit.measure.verdict import FEWEST_WINDOWS

NO_METER = ("", "none")


@dataclass(frozen=True)
class Wanted:
    """What a bench is asked for.

    Attributes:
        device: Name of a device of the lab, or of a driver.
        options: The driver's own; they go before those of the lab.
        meter: Name of a meter of the lab, or of its driver; "" for none.
        meter_options: The meter's own.
        channel: Of the meter, on which the device marks its windows; "": by the clocks.
        windows: How many.
        request: What each is to be.
        inferences: Least number in each; on an emulator, golden vectors to run. None: the default.
        quick: Whether a driver that insists on long windows may take shorter ones.
        sustained_s: Go on without a pause for so long instead; 0: do not.
        idle_s: Record so much of the idle device before, for net energy; 0: do not.
        output: Folder in which the run's own is made; None keeps no samples.
    """

    device: str
    options: Mapping[str, Any] = field(default_factory=dict)
    meter: str = ""
    meter_options: Mapping[str, Any] = field(default_factory=dict)
    channel: str = ""
    windows: int = FEWEST_WINDOWS
    request: Request = field(default_factory=Request)
    inferences: int | None = None
    quick: bool = False
    sustained_s: float = 0.0
    idle_s: float = 0.0
    output: Path | None = None


def refuse_senseless(wanted: Wanted, driver: type[Device]) -> None:
    """Refuse what would otherwise be ignored, or give a report without a figure.

    Raises:
        UsageError: No window or no time is asked for, what is a meter's without a meter, or what
            needs windows of a device that times none.
    """
    if wanted.windows < 1 or (wanted.inferences is not None and wanted.inferences < 1):
        raise UsageError("no window or no inference is asked for", "give 1 or more")
    if not wanted.request.seconds > 0 or wanted.sustained_s < 0 or wanted.idle_s < 0:
        raise UsageError("a time is not above zero", "give seconds")
    metered = wanted.meter not in NO_METER
    for name in _of_a_meter(wanted):
        if not metered:
            raise UsageError(f"--{name} is for a power meter, and there is none", "add --power")
    if "latency" not in driver.figures and (metered or wanted.sustained_s):
        what = "--power" if metered else "--sustained"
        raise UsageError(
            f"{equipment_name(driver)} counts and times nothing: {what} means nothing there",
            f"leave out {what}",
        )


def _of_a_meter(wanted: Wanted) -> list[str]:
    given = {
        "idle": wanted.idle_s,
        "channel": wanted.channel,
        "meter-option": wanted.meter_options,
    }
    return [name for name, value in given.items() if value]
