"""ShuffleNet V2: half of the channels pass a block as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, repeats, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_CHANNELS = {0.5: (48, 96, 192), 1.0: (116, 232, 464), 1.5: (176, 352, 704), 2.0: (244, 488, 976)}
_BLOCKS = (4, 8, 4)
_STEM = 24
_TABLE = "arXiv:1807.11164, table 8; parameters as in torchvision"


@dataclass(frozen=True)
class ShuffleNetV2Options(ZooOptions):
    """Of ShuffleNet V2."""

    width: float = option(1.0, "times as many channels; those of the paper for 0.5, 1, 1.5 and 2",
                          least=0.1, most=2, search=True)  # fmt: skip
    depth: float = option(1.0, "times as many blocks a stage", least=0.1, most=2, search=True)
    kernel: int = option(3, "window of the depthwise convolutions", choices=(3, 5, 7), search=True)
    stages: int = option(3, "stages; each halves the picture", least=1, most=3)
    last: int = option(1024, "channels that are averaged (2048 for a width of 2); 0: those of the "
                       "last stage", least=0, most=2048)  # fmt: skip
    stem_stride: int = option(2, "stride of the first layer and of the pooling behind it; 1 for "
                              "pictures of few pixels", choices=(1, 2))  # fmt: skip


class Network(Base):
    """Built for speed as measured, not for multiply-accumulates alone."""

    name = "shufflenet_v2"
    title = "blocks on half of the channels, then a shuffle"
    paper = "Ma et al. 2018 (ShuffleNet V2), arXiv:1807.11164"
    Options = ShuffleNetV2Options
    figures = (
        Figure(2_278_604, 144_907_992, (2_278_604, 146e6), _TABLE),
        Figure(1_366_792, 40_476_448, (1_366_792, 41e6), _TABLE, {"width": 0.5}),
        Figure(7_393_996, 583_253_464, (7_393_996, 591e6), _TABLE, {"width": 2.0, "last": 2048}),
    )

    def layers(self, b: Builder, x: Any, options: ShuffleNetV2Options, classes: int) -> Any:
        """A stem, stages, a wide layer, means."""
        x = b.conv(x, _STEM, 3, options.stem_stride)
        if options.stem_stride == 2:
            x = b.max_pool(x, 3, 2)
        stages = zip(_channels(options.width), _BLOCKS, strict=True)
        for channels, count in tuple(stages)[: options.stages]:
            for number in range(repeats(count, options.depth)):
                x = _block(b, x, channels, options.kernel, halves=number == 0)
        if options.last:
            x = b.conv(x, options.last, 1)
        return b.classify(x, classes)


def _channels(width: float) -> tuple[int, ...]:
    return _CHANNELS.get(width) or tuple(rounded(one * width, 4) for one in _CHANNELS[1.0])


def _block(b: Builder, x: Any, channels: int, kernel: int, halves: bool) -> Any:
    """1 x 1, depthwise, 1 x 1 on half of the channels; where it halves, both halves are made."""
    half = channels // 2
    if halves:
        near = b.conv(b.depthwise(x, kernel, 2, act=""), half, 1)
        far = x
    else:
        near, far = b.channels(x, 0, half), b.channels(x, half, channels)
    far = b.conv(far, half, 1)
    far = b.conv(b.depthwise(far, kernel, 2 if halves else 1, act=""), half, 1)
    return b.shuffle(b.concat([near, far]), 2)
