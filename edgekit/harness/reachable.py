"""Whether what `lab.toml` names answers: each device and meter is connected to and left again."""

from __future__ import annotations

from collections.abc import Callable

from edgekit.doctor import Finding
from edgekit.errors import EdgekitError
from edgekit.harness.lab import Lab


def check_lab(lab: Lab) -> tuple[Finding, ...]:
    """A finding for each name of the lab; takes as long as its devices take to answer."""
    devices = [(name, entry.driver, _device(lab, name)) for name, entry in lab.devices.items()]
    meters = [(name, entry.driver, _meter(lab, name)) for name, entry in lab.meters.items()]
    return tuple(_finding(name, driver, reach) for name, driver, reach in (*devices, *meters))


def _device(lab: Lab, name: str) -> Callable[[], None]:
    driver, options = lab.device(name)

    def reach() -> None:
        with driver() as device:
            device.reach(options)

    return reach


def _meter(lab: Lab, name: str) -> Callable[[], None]:
    meter, options = lab.meter(name)

    def reach() -> None:
        with meter(options) as opened:
            opened.open()

    return reach


def _finding(name: str, driver: str, reach: Callable[[], None]) -> Finding:
    try:
        reach()
    except EdgekitError as error:
        return Finding(name, "broken", None, driver, f"{error.message}; {error.hint}")
    return Finding(name, "ok", None, driver, "")
