"""DenseNet: each layer sees the results of all before it, and adds few of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_TABLE = "arXiv:1608.06993, table 2"
_BOTTLENECK = 4  # times the growth


@dataclass(frozen=True)
class DenseNetOptions(ZooOptions):
    """Of DenseNet for small pictures."""

    growth: int = option(12, "channels that a layer adds", least=4, most=40, search=True)
    depth: int = option(6, "layers a block; 16 with bottlenecks is DenseNet-BC of 100 layers",
                        least=1, most=40, search=True)  # fmt: skip
    blocks: int = option(
        3, "blocks; each but the first halves the picture", least=1, most=4, search=True
    )
    bottleneck: bool = option(True, "1 x 1 layers in front of the 3 x 3 ones, and transitions that "
                              "halve the channels (BC)")  # fmt: skip
    kernel: int = option(3, "window of the convolutions", choices=(3, 5), search=True)
    stem_stride: int = option(1, "stride of the first layer", choices=(1, 2))


class Network(Base):
    """Few parameters, many activations."""

    name = "densenet"
    title = "layers that see all layers before them"
    paper = "Huang et al. 2017 (DenseNet), arXiv:1608.06993"
    Options = DenseNetOptions
    shape = (32, 32, 3)
    classes = 10
    figures = (
        Figure(176_122, 72_365_352),
        Figure(769_162, 287_929_692, (0.8e6, None), _TABLE, {"depth": 16}, within=0.04),
        Figure(
            1_019_722,
            264_812_928,
            (1.0e6, None),
            _TABLE,
            {"depth": 12, "bottleneck": False},
            within=0.03,
        ),
    )

    def layers(self, b: Builder, x: Any, options: DenseNetOptions, classes: int) -> Any:
        """A stem, blocks with transitions between them, means."""
        stem = 2 * options.growth if options.bottleneck else 16
        x = b.conv(x, stem, 3, options.stem_stride, act="", norm=False, bias=False)
        for block in range(options.blocks):
            if block:
                kept = x.shape[-1] // 2 if options.bottleneck else x.shape[-1]
                x = b.mean_pool(_before(b, x, kept, 1))
            for _ in range(options.depth):
                y = _before(b, x, _BOTTLENECK * options.growth, 1) if options.bottleneck else x
                x = b.concat([x, _before(b, y, options.growth, options.kernel)])
        return b.classify(b.act(b.norm(x)), classes)


def _before(b: Builder, x: Any, channels: int, kernel: int) -> Any:
    """Normalization and ReLU in front of a convolution."""
    return b.conv(b.act(b.norm(x)), channels, kernel, act="", norm=False, bias=False)
