"""What was found out about a C project on an emulated core."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgekit.devices._cortex_m.spoken import Spoken


@dataclass(frozen=True)
class LayerCost:
    """A layer: instructions of the first inference, estimated cycles (None: no estimate)."""

    name: str
    op: str
    macs: int | None
    instructions: int
    cycles: int | None


@dataclass(frozen=True)
class Line:
    """An instruction: the function it is in, how often it was executed, estimated cycles of all."""

    function: str
    address: int
    text: str
    count: int
    cycles: int | None


@dataclass(frozen=True)
class Measured:
    """A C project on an emulated core.

    Attributes:
        core: Its name.
        machine: Of QEMU.
        totals: Instructions of each inference, one for each golden vector; exact.
        layers: In order.
        between: Instructions of the run function itself, between the layers.
        cycles: Of the first inference, estimated; None: there is no estimate.
        flash_bytes: Of the smallest program around the model: code, constants, initial data.
        ram_bytes: Of the same: arena, data and bss; no stack.
        stack_bytes: Deepest use of the stack below the caller of the run function.
        spoken: Golden vectors compared, guards, as the firmware said.
        lines: The code that was executed, in order of address.
        tools: Compiler and emulator with their versions.
    """

    core: str
    machine: str
    totals: tuple[int, ...]
    layers: tuple[LayerCost, ...]
    between: int
    cycles: int | None
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    spoken: Spoken
    lines: tuple[Line, ...] = field(repr=False)
    tools: tuple[str, ...]

    def listing(self, function: str = "") -> str:
        """Count, cycles, address and text of the instructions of functions that begin like this."""
        return "\n".join(
            f"{line.count:>12,} {line.cycles or 0:>12,}  {line.address:8x}  {line.text}"
            for line in self.lines
            if line.function.startswith(function)
        )

    @property
    def instructions(self) -> int:
        """Of the first inference."""
        return self.totals[0]

    @property
    def mismatched(self) -> int:
        """Output bytes that differ from the golden vectors'."""
        return sum(vector.mismatched for vector in self.spoken.vectors)
