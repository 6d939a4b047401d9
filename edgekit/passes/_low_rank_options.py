"""What `low_rank` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option, per_layer

_OF_ONE = ("energy", "rank", "method", "sparse")
"""Keys that may differ from layer to layer."""


@dataclass(frozen=True)
class LowRankOptions(PassOptions):
    """A budget goes before an energy, and a rank before both."""

    energy: float = option(
        0.95,
        "share of what moves a layer's outputs that is kept, where neither macs nor parameters "
        "nor a rank are given",
        least=0.01,
        below=1,
        hint="write 0.95 to keep 95 %",
    )
    parameters: float = option(
        0.0,
        "share of the parameters that stays; the ranks are found over all layers; 0: no budget",
        least=0,
        below=1,
        hint="write 0.5 to keep half of the parameters",
    )
    macs: float = option(
        0.0,
        "share of the multiply-accumulates that stays, 0.5 for half; 0: no budget",
        least=0,
        below=1,
        hint="write 0.5 to keep half of the multiply-accumulates",
        search=(0.9, 0.8, 0.7, 0.6, 0.5, 0.4),
    )
    rank: int = option(0, "rank of every layer that is worked on; 0: found", least=0)
    method: Literal["auto", "channel", "spatial", "input"] = option(
        "auto",
        "how a kernel of k x k is split: channel: k x k, then 1 x 1 (arXiv:1505.06798); spatial: "
        "k x 1, then 1 x k (arXiv:1405.3866); input: 1 x 1, then k x k; auto: what costs least; "
        "a matrix is split in two whichever it is",
    )
    weighted: bool = option(
        True,
        "what is given to a layer, and what the scores feel of its outputs, weigh its errors, and "
        "each layer makes up for those before it; false: its weights alone count",
    )
    sparse: float = option(
        0.0,
        "share of a layer's weights that stay beside the two thin layers, added to what they give "
        "(Yu et al. 2017); it pays only in compressed files",
        least=0,
        below=0.5,
    )
    multiple: int = option(1, "ranks are a multiple of this", least=1)
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (),
        'exceptions for single layers: { "dense" = 0.9, "conv*" = { rank = 8 } }',
        parse=per_layer("energy"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_variants()
        for pattern, setting in self.per_layer:
            if others := sorted(set(setting) - set(_OF_ONE)):
                raise UsageError(
                    f"per_layer '{pattern}': {others[0]} cannot differ from layer to layer",
                    f"these can: {', '.join(_OF_ONE)}",
                )
        if self.macs and (self.sparse or any("sparse" in each for _, each in self.per_layer)):
            raise UsageError(
                "macs and sparse stand side by side: weights beside the thin layers keep their "
                "multiply-accumulates",
                "give parameters in place of macs, or leave sparse out",
            )

    @property
    def budget(self) -> bool:
        """Whether the ranks are found over all layers."""
        return bool(self.macs or self.parameters)
