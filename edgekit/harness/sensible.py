"""What is asked of a bench must make sense together: nothing that was asked for is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.devices.base import Device
from edgekit.equipment import equipment_name
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.harness.bench import Wanted

NO_METER = ("", "none")


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
