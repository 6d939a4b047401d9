"""ShiftNet: channels that are moved by a pixel see their neighbours at no cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_CHANNELS = (16, 32, 64)
_WINDOW = 3
_TABLE = "arXiv:1711.08141; the authors' table of ShiftResNet20"


@dataclass(frozen=True)
class ShiftNetOptions(ZooOptions):
    """Of ShiftResNet, whose convolutions are shifts between 1 x 1 layers."""

    expand: int = option(6, "times as many channels where they are shifted", least=1, most=9)
    width: float = option(1.0, "times as many channels", least=0.25, most=4, search=True)
    blocks: int = option(3, "a stage; 3 is ShiftResNet20", least=1, most=18, search=True)
    stages: int = option(3, "stages; each but the first halves the picture", least=1, most=3)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stem_stride: int = option(1, "stride of the first layer", choices=(1, 2))


class Network(Base):
    """ResNet20 of CIFAR with shifts."""

    name = "shiftnet"
    title = "shifts in place of spatial convolutions: no weights, no work"
    paper = "Wu et al. 2018 (Shift), arXiv:1711.08141"
    Options = ShiftNetOptions
    shape = (32, 32, 3)
    classes = 10
    figures = (
        Figure(186_746, 32_162_432, (0.19e6, None), _TABLE, within=0.03),
        Figure(95_642, 16_433_792, (0.10e6, None), _TABLE, {"expand": 3}, within=0.05),
        Figure(277_850, 47_891_072, (0.28e6, None), _TABLE, {"expand": 9}, within=0.03),
    )

    def layers(self, b: Builder, x: Any, options: ShiftNetOptions, classes: int) -> Any:
        """A stem, stages, means."""
        widths = [rounded(each * options.width, 4) for each in _CHANNELS]
        x = b.conv(x, widths[0], 3, options.stem_stride)
        for stage, channels in enumerate(widths[: options.stages]):
            for number in range(options.blocks):
                stride = 2 if stage and number == 0 else 1
                x = _block(b, x, channels, channels * options.expand, stride, options.shortcut)
        return b.classify(x, classes)


def _block(b: Builder, x: Any, channels: int, hidden: int, stride: int, shortcut: bool) -> Any:
    y = shift(b, b.conv(x, hidden, 1))
    y = b.conv(y, channels, 1, stride, act="")
    if not shortcut:
        return b.act(y)
    if stride > 1 or x.shape[-1] != channels:
        x = b.conv(x, channels, 1, stride, act="")
    return b.act(b.add(x, y))


def shift(b: Builder, x: Any) -> Any:
    """Nine groups of channels, each moved to another neighbour, what is left over to none."""
    height, width, channels = x.shape[1:]
    wide = b.pad(x, _WINDOW // 2)
    size, rest = divmod(channels, _WINDOW**2)
    moved, begin = [], 0
    for place in range(_WINDOW**2):
        end = begin + size + (rest if place == _WINDOW**2 // 2 else 0)
        if end > begin:
            down, right = divmod(place, _WINDOW)
            rows, columns = slice(down, down + height), slice(right, right + width)
            moved.append(b.cut(wide, (rows, columns, slice(begin, end))))
        begin = end
    return b.concat(moved) if len(moved) > 1 else moved[0]
