"""FasterNet: convolutions on a part of the channels, 1 x 1 layers on all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.zoo._builder import Builder, repeats
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_BLOCKS = (1, 2, 8, 2)
_TABLE = "arXiv:2303.03667, table 3"


@dataclass(frozen=True)
class FasterNetOptions(ZooOptions):
    """Of FasterNet; the defaults are T0."""

    channels: int = option(40, "of the first stage; each next one has twice as many", least=8,
                           most=96, search=True)  # fmt: skip
    depth: float = option(1.0, "times as many blocks a stage", least=0.1, most=2, search=True)
    part: int = option(4, "one of so many channels is convolved", choices=(2, 4, 8))
    expand: int = option(2, "times as many channels between the 1 x 1 layers", least=1, most=4)
    kernel: int = option(3, "window of the partial convolution", choices=(3, 5, 7), search=True)
    stages: int = option(4, "stages; each but the first halves the picture", least=1, most=4)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    last: int = option(1280, "channels in front of the scores; 0: none between", least=0, most=2560)
    act: Literal["relu", "gelu"] = option("relu", "gelu: as the paper has it in its small ones")
    patch: int = option(4, "window and stride of the first layer", choices=(1, 2, 4))


class Network(Base):
    """Its depthwise-free blocks read memory once."""

    name = "fasternet"
    title = "partial convolution: three of four channels pass as they are"
    paper = "Chen et al. 2023 (FasterNet), arXiv:2303.03667"
    Options = FasterNetOptions
    figures = (
        Figure(3_906_780, 335_422_720, (3.9e6, 0.34e9), _TABLE),
        Figure(7_596_648, 850_511_872, (7.6e6, 0.85e9), _TABLE, {"channels": 64}),
    )

    def layers(self, b: Builder, x: Any, options: FasterNetOptions, classes: int) -> Any:
        """Patches, stages that are merged two by two, means, a wide layer."""
        channels = -(-options.channels // options.part) * options.part
        x = b.conv(x, channels, options.patch, options.patch, act="")
        for stage, count in enumerate(_BLOCKS[: options.stages]):
            if stage:
                x = b.conv(x, channels * 2**stage, 2, 2, act="")
            for _ in range(repeats(count, options.depth)):
                x = _block(b, x, options)
        x = b.global_mean(x)
        return b.dense(b.dense(x, options.last, options.act) if options.last else x, classes)


def _block(b: Builder, x: Any, options: FasterNetOptions) -> Any:
    channels = x.shape[-1]
    seen = channels // options.part
    part = b.conv(b.channels(x, 0, seen), seen, options.kernel, act="", norm=False, bias=False)
    y = b.concat([part, b.channels(x, seen, channels)])
    y = b.conv(y, channels * options.expand, 1, act=options.act)
    y = b.conv(y, channels, 1, act="", norm=False, bias=False)
    return b.add(x, y) if options.shortcut else y
