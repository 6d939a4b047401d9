"""TC-ResNet: audio as a series in time, its bands as channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_STEM, _STAGES = 16, (24, 32, 48)
_TABLE = "arXiv:1904.03814, table 2 (FLOPs are two a MAC)"


@dataclass(frozen=True)
class TcResNetOptions(ZooOptions):
    """The defaults are TC-ResNet8."""

    width: float = option(1.0, "times as many channels", least=0.25, most=3, search=True)
    blocks: int = option(1, "a stage; 2 is TC-ResNet14", least=1, most=4, search=True)
    stages: int = option(3, "stages; each halves the time", least=1, most=3)
    kernel: int = option(9, "window in time", choices=(3, 5, 7, 9, 11), search=True)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)


class Network(Base):
    """A picture is taken row by row, as a series of its rows."""

    name = "tc_resnet"
    title = "keyword spotting with convolutions in time alone"
    paper = "Choi et al. 2019 (TC-ResNet), arXiv:1904.03814"
    Options = TcResNetOptions
    shape = (98, 40)
    classes = 12
    figures = (
        Figure(65_148, 1_522_560, (66e3, 1.5e6), _TABLE),
        Figure(135_836, 3_030_528, (137e3, 3.05e6), _TABLE, {"blocks": 2}),
        Figure(302_964, 6_677_136, (305e3, 6.7e6), _TABLE, {"blocks": 2, "width": 1.5}),
    )

    def layers(self, b: Builder, x: Any, options: TcResNetOptions, classes: int) -> Any:
        """A stem, stages, means."""
        kernel = (options.kernel, 1)
        x = b.series(x)
        x = b.conv(x, int(_STEM * options.width), (3, 1), act="", norm=False, bias=False)
        for channels in _STAGES[: options.stages]:
            for number in range(options.blocks):
                x = _block(b, x, int(channels * options.width), kernel, number == 0, options)
        return b.classify(x, classes)


def _block(
    b: Builder,
    x: Any,
    channels: int,
    kernel: tuple[int, int],
    halves: bool,
    options: TcResNetOptions,
) -> Any:
    stride = (2, 1) if halves else 1
    y = b.conv(b.conv(x, channels, kernel, stride), channels, kernel, act="")
    if not options.shortcut:
        return b.act(y)
    x = b.conv(x, channels, 1, stride) if halves else x
    return b.act(b.add(x, y))
