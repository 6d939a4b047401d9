"""Golden vectors over the serial line: every bit with our firmware, else as far as it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.devices._serial.monitor import Inferred, Monitor
from edgekit.devices._serial.subject import Output, Subject
from edgekit.devices.base import Golden

DECIMAL = 0.001
"""Three decimals are printed, by the reference firmware without rounding."""


@dataclass(frozen=True)
class Checked:
    """What a device computed.

    Attributes:
        golden: As the base wants it.
        exact: Whether bits were compared.
    """

    golden: Golden
    exact: bool


def check(
    monitor: Monitor, subject: Subject, vectors: int | None, tolerance: float, quiet_s: float
) -> Checked:
    """Run golden vectors on the device.

    Args:
        monitor: The device.
        subject: What it must compute.
        vectors: The first so many; None: all.
        tolerance: What a value of firmware that prints only may be off, in steps of an integer
            output, and relative to the largest value of a float one.
        quiet_s: How long an inference may take.
    """
    chosen = subject.vectors[:vectors]
    compared, wrong, detail, exact = 0, 0, "", True
    for number, (given, wanted) in enumerate(chosen):
        found = _confirmed(monitor, subject, (given, wanted), tolerance, quiet_s)
        exact = exact and found.exact
        compared += found.compared
        wrong += len(found.off)
        detail = detail or (f"golden vector {number}: {found.off[0]}" if found.off else "")
    return Checked(Golden(len(chosen), compared, wrong, detail, 0.0 if exact else tolerance), exact)


@dataclass(frozen=True)
class _Compared:
    """One vector: whether by bits, how many values, and those that are wrong, in words."""

    exact: bool
    compared: int
    off: Sequence[str]


def _confirmed(
    monitor: Monitor,
    subject: Subject,
    vector: tuple[bytes, bytes],
    tolerance: float,
    quiet_s: float,
) -> _Compared:
    """What the device computes; where that is wrong, once more if it may be the line's fault."""
    given, wanted = vector
    for _ in range(2):
        monitor.load(given)
        ran, got = monitor.infer(1, 0, quiet_s), monitor.outputs()
        off = (
            _off(subject, ran.results, wanted, tolerance)
            if got is None
            else _different(got, wanted)
        )
        if not off or (monitor.loaded() == given and _same(monitor, ran, got, quiet_s)):
            break
    values = sum(one.nbytes // one.width for one in subject.outputs)
    return _Compared(got is not None, values if got is None else len(wanted), off)


def _same(monitor: Monitor, ran: Inferred, got: bytes | None, quiet_s: float) -> bool:
    return monitor.infer(1, 0, quiet_s).results == ran.results and monitor.outputs() == got


def _different(got: bytes, wanted: bytes) -> list[str]:
    if len(got) != len(wanted):
        return [f"{len(got)} bytes of output, should be {len(wanted)}"]
    return [
        f"output byte {index} is {one}, should be {other}"
        for index, (one, other) in enumerate(zip(got, wanted, strict=True))
        if one != other
    ]


def _off(subject: Subject, printed: Sequence[float], wanted: bytes, tolerance: float) -> list[str]:
    """Values that are printed otherwise than they should be."""
    expected = list(subject.real(wanted))
    if len(printed) != len(expected):
        return [f"{len(printed)} values are printed, should be {len(expected)}"]
    return [
        f"value {index} is {got:.3f}, should be {value:.3f}"
        for index, (got, (output, value)) in enumerate(zip(printed, expected, strict=True))
        if not abs(got - value) <= _slack(output, expected, tolerance)
    ]


def _slack(output: Output, expected: Sequence[tuple[Output, float]], tolerance: float) -> float:
    step = output.scale
    if output.kind == "f":
        step = max(abs(value) for of, value in expected if of is output)
    return tolerance * step + DECIMAL
