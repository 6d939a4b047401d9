"""What holds a phone back: its thermal status, and a battery that is being charged."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgekit.devices._adb.dumpsys import Thermal
from edgekit.devices.base import State
from edgekit.errors import DeviceError


@dataclass(frozen=True)
class Health:
    """At one time; None where the device does not tell."""

    thermal: Thermal | None = None
    charging: bool | None = None

    @property
    def hot(self) -> bool:
        """Whether Android holds the device back already, even if lightly."""
        return self.thermal is not None and self.thermal.status > 0

    def added(self, state: State) -> State:
        """A state that the worker told, and this."""
        if self.thermal is None:
            return replace(state, charging=self.charging)
        throttled = (f"thermal_{self.thermal.name}",) if self.hot else ()
        temperatures = {**(state.temperatures_c or {}), **self.thermal.temperatures_c}
        return replace(
            state, charging=self.charging, throttled=throttled, temperatures_c=temperatures
        )


def refuse_hot(name: str, health: Health, allowed: bool) -> None:
    """Refuse a device that is hot, unless that is what is wanted.

    Raises:
        DeviceError: It is hot.
    """
    if health.hot and not allowed:
        assert health.thermal is not None
        raise DeviceError(
            f"{name} is hot (thermal status: {health.thermal.name})",
            "let it cool down, or measure it so: allow_hot = true",
        )
