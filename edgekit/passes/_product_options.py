"""What `product_quantize` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.passes._options import PassOptions, option, per_layer


@dataclass(frozen=True)
class ProductOptions(PassOptions):
    """A code is a block of the code book; its index is what a layer stores of a block."""

    codes: int = option(
        256,
        "blocks in the code book of a layer; no more than a quarter of its own blocks",
        least=2,
        most=256,
        hint="give 2 to 256, such as 64",
        search=(256, 128, 64, 32),
    )
    block: int = option(
        4,
        "weights in a block, along the inputs of an output; where a layer's inputs cannot be "
        "parted so, the next smaller number that can",
        least=2,
        most=16,
        hint="give 2 to 16, such as 4 or 8",
        search=(4, 8),
    )
    factors: Literal["channel", "layer"] = option(
        "channel",
        "channel: blocks are multiplied by a factor of each output channel, which an int8 file has "
        "anyway; layer: by none, so that a float file has the blocks, too",
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (),
        'exceptions: { "conv1" = 128, Dense = { codes = 64, block = 8 } }',
        parse=per_layer("codes"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_variants()
