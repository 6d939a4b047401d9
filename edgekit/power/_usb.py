"""What is on USB, as the kernel lists it: quick, and without any driver."""

from __future__ import annotations

from pathlib import Path

DEVICES = Path("/sys/bus/usb/devices")


def usb_devices(folder: Path = DEVICES) -> list[tuple[str, tuple[str, str]]]:
    """Name (product and serial number) and vendor and product in hexadecimal, of each."""
    found = []
    for device in sorted(folder.iterdir()) if folder.is_dir() else []:
        kind = (_text(device / "idVendor"), _text(device / "idProduct"))
        if all(kind):
            name = f"{_text(device / 'product')} {_text(device / 'serial')}".strip()
            found.append((name or ":".join(kind), kind))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
