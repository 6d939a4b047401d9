"""A temporal convolutional network: dilated residual blocks over a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder
from edgekit.zoo.base import Base, Figure, ZooOptions, option


@dataclass(frozen=True)
class Tcn1dOptions(ZooOptions):
    """Windows look both ways: a whole series is there when it is classified."""

    channels: int = option(16, "of every layer", least=4, most=128, search=True)
    blocks: int = option(4, "residual blocks, each with twice the dilation of the one before",
                         least=1, most=8, search=True)  # fmt: skip
    kernel: int = option(3, "window in time", choices=(3, 5, 7), search=True)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stride: int = option(1, "of the first convolution", choices=(1, 2, 4))


class Network(Base):
    """Sees as far as 2^blocks steps."""

    name = "tcn1d"
    title = "dilated residual blocks in time, for sensors"
    paper = "Bai et al. 2018 (TCN), arXiv:1803.01271"
    Options = Tcn1dOptions
    shape = (128, 9)
    classes = 6
    figures = (Figure(6_966, 841_824),)

    def layers(self, b: Builder, x: Any, options: Tcn1dOptions, classes: int) -> Any:
        """A stem, blocks, means."""
        window = (options.kernel, 1)
        x = b.conv(b.series(x), options.channels, window, (options.stride, 1))
        for number in range(options.blocks):
            dilation = (2**number, 1)
            y = b.conv(x, options.channels, window, dilation=dilation)
            y = b.conv(y, options.channels, window, dilation=dilation, act="")
            x = b.act(b.add(x, y) if options.shortcut else y)
        return b.classify(x, classes)
