"""Skips by name what needs a tool that is not on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from arm_board import ArmBoard, Kind, why_not

from edgekit.devices.qemu import Driver


@pytest.fixture(scope="session")
def qemu() -> None:
    """Compiler and emulator for Cortex-M."""
    if Driver.needs.lacking():
        pytest.skip(f"not on this machine: {', '.join(Driver.needs.lacking())}")


@pytest.fixture(scope="session")
def make_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind], ArmBoard]]:
    """Starts a board of a kind, once; all are stopped at the end."""
    boards: dict[Kind, ArmBoard] = {}

    def make(kind: Kind) -> ArmBoard:
        if kind not in boards:
            if reason := why_not(kind):
                pytest.skip(reason)
            boards[kind] = ArmBoard(tmp_path_factory.mktemp("board"), kind)
            boards[kind].start()
        return boards[kind]

    try:
        yield make
    finally:
        for board in boards.values():
            board.stop()
