"""What the measuring firmware says, line by line (see bench_main.c)."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.errors import DeviceError


@dataclass(frozen=True)
class Vector:
    """One golden vector on the device; everything but `status` in bytes.

    Attributes:
        status: What the run function returned; 0 is fine.
        compared: Output compared.
        mismatched: Of them, other than the golden vector.
        stack: Deepest use of the stack below the caller.
        overwritten: Changed outside the arena.
        overflow: Whether the stack reached its end.
    """

    status: int
    compared: int
    mismatched: int
    stack: int
    overwritten: int
    overflow: bool


@dataclass(frozen=True)
class Spoken:
    """Everything it said.

    Attributes:
        vectors: The golden vectors in order.
        differs: Of the first vector that is wrong: its number, index of the first wrong byte,
            what it is, what it should be.
        copy_mismatched: Output bytes of run_copy that are wrong, of the first vector.
        copy_overwritten: Bytes that it changed outside its buffers, the input included.
    """

    vectors: tuple[Vector, ...]
    differs: tuple[int, int, int, int] | None = None
    copy_mismatched: int = 0
    copy_overwritten: int = 0


def read_spoken(text: str) -> Spoken:
    """Parse it.

    Raises:
        DeviceError: The firmware faulted, or stopped before it was done.
    """
    vectors: list[Vector] = []
    differs: tuple[int, int, int, int] | None = None
    copied = (0, 0)
    done = False
    for line in text.splitlines():
        kind, *words = line.split() or [""]
        if kind == "vector":
            status, compared, wrong, stack, overwritten, full = (int(word) for word in words)
            vectors.append(Vector(status, compared, wrong, stack, overwritten, bool(full)))
        elif kind == "differs" and differs is None:
            index, got, wanted = (int(word) for word in words)
            differs = (len(vectors), index, got, wanted)
        elif kind == "copy":
            copied = (int(words[0]), int(words[1]))
        elif kind == "fault":
            raise _faulted(len(vectors), *(int(word) for word in words))
        elif kind == "done":
            done = True
    if not done:
        last = (text.strip().splitlines() or ["nothing"])[-1]
        raise DeviceError(
            f"the firmware stopped after {len(vectors)} golden vectors; it said: {last[:200]}",
            "build again; if it stays, report it with the build folder",
        )
    return Spoken(tuple(vectors), differs, *copied)


def _faulted(vector: int, pc: int, cfsr: int) -> DeviceError:
    return DeviceError(
        f"the processor faulted at 0x{pc:08x} in golden vector {vector} (CFSR 0x{cfsr:08x})",
        "build again; if it stays, report it with the build folder",
    )
