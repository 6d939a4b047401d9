"""Inception: windows of several sizes side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

Towers = tuple[int, int, int, int, int, int]
# 1 x 1; 1 x 1 before 3 x 3, 3 x 3; 1 x 1 before 5 x 5, 5 x 5; 1 x 1 behind the pooling
_BLOCKS: tuple[Towers, ...] = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)
_POOLED = (2, 7)  # blocks that a pooling stands in front of
_TABLE = "torchvision's googlenet, which normalizes and has 3 x 3 for 5 x 5"


@dataclass(frozen=True)
class InceptionOptions(ZooOptions):
    """Of an Inception network; all nine blocks at full width are GoogLeNet."""

    width: float = option(
        0.25, "times as many channels as GoogLeNet", least=0.05, most=1, search=True
    )
    blocks: int = option(4, "blocks that are built, from the first", least=1, most=9, search=True)
    kernel: int = option(5, "the largest window", choices=(3, 5), search=True)
    norm: bool = option(True, "batch normalization, which GoogLeNet of 2014 had not")
    stem_stride: int = option(2, "stride of the first layer and of the poolings behind it; 1 for "
                              "pictures of few pixels", choices=(1, 2))  # fmt: skip


class Network(Base):
    """A quarter of GoogLeNet's width and its first four blocks, by default."""

    name = "inception"
    title = "windows of several sizes side by side"
    paper = "Szegedy et al. 2015 (GoogLeNet), arXiv:1409.4842"
    Options = InceptionOptions
    figures = (
        Figure(226_848, 89_431_872),
        Figure(
            6_624_904,
            1_498_376_192,
            (6_624_904, 1.5e9),
            _TABLE,
            {"width": 1.0, "blocks": 9, "kernel": 3},
            within=0.1,
        ),
    )

    def layers(self, b: Builder, x: Any, options: InceptionOptions, classes: int) -> Any:
        """A stem, blocks, means."""
        norm = options.norm

        def scaled(channels: int) -> int:
            return rounded(channels * options.width, 4)

        small = options.stem_stride == 1
        x = b.conv(x, scaled(64), 3 if small else 7, options.stem_stride, norm=norm)
        x = x if small else b.max_pool(x, 3, 2)
        x = b.conv(b.conv(x, scaled(64), 1, norm=norm), scaled(192), 3, norm=norm)
        x = b.max_pool(x, 3, 2)
        for number, towers in enumerate(_BLOCKS[: options.blocks]):
            x = b.max_pool(x, 3, 2) if number in _POOLED else x
            one, before, three, narrow, five, pooled = map(scaled, towers)
            x = block(b, x, (one, before, three, narrow, five, pooled), options.kernel, norm)
        return b.classify(x, classes)


def block(b: Builder, x: Any, towers: Towers, kernel: int = 5, norm: bool = True) -> Any:
    """Four towers side by side; of GoogLeNet's 3a, 159 K of weights (arXiv:1409.4842, table 1)."""
    one, before, three, narrow, five, pooled = towers
    return b.concat(
        [
            b.conv(x, one, 1, norm=norm),
            b.conv(b.conv(x, before, 1, norm=norm), three, 3, norm=norm),
            b.conv(b.conv(x, narrow, 1, norm=norm), five, kernel, norm=norm),
            b.conv(b.max_pool(x, 3, 1), pooled, 1, norm=norm),
        ]
    )
