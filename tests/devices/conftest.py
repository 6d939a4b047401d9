"""Skips by name what needs a tool that is not on this machine."""

from __future__ import annotations

import pytest

from edgekit.devices.qemu import Driver


@pytest.fixture(scope="session")
def qemu() -> None:
    """Compiler and emulator for Cortex-M."""
    if Driver.needs.lacking():
        pytest.skip(f"not on this machine: {', '.join(Driver.needs.lacking())}")
