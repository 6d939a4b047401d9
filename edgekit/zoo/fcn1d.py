"""A fully convolutional network for series: of sensors, of motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_LAYERS = ((128, 8), (256, 5), (128, 3))  # channels, window


@dataclass(frozen=True)
class Fcn1dOptions(ZooOptions):
    """The paper's widths are 1."""

    width: float = option(0.25, "times as many channels", least=0.03, most=2, search=True)
    layers: int = option(3, "convolutions", least=1, most=3, search=True)
    stride: int = option(1, "of the first convolution", choices=(1, 2, 4))
    norm: bool = option(True, "batch normalization")


class Network(Base):
    """The strong baseline of time series classification."""

    name = "fcn1d"
    title = "three convolutions in time, for sensors"
    paper = "Wang et al. 2017 (time series classification from scratch), arXiv:1611.06455"
    Options = Fcn1dOptions
    shape = (128, 9)
    classes = 6
    figures = (Figure(19_142, 2_392_256),)

    def layers(self, b: Builder, x: Any, options: Fcn1dOptions, classes: int) -> Any:
        """Convolutions, means."""
        x = b.series(x)
        for number, (channels, window) in enumerate(_LAYERS[: options.layers]):
            stride = (options.stride, 1) if number == 0 else 1
            x = b.conv(x, rounded(channels * options.width, 4), (window, 1), stride,
                       norm=options.norm)  # fmt: skip
        return b.classify(x, classes)
