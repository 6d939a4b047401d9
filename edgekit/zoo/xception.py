"""Xception: an Inception network whose towers are as many as its channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_ENTRY = (128, 256, 728)
_MIDDLE = 728
_EXIT = (728, 1024, 1536, 2048)


@dataclass(frozen=True)
class XceptionOptions(ZooOptions):
    """Of Xception."""

    width: float = option(1.0, "times as many channels", least=0.02, most=1, search=True)
    middle: int = option(8, "blocks of the middle flow", least=0, most=16, search=True)
    kernel: int = option(3, "window of the depthwise convolutions", choices=(3, 5, 7), search=True)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stem_stride: int = option(2, "stride of the first layer; 1 for pictures of few pixels",
                              choices=(1, 2))  # fmt: skip


class Network(Base):
    """The large one of the family; a width of 0.05 fits where the others do."""

    name = "xception"
    title = "residual blocks of depthwise separable convolutions"
    paper = "Chollet 2017 (Xception), arXiv:1610.02357"
    Options = XceptionOptions
    shape = (299, 299, 3)
    figures = (Figure(22_855_952, 8_470_752_656, (22_855_952, None), "arXiv:1610.02357, table 3"),)

    def layers(self, b: Builder, x: Any, options: XceptionOptions, classes: int) -> Any:
        """Entry, middle and exit flow."""
        flow = _Flow(b, options)
        x = b.conv(x, flow.channels(32), 3, options.stem_stride)
        x = b.conv(x, flow.channels(64))
        for number, channels in enumerate(_ENTRY):
            x = flow.block(x, (channels, channels), leads=number > 0)
        for _ in range(options.middle):
            y = x
            for _ in range(3):
                y = flow.separable(y, _MIDDLE, leads=True)
            x = b.add(x, y) if options.shortcut else y
        x = flow.block(x, _EXIT[:2], leads=True)
        for channels in _EXIT[2:]:
            x = b.act(flow.separable(x, channels, leads=False))
        return b.classify(x, classes)


class _Flow:
    def __init__(self, b: Builder, options: XceptionOptions) -> None:
        self._b, self._options = b, options

    def channels(self, count: int) -> int:
        return count if self._options.width == 1 else rounded(count * self._options.width, 4)

    def separable(self, x: Any, channels: int, leads: bool) -> Any:
        """Depthwise and 1 x 1 without anything between, normalized; `leads`: a ReLU in front."""
        b = self._b
        x = b.act(x) if leads else x
        x = b.depthwise(x, self._options.kernel, act="", norm=False)
        return b.conv(x, self.channels(channels), 1, act="")

    def block(self, x: Any, channels: tuple[int, int], leads: bool) -> Any:
        """Two of them and a pooling, beside a 1 x 1 layer."""
        b, y = self._b, self.separable(x, channels[0], leads)
        y = b.max_pool(self.separable(y, channels[1], leads=True), 3, 2)
        if not self._options.shortcut:
            return y
        return b.add(y, b.conv(x, self.channels(channels[1]), 1, 2, act=""))
