"""What `quantize_bits` and `binarize` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.passes._options import PassOptions, option, per_layer

Rule = Literal["even", "sign", "threshold"]


@dataclass(frozen=True)
class Levels:
    """The values that the weights of a layer may have, in units of their channel's scale.

    Attributes:
        largest: Integer on either side of zero.
        rule: Which of them a weight gets. `even`: the nearest. `sign`: 1 or -1. `threshold`: its
            sign, or zero where it is small.
    """

    largest: int
    rule: Rule = "even"

    @property
    def count(self) -> int:
        """How many values there are."""
        return 2 if self.rule == "sign" else 2 * self.largest + 1


@dataclass(frozen=True)
class QuantizeBitsOptions(PassOptions):
    """Symmetric integers, a learned scale for each output channel."""

    bits: int = option(
        4,
        "of the weights of a layer: 4 bits are the integers from -7 to 7, 2 bits from -1 to 1",
        least=2,
        most=8,
        hint="give 2 to 8; binarize has fewer",
        search=(8, 6, 5, 4, 3, 2),
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (), 'exceptions: { "conv1" = 8, Dense = { bits = 3 } }', parse=per_layer("bits")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_variants()

    @property
    def rule(self) -> Levels:
        """The values of a layer."""
        return Levels((1 << (self.bits - 1)) - 1)

    def unfit(self, kind: str) -> str:
        """Why a layer of this kind cannot be worked on: never."""
        del kind
        return ""


@dataclass(frozen=True)
class BinarizeOptions(PassOptions):
    """A learned scale for each output channel, and a sign for each weight."""

    levels: int = option(
        2,
        "2: weights are the scale of their channel or its negative; 3: or zero",
        least=2,
        most=3,
        hint="give 2 or 3; quantize_bits has more",
        search=(3, 2),
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (), 'exceptions: { "conv1" = 3, Dense = { levels = 3 } }', parse=per_layer("levels")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_variants()

    @property
    def rule(self) -> Levels:
        """The values of a layer."""
        return Levels(1, "sign" if self.levels == 2 else "threshold")

    def unfit(self, kind: str) -> str:
        """Why a layer of this kind cannot be worked on, "" where it can."""
        if kind == "DepthwiseConv2D":
            return "has too few weights a channel to do with their signs"
        return ""
