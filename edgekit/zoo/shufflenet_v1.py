"""ShuffleNet V1: grouped 1 x 1 convolutions, and channels that change their group between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, repeats
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}  # of the first stage, by groups
_BLOCKS = (4, 8, 4)
_STEM = 24
_TABLE = "arXiv:1707.01083, tables 1 and 2"


@dataclass(frozen=True)
class ShuffleNetV1Options(ZooOptions):
    """Of ShuffleNet V1."""

    groups: int = option(3, "groups of the 1 x 1 convolutions", choices=(1, 2, 3, 4, 8))
    width: float = option(1.0, "times as many channels", least=0.1, most=2, search=True)
    depth: float = option(1.0, "times as many blocks a stage", least=0.1, most=2, search=True)
    kernel: int = option(3, "window of the depthwise convolutions", choices=(3, 5, 7), search=True)
    stages: int = option(3, "stages; each halves the picture", least=1, most=3)
    stem_stride: int = option(2, "stride of the first layer and of the pooling behind it; 1 for "
                              "pictures of few pixels", choices=(1, 2))  # fmt: skip


class Network(Base):
    """1 x 1 layers are most of the work of a MobileNet: here they see a group each."""

    name = "shufflenet_v1"
    title = "grouped 1 x 1 convolutions with shuffled channels"
    paper = "Zhang et al. 2018 (ShuffleNet), arXiv:1707.01083"
    Options = ShuffleNetV1Options
    figures = (
        Figure(1_865_728, 137_460_672, (None, 137e6), _TABLE),
        Figure(718_324, 37_589_856, (None, 38e6), _TABLE, {"width": 0.5}),
        Figure(2_434_768, 138_365_952, (None, 137e6), _TABLE, {"groups": 8}),
    )

    def layers(self, b: Builder, x: Any, options: ShuffleNetV1Options, classes: int) -> Any:
        """A stem, stages, means."""
        x = b.conv(x, _stem(options), 3, options.stem_stride)
        if options.stem_stride == 2:
            x = b.max_pool(x, 3, 2)
        for stage, count in enumerate(_BLOCKS[: options.stages]):
            channels = _CHANNELS[options.groups] * 2**stage * options.width
            for number in range(repeats(count, options.depth)):
                first = stage == number == 0
                x = _block(b, x, _whole(channels, options.groups), options, number == 0, first)
        return b.classify(x, classes)


def _stem(options: ShuffleNetV1Options) -> int:
    """What is left of the first stage's channels beside them can be parted in groups, too."""
    step = math.lcm(4, options.groups)
    return max(1, round(_STEM * options.width / step)) * step


def _whole(channels: float, groups: int) -> int:
    """A multiple of four times the groups: the bottleneck is a quarter."""
    return max(1, round(channels / (4 * groups))) * 4 * groups


def _block(
    b: Builder, x: Any, channels: int, options: ShuffleNetV1Options, halves: bool, first: bool
) -> Any:
    """Grouped 1 x 1, shuffle, depthwise, grouped 1 x 1; beside it x, or its mean of 3 x 3."""
    groups, made = options.groups, channels - x.shape[-1] if halves else channels
    inner = channels // 4
    y = b.conv(x, inner, 1, groups=1 if first else groups)
    y = b.shuffle(y, groups) if groups > 1 else y
    y = b.depthwise(y, options.kernel, 2 if halves else 1, act="")
    y = b.conv(y, made, 1, groups=groups, act="")
    if halves:
        return b.act(b.concat([b.mean_pool(x, 3, 2), y]))
    return b.act(b.add(x, y))
