"""A CNN of four like layers, with and without batch normalization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder
from edgekit.zoo.base import Base, Figure, ZooOptions, option


@dataclass(frozen=True)
class Cnn4Options(ZooOptions):
    """Of Conv-4."""

    channels: int = option(64, "of every layer", least=4, most=256, search=True)
    layers: int = option(4, "convolutions, each with a pooling that halves the picture", least=1,
                         most=6, search=True)  # fmt: skip
    kernel: int = option(3, "window of the convolutions", choices=(3, 5, 7), search=True)
    norm: bool = option(True, "batch normalization")


class Network(Base):
    """Conv-4, the small network of few-shot learning."""

    name = "cnn4"
    title = "four convolutions with poolings"
    paper = "Vinyals et al. 2016 (matching networks), arXiv:1606.04080"
    Options = Cnn4Options
    shape = (28, 28, 1)
    classes = 10
    figures = (Figure(114_250, 10_075_648), Figure(113_994, 10_075_648, options={"norm": False}))

    def layers(self, b: Builder, x: Any, options: Cnn4Options, classes: int) -> Any:
        """Convolutions with poolings, then scores from all that is left."""
        for _ in range(options.layers):
            x = b.max_pool(b.conv(x, options.channels, options.kernel, norm=options.norm))
        return b.dense(b.flatten(x), classes)
