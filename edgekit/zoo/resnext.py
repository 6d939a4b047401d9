"""ResNeXt: grouped convolutions in residual blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_STEM, _OUT = 64, 256


@dataclass(frozen=True)
class ResNeXtOptions(ZooOptions):
    """Of ResNeXt for small pictures."""

    groups: int = option(8, "groups of the 3 x 3 convolutions", choices=(1, 2, 4, 8, 16, 32))
    group_width: int = option(4, "channels of a group in the first stage", least=1, most=64)
    width: float = option(
        0.25, "times as many channels around the groups", least=0.1, most=1, search=True
    )
    blocks: int = option(3, "a stage", least=1, most=9, search=True)
    stages: int = option(3, "stages; each but the first halves the picture", least=1, most=4)
    kernel: int = option(3, "window of the grouped convolutions", choices=(3, 5), search=True)
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stem_stride: int = option(1, "stride of the first layer", choices=(1, 2))


class Network(Base):
    """29 layers, as the paper has them for CIFAR, but narrow."""

    name = "resnext"
    title = "grouped convolutions in residual blocks"
    paper = "Xie et al. 2017 (ResNeXt), arXiv:1611.05431"
    Options = ResNeXtOptions
    shape = (32, 32, 3)
    classes = 10
    figures = (
        Figure(359_898, 56_674_816),
        Figure(
            34_426_698,
            5_387_266_048,
            (34.4e6, None),
            "arXiv:1611.05431, table 7: 8 x 64d",
            {"group_width": 64, "width": 1.0},
        ),
    )

    def layers(self, b: Builder, x: Any, options: ResNeXtOptions, classes: int) -> Any:
        """A stem, stages, means."""
        x = b.conv(x, rounded(_STEM * options.width), 3, options.stem_stride)
        for stage in range(options.stages):
            channels = rounded(_OUT * options.width) * 2**stage
            inner = options.groups * options.group_width * 2**stage
            for number in range(options.blocks):
                stride = 2 if stage and number == 0 else 1
                x = _block(b, x, channels, inner, stride, options)
        return b.classify(x, classes)


def _block(
    b: Builder, x: Any, channels: int, inner: int, stride: int, options: ResNeXtOptions
) -> Any:
    y = b.conv(x, inner, 1)
    y = b.conv(y, inner, options.kernel, stride, groups=options.groups)
    y = b.conv(y, channels, 1, act="")
    if not options.shortcut:
        return b.act(y)
    if stride > 1 or x.shape[-1] != channels:
        x = b.conv(x, channels, 1, stride, act="")
    return b.act(b.add(x, y))
