"""What operations share that compute each output from the input of the same place."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.compiler.cores import Core
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import activation_range


class Plain:
    """The costs of an operation that multiplies and keeps nothing, and works in place."""

    def macs(self) -> int:
        """None are counted."""
        return 0

    def scratch(self, core: Core) -> int:
        """None."""
        return 0

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """In place."""
        return (0,)


def apart(elements: int, source: int, out: int) -> int:
    """The least (start of input - start of output) of a loop from the first element to the last.

    Args:
        elements: How many there are.
        source: Bytes of one in the input.
        out: Bytes of one in the output.
    """
    return max(0, (out - source) * (elements - 1))


def output_range(call: Call) -> tuple[int, int]:
    """The int8 range that the fused activation leaves."""
    try:
        return activation_range(call.activation(), scale_of(call.output), zero_of(call.output))
    except ValueError as error:
        raise Unsupported(f"the fused activation {error}") from None


def braces(values: Sequence[int]) -> str:
    """An array as C initialises it."""
    return f"{{{', '.join(map(str, values))}}}"
