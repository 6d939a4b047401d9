"""Serial ports of this machine, and which of them is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgekit.errors import DeviceError, UsageError


def port_names() -> list[str]:
    """Devices of all ports that have hardware behind them; empty without pyserial."""
    return [port.device for port in _ports()]


def find_port(asked: str | None) -> str:
    """The device, pseudo-terminal or URL that is meant.

    Args:
        asked: One of these; or words of what a port is called or its serial number, which stay
            the same where it is plugged in again; or None: the only one that there is.

    Raises:
        UsageError: Several are meant.
        DeviceError: There is none.
    """
    if asked and ("/" in asked or ":" in asked or asked.upper().startswith("COM")):
        return asked
    ports = _ports()
    meant = [one for one in ports if not asked or asked.lower() in _described(one).lower()]
    if len(meant) == 1:
        return str(meant[0].device)
    if meant:
        raise UsageError(f"several serial ports: {_listed(meant)}", "say port = one of them")
    wanted = f"no serial port '{asked}'" if asked else "no serial port"
    hint = f"there is {_listed(ports)}" if ports else "plug the board in, or say port = its device"
    raise DeviceError(f"{wanted} on this machine", hint)


def _ports() -> list[Any]:
    try:
        from serial.tools.list_ports import comports
    except ImportError:
        return []
    return [port for port in sorted(comports()) if port.hwid != "n/a"]


def _described(port: Any) -> str:
    return f"{port.device} {port.description} {port.serial_number or ''}".strip()


def _listed(ports: Sequence[Any]) -> str:
    return ", ".join(_described(port) for port in ports)
