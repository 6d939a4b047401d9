"""MobileNet V1: depthwise separable convolutions all the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, repeats, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

# Stride of the first block, channels, blocks
_STAGES = ((1, 64, 1), (2, 128, 2), (2, 256, 2), (2, 512, 6), (2, 1024, 2))
_TABLE = "arXiv:1704.04861, table 6"


@dataclass(frozen=True)
class MobileNetV1Options(ZooOptions):
    """Of MobileNet V1."""

    width: float = option(1.0, "times as many channels", least=0.1, most=2, search=True)
    depth: float = option(1.0, "times as many blocks a stage", least=0.1, most=2, search=True)
    kernel: int = option(3, "window of the depthwise convolutions", choices=(3, 5, 7), search=True)
    stages: int = option(5, "stages; each but the first halves the picture", least=1, most=5)
    stem_stride: int = option(2, "stride of the first layer; 1 for pictures of few pixels",
                              choices=(1, 2))  # fmt: skip


class Network(Base):
    """The network that others are measured against."""

    name = "mobilenet_v1"
    title = "depthwise separable convolutions in a row"
    paper = "Howard et al. 2017 (MobileNets), arXiv:1704.04861"
    Options = MobileNetV1Options
    figures = (
        Figure(4_231_976, 568_740_352, (4.2e6, 569e6), _TABLE),
        Figure(1_331_592, 149_497_088, (1.3e6, 149e6), _TABLE, {"width": 0.5}, within=0.03),
        Figure(470_072, 41_030_272, (0.5e6, 41e6), _TABLE, {"width": 0.25}, within=0.07),
    )

    def layers(self, b: Builder, x: Any, options: MobileNetV1Options, classes: int) -> Any:
        """A stem, blocks, means."""
        x = b.conv(x, rounded(32 * options.width), 3, options.stem_stride)
        for stride, channels, count in _STAGES[: options.stages]:
            for number in range(repeats(count, options.depth)):
                step = stride if number == 0 else 1
                x = b.separable(x, rounded(channels * options.width), options.kernel, step)
        return b.classify(x, classes)
