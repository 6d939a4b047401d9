"""What `augment_network` can be told."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.passes._options import PassOptions, option


@dataclass(frozen=True)
class AugmentOptions(PassOptions):
    """The wide network is thrown away in the end."""

    width: int = option(
        3, "times as many channels as the model has, of the network around it", least=2, most=8
    )
    weight: float = option(
        1.0,
        "what the wide network's loss counts in the weights, that of the model being 1",
        least=0.0,
        most=10,
    )
