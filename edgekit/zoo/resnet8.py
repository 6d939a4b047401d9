"""ResNet-8: three residual blocks, the image classifier of MLPerf Tiny."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_CHANNELS = (16, 32, 64)
_TINY = "MLPerf Tiny, arXiv:2106.07597; moving statistics and biases before them counted, too"
_RESNET20 = "arXiv:1512.03385, table 6"


@dataclass(frozen=True)
class ResNet8Options(ZooOptions):
    """Of a ResNet for small pictures; 3 blocks a stage are ResNet-20."""

    width: float = option(1.0, "times as many channels", least=0.1, most=4, search=True)
    blocks: int = option(1, "a stage", least=1, most=18, search=True)
    stages: int = option(3, "stages; each but the first halves the picture", least=1, most=3)
    kernel: int = option(3, "window of the convolutions", choices=(3, 5), search=True)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stem_stride: int = option(1, "stride of the first layer", choices=(1, 2))


class Network(Base):
    """The smallest of the residual networks."""

    name = "resnet8"
    title = "three residual blocks"
    paper = "He et al. 2016 (ResNet), arXiv:1512.03385; Banbury et al. 2021, arXiv:2106.07597"
    Options = ResNet8Options
    shape = (32, 32, 3)
    classes = 10
    figures = (
        Figure(77_946, 12_501_632, (78_666, 12.5e6), _TINY),
        Figure(272_378, 40_813_184, (0.27e6, None), _RESNET20, {"blocks": 3}),
    )

    def layers(self, b: Builder, x: Any, options: ResNet8Options, classes: int) -> Any:
        """A stem, stages, means."""
        widths = [rounded(each * options.width, 4) for each in _CHANNELS]
        x = b.conv(x, widths[0], options.kernel, options.stem_stride)
        for stage, channels in enumerate(widths[: options.stages]):
            for number in range(options.blocks):
                stride = 2 if stage and number == 0 else 1
                x = _block(b, x, channels, options.kernel, stride, options.shortcut)
        return b.classify(x, classes)


def _block(b: Builder, x: Any, channels: int, kernel: int, stride: int, shortcut: bool) -> Any:
    y = b.conv(b.conv(x, channels, kernel, stride), channels, kernel, act="")
    if not shortcut:
        return b.act(y)
    if stride > 1 or x.shape[-1] != channels:
        x = b.conv(x, channels, 1, stride, act="", norm=False)
    return b.act(b.add(x, y))
