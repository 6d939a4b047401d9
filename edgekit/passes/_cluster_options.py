"""What `cluster` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option, per_layer

FEWEST_WITH_ZEROS = 3
"""Clusters where zero is to be one of them, for TFMOT."""


@dataclass(frozen=True)
class ClusterOptions(PassOptions):
    """A cluster is a value that weights share."""

    clusters: int = option(
        16,
        "values that the weights of a layer share",
        least=2,
        hint="give 2 or more, such as 16",
        search=(64, 32, 16, 8),
    )
    init: Literal["kmeans++", "linear", "density", "random"] = option(
        "kmeans++", "where the values begin: k-means, evenly, by density of weights, anywhere"
    )
    per_channel: bool = option(
        False, "values for each output channel of a Conv2D instead of each layer"
    )
    factors: Literal["channel", "octave", "layer"] = option(
        "channel",
        "channel: the values are multiplied by a factor of each output channel, which loses least; "
        "octave: by a power of two of each, which packs better, also where nothing is clustered; "
        "layer: by none, which packs best",
    )
    code_bits: int = option(
        8,
        "bits of the integers that stand for the values in int8 files; fewer repeat across layers "
        "and pack better",
        least=4,
        most=8,
    )
    preserve_sparsity: Literal["auto", "on", "off"] = option(
        "auto", "zeros stay zeros, as one of the values; auto: where a tenth or more are zero"
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (),
        'exceptions: { "conv1" = 64, Dense = { clusters = 8, init = "linear" } }',
        parse=per_layer("clusters"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.preserve_sparsity == "on" and self.clusters < FEWEST_WITH_ZEROS:
            raise UsageError(
                f"clusters = {self.clusters} is too few where zero is to be one of them",
                f"give {FEWEST_WITH_ZEROS} or more",
            )
        self.refuse_variants()
