"""MnasNet: inverted residuals whose stages a search on phones chose; MCUNet searches the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.zoo._builder import Builder, repeats, rounded
from edgekit.zoo._inverted import hidden_of, inverted
from edgekit.zoo.base import Base, Figure, ZooOptions, option

# Expansion, window, channels, blocks, stride of the first, squeeze and excitation
_A1 = (
    (6, 3, 24, 2, 2, False),
    (3, 5, 40, 3, 2, True),
    (6, 3, 80, 4, 2, False),
    (6, 3, 112, 2, 1, True),
    (6, 5, 160, 3, 2, True),
    (6, 3, 320, 1, 1, False),
)
_B1 = (
    (3, 3, 24, 3, 2, False),
    (3, 5, 40, 3, 2, False),
    (6, 5, 80, 3, 2, False),
    (6, 3, 96, 2, 1, False),
    (6, 5, 192, 4, 2, False),
    (6, 3, 320, 1, 1, False),
)
_STAGES = {"a1": _A1, "b1": _B1}
_SQUEEZED = 0.25  # of the channels that a block is given


@dataclass(frozen=True)
class MnasNetOptions(ZooOptions):
    """What MCUNet (Lin et al. 2020, arXiv:2007.10319) searches, besides the version."""

    version: Literal["a1", "b1"] = option("b1", "a1: with squeeze and excitation; b1: without")
    width: float = option(1.0, "times as many channels", least=0.1, most=2, search=True)
    depth: float = option(1.0, "times as many blocks a stage", least=0.1, most=2, search=True)
    expand: int = option(0, "times as many channels inside a block; 0: the version's", least=0,
                         most=8)  # fmt: skip
    kernel: int = option(0, "window of the depthwise convolutions; 0: the version's",
                         choices=(0, 3, 5, 7), search=True)  # fmt: skip
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stages: int = option(6, "stages that are built, from the first", least=1, most=6)
    last: int = option(1280, "channels that are averaged; 0: those of the last stage", least=0,
                       most=2560)  # fmt: skip
    stem_stride: int = option(2, "stride of the first layer; 1 for pictures of few pixels",
                              choices=(1, 2))  # fmt: skip


class Network(Base):
    """Each stage has a window and an expansion of its own."""

    name = "mnasnet"
    title = "searched inverted residuals, the space that MCUNet searches"
    paper = (
        "Tan et al. 2019 (MnasNet), arXiv:1807.11626; Lin et al. 2020 (MCUNet), arXiv:2007.10319"
    )
    Options = MnasNetOptions
    figures = (
        Figure(4_383_312, 314_415_872, (4_383_312, 314e6), "torchvision's mnasnet1_0 is B1"),
        Figure(
            3_887_038, 311_579_072, (3.9e6, 312e6), "arXiv:1807.11626, table 1", {"version": "a1"}
        ),
    )

    def layers(self, b: Builder, x: Any, options: MnasNetOptions, classes: int) -> Any:
        """A stem, a separable layer, stages, a wide layer, means."""
        width = options.width
        x = b.conv(x, rounded(32 * width), 3, options.stem_stride)
        x = b.conv(b.depthwise(x, 3), rounded(16 * width), 1, act="")
        stages = _STAGES[options.version][: options.stages]
        for expand, kernel, channels, count, stride, excited in stages:
            for number in range(repeats(count, options.depth)):
                x = inverted(
                    b,
                    x,
                    rounded(channels * width),
                    hidden_of(x, options.expand or expand),
                    kernel=options.kernel or kernel,
                    stride=stride if number == 0 else 1,
                    act="relu",
                    excited=max(1, int(x.shape[-1] * _SQUEEZED)) if excited else 0,
                    shortcut=options.shortcut,
                )
        if options.last:
            x = b.conv(x, options.last, 1)
        return b.classify(x, classes)
