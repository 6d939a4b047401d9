"""One bench at a time on a device: the lock of this machine.

A driver whose device other machines reach as well holds a lock there, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from edgekit.errors import DeviceError, OutputError

LOCKS = Path(tempfile.gettempdir()) / f"edgekit-{os.getuid()}"


@contextlib.contextmanager
def exclusive(identity: str) -> Iterator[None]:
    """Hold the device called `identity`; of an empty name there may be many.

    Raises:
        DeviceError: Another bench has it.
        OutputError: The lock cannot be written.
    """
    if not identity:
        yield
        return
    with _opened(identity) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip()
            raise DeviceError(
                f"another bench has {identity} (process {holder})", "wait until it is done"
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def _opened(identity: str) -> TextIO:
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    try:
        LOCKS.mkdir(mode=0o700, exist_ok=True)
        return open(LOCKS / f"device-{name}", "a+", encoding="ascii")
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(
            f"the lock of a device cannot be written to {LOCKS}: {why}", "set TMPDIR to another"
        ) from error
