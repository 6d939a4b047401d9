"""EfficientNet-Lite: width and depth grow together; nothing that few bits do not like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, repeats, rounded
from edgekit.zoo._inverted import hidden_of, inverted
from edgekit.zoo.base import Base, Figure, ZooOptions, option

# Expansion, window, channels, blocks, stride of the first; depth leaves the first and the last
_STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
_DEPTH, _WIDTH = 1.2, 1.1  # to the power of the compound coefficient
_STEM = 32
_TABLE = "README of EfficientNet-lite in tensorflow/tpu, whose MACs are of all operations"


@dataclass(frozen=True)
class EfficientNetLiteOptions(ZooOptions):
    """Of EfficientNet-Lite; the input's size goes with `compound` as 1.15 to its power."""

    compound: float = option(0.0, "compound coefficient: 1.2^compound times as deep, 1.1^compound "
                             "times as wide", least=-12, most=6)  # fmt: skip
    width: float = option(1.0, "times as many channels, besides", least=0.1, most=2, search=True)
    depth: float = option(
        1.0, "times as many blocks a stage, besides", least=0.1, most=3, search=True
    )
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stages: int = option(7, "stages that are built, from the first", least=1, most=7)
    last: int = option(1280, "channels that are averaged; 0: those of the last stage", least=0,
                       most=2560)  # fmt: skip
    stem_stride: int = option(2, "stride of the first layer; 1 for pictures of few pixels",
                              choices=(1, 2))  # fmt: skip


class Network(Base):
    """Lite0 to Lite4 are widths and depths that were rounded by hand."""

    name = "efficientnet_lite"
    title = "compound scaling of inverted residuals, without swish and excitation"
    paper = "Tan and Le 2019 (EfficientNet), arXiv:1905.11946; Lite: tensorflow/tpu, 2020"
    Options = EfficientNetLiteOptions
    figures = (
        Figure(4_652_008, 385_187_552, (4.7e6, 407e6), _TABLE, within=0.06),
        Figure(
            5_416_680,
            600_185_232,
            (5.4e6, 631e6),
            _TABLE,
            {"depth": 1.1},
            (240, 240, 3),
            within=0.06,
        ),
        Figure(
            6_092_072,
            859_736_272,
            (6.1e6, 899e6),
            _TABLE,
            {"width": 1.1, "depth": 1.2},
            (260, 260, 3),
            within=0.06,
        ),
    )

    def layers(self, b: Builder, x: Any, options: EfficientNetLiteOptions, classes: int) -> Any:
        """A stem, stages, a wide layer, means."""
        width = options.width * _WIDTH**options.compound
        depth = options.depth * _DEPTH**options.compound
        # Lite keeps the stem as it is where it grows; one that shrinks takes it along
        x = b.conv(x, rounded(_STEM * min(width, 1.0)), 3, options.stem_stride, act="relu6")
        for place, (expand, kernel, channels, count, stride) in enumerate(
            _STAGES[: options.stages]
        ):
            ends = place in (0, len(_STAGES) - 1)
            for number in range(count if ends else repeats(count, depth)):
                x = inverted(
                    b,
                    x,
                    rounded(channels * width),
                    hidden_of(x, expand),
                    kernel=kernel,
                    stride=stride if number == 0 else 1,
                    shortcut=options.shortcut,
                )
        if options.last:
            x = b.conv(x, options.last, 1, act="relu6")
        return b.classify(x, classes)
