"""What `depthwise_separable` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option, per_layer


@dataclass(frozen=True)
class DepthwiseOptions(PassOptions):
    """A budget goes before a multiplier."""

    multiplier: int = option(
        1,
        "channels that the depthwise layer makes of each input; more are nearer to the original",
        least=1,
        most=9,
    )
    macs: float = option(
        0.0,
        "share of the model's multiply-accumulates that stays, 0.3 for 30 %: which layers are "
        "replaced, and their multipliers, are found; 0: no budget",
        least=0,
        below=1,
        hint="write 0.3 to keep 30 % of the multiply-accumulates",
        search=(0.8, 0.6, 0.5, 0.4, 0.3),
    )
    weighted: bool = option(
        True,
        "what is given to a layer, and what the scores feel of its outputs, weigh its errors, and "
        "each layer makes up for those before it; false: its weights alone count",
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Conv2D); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (), 'multipliers of single layers: { "conv2*" = 2 }', parse=per_layer("multiplier")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_variants()
        for pattern, setting in self.per_layer:
            if others := sorted(set(setting) - {"multiplier"}):
                raise UsageError(
                    f"per_layer '{pattern}': {others[0]} cannot differ from layer to layer",
                    "multiplier can",
                )
        if self.macs and self.per_layer:
            raise UsageError(
                "macs and per_layer stand side by side: a budget finds the multipliers",
                "give one of them",
            )
