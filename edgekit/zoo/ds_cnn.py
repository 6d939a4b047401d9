"""DS-CNN: keyword spotting on microcontrollers with depthwise separable convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_TABLE = "arXiv:1711.07128, table 5 (operations are two a MAC)"


@dataclass(frozen=True)
class DsCnnOptions(ZooOptions):
    """The defaults are the small one, which is MLPerf Tiny's."""

    channels: int = option(64, "of every layer", least=4, most=276, search=True)
    blocks: int = option(4, "separable blocks", least=1, most=8, search=True)
    kernel: int = option(3, "window of the depthwise convolutions", choices=(3, 5), search=True)
    stem_height: int = option(10, "window of the first layer in time", least=1, most=20)
    stem_width: int = option(4, "window of the first layer across features", least=1, most=20)
    stem_stride: int = option(2, "stride of the first layer in time", choices=(1, 2, 4))
    stem_stride_width: int = option(2, "stride of the first layer across features", choices=(1, 2))
    stride: int = option(1, "stride of the first block: 2 in the medium and the large one",
                         choices=(1, 2))  # fmt: skip


class Network(Base):
    """Ten features of 49 frames in, twelve words out."""

    name = "ds_cnn"
    title = "keyword spotting with depthwise separable convolutions"
    paper = "Zhang et al. 2017 (Hello Edge), arXiv:1711.07128"
    Options = DsCnnOptions
    shape = (49, 10, 1)
    classes = 12
    figures = (
        Figure(23_180, 2_656_768, (None, 2.7e6), _TABLE),
        Figure(136_580, 9_816_384, (None, 9.9e6), _TABLE,
               {"channels": 172, "stem_stride_width": 1, "stride": 2}),
        Figure(413_736, 28_327_812, (None, 28.45e6), _TABLE,
               {"channels": 276, "stem_stride_width": 1, "stride": 2, "blocks": 5}),
    )  # fmt: skip

    def layers(self, b: Builder, x: Any, options: DsCnnOptions, classes: int) -> Any:
        """A stem, blocks, means."""
        window = (options.stem_height, options.stem_width)
        strides = (options.stem_stride, options.stem_stride_width)
        x = b.conv(x, options.channels, window, strides)
        for number in range(options.blocks):
            stride = options.stride if number == 0 else 1
            x = b.separable(x, options.channels, options.kernel, stride)
        return b.classify(x, classes)
