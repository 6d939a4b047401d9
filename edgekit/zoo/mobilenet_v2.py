"""MobileNet V2: inverted residuals with linear bottlenecks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, repeats, rounded
from edgekit.zoo._inverted import hidden_of, inverted
from edgekit.zoo.base import Base, Figure, ZooOptions, option

# Expansion (0: `expand`), channels, blocks, stride of the first
_STAGES = (
    (1, 16, 1, 1),
    (0, 24, 2, 2),
    (0, 32, 3, 2),
    (0, 64, 4, 2),
    (0, 96, 3, 1),
    (0, 160, 3, 2),
    (0, 320, 1, 1),
)
_LAST = 1280
_TABLE = "arXiv:1801.04381, table 4"
_KERAS = "MACs as there; parameters as in keras.applications, the paper says 6.9 M"


@dataclass(frozen=True)
class MobileNetV2Options(ZooOptions):
    """Of MobileNet V2."""

    width: float = option(1.0, "times as many channels", least=0.1, most=2, search=True)
    depth: float = option(1.0, "times as many blocks a stage", least=0.1, most=2, search=True)
    expand: int = option(6, "times as many channels inside a block", least=1, most=8)
    kernel: int = option(3, "window of the depthwise convolutions", choices=(3, 5, 7), search=True)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stages: int = option(7, "stages that are built", least=1, most=7)
    last: int = option(_LAST, "channels that are averaged, times the width if that is above 1; 0: "
                       "those of the last stage", least=0, most=2560)  # fmt: skip
    stem_stride: int = option(2, "stride of the first layer; 1 for pictures of few pixels",
                              choices=(1, 2))  # fmt: skip


class Network(Base):
    """Blocks that are narrow where they are added."""

    name = "mobilenet_v2"
    title = "inverted residuals with linear bottlenecks"
    paper = "Sandler et al. 2018 (MobileNetV2), arXiv:1801.04381"
    Options = MobileNetV2Options
    figures = (
        Figure(3_504_872, 300_774_272, (3.4e6, 300e6), _TABLE, within=0.04),
        Figure(6_108_776, 582_195_824, (6_108_776, 585e6), _KERAS, {"width": 1.4}),
    )

    def layers(self, b: Builder, x: Any, options: MobileNetV2Options, classes: int) -> Any:
        """A stem, blocks, a wide layer, means."""
        x = b.conv(x, rounded(32 * options.width), 3, options.stem_stride, act="relu6")
        for expand, channels, count, stride in _STAGES[: options.stages]:
            for number in range(repeats(count, options.depth)):
                x = inverted(
                    b,
                    x,
                    rounded(channels * options.width),
                    hidden_of(x, expand or options.expand),
                    kernel=options.kernel,
                    stride=stride if number == 0 else 1,
                    shortcut=options.shortcut,
                )
        if options.last:
            x = b.conv(x, rounded(options.last * max(1.0, options.width)), 1, act="relu6")
        return b.classify(x, classes)
