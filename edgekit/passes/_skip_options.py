"""What `skip` can be told."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.passes._options import PassOptions, option


@dataclass(frozen=True)
class SkipOptions(PassOptions):
    """Which branches are skipped is learned; how many of them is asked for."""

    skipped: float = option(
        0.3,
        "share of the gated multiply-accumulates that the training rows skip, on average",
        least=0.01,
        below=1,
        hint="write 0.3 to skip 30 %",
        search=(0.1, 0.2, 0.3, 0.5),
    )
    hidden: int = option(16, "units of the layer between a gate's mean and its answer", least=1)
    weight: float = option(200.0, "of the squared distance from `skipped` in the loss", least=0)
