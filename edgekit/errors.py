"""Errors that edgekit raises on purpose: one line says what is wrong, one what to do.

    EdgekitError                exit code
    ├── ModelError              1   the model file, or what is in it
    ├── DataError               1   calibration, training or evaluation data
    ├── UsageError              2   an option, a key, a path that cannot be used
    │   ├── MissingExtra        2   a package or tool that is not installed
    │   └── OutputError         2   the output folder cannot be written
    ├── TargetError             3   the target cannot run or hold the model
    │   └── BudgetError         3   a budget of the project is broken
    └── DeviceError             4   a device or meter does not answer
        └── ConnectionLost      4   its connection broke: what was begun can be tried again

Only `edgekit.cli` turns them into text and exit codes.
"""

from __future__ import annotations

import errno

DISTRIBUTION = "edgekit-toolkit"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when nothing more can be written; never to be taken for damaged input."""


class EdgekitError(Exception):
    """Base of all deliberate errors.

    Args:
        message: One line: what is wrong, naming file, layer or key.
        hint: One line: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(_one_line(message))
        self.message = _one_line(message)
        self.hint = _one_line(hint)


class ModelError(EdgekitError):
    """The model cannot be read, proved or converted."""

    exit_code = 1


class DataError(EdgekitError):
    """Calibration, training or evaluation data cannot be used."""

    exit_code = 1


class UsageError(EdgekitError):
    """An option, key or path that cannot be used."""

    exit_code = 2


class MissingExtra(UsageError):
    """A package or tool that this step needs is not installed."""

    @classmethod
    def of(cls, what: str, extra: str) -> MissingExtra:
        """The error for a missing optional package, with the command that installs it."""
        return cls(f"{what} is not installed", f"pip install '{DISTRIBUTION}[{extra}]'")


class OutputError(UsageError):
    """The output folder cannot be written."""


class TargetError(EdgekitError):
    """The target cannot run or hold the model."""

    exit_code = 3


class BudgetError(TargetError):
    """A budget of the project is broken."""


class DeviceError(EdgekitError):
    """A device or a power meter does not answer."""

    exit_code = 4


class ConnectionLost(DeviceError):
    """The connection to a device broke; what was begun can be tried again."""


def _one_line(text: str) -> str:
    return " ".join(text.split())
