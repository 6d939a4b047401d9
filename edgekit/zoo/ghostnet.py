"""GhostNet: half of the channels are cheap copies of the other half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

# Window, hidden channels, channels, squeeze and excitation, stride
_BLOCKS = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
)
_DENSE = 1280
_TABLE = "arXiv:1911.11907, table 7"


@dataclass(frozen=True)
class GhostNetOptions(ZooOptions):
    """Of GhostNet."""

    width: float = option(1.0, "times as many channels", least=0.1, most=2, search=True)
    blocks: int = option(16, "blocks that are built, from the first", least=1, most=16, search=True)
    cheap: int = option(3, "window of the layers that make the copies", choices=(3, 5))
    excite: bool = option(True, "squeeze and excitation where the paper has it")
    dense: int = option(_DENSE, "channels in front of the scores", least=8, most=2560)
    stem_stride: int = option(2, "stride of the first layer; 1 for pictures of few pixels",
                              choices=(1, 2))  # fmt: skip


class Network(Base):
    """MobileNet V3 with ghost modules in place of 1 x 1 convolutions."""

    name = "ghostnet"
    title = "half of the channels are made of the others by cheap layers"
    paper = "Han et al. 2020 (GhostNet), arXiv:1911.11907"
    Options = GhostNetOptions
    figures = (
        Figure(5_182_508, 141_150_512, (5.2e6, 141e6), _TABLE),
        Figure(2_587_292, 42_328_152, (2.6e6, 42e6), _TABLE, {"width": 0.5}),
    )

    def layers(self, b: Builder, x: Any, options: GhostNetOptions, classes: int) -> Any:
        """A stem, blocks, a wide layer, means, a 1 x 1 layer."""
        width = options.width
        x = b.conv(x, rounded(16 * width, 4), 3, options.stem_stride)
        hidden = 0
        for kernel, inner, channels, excited, stride in _BLOCKS[: options.blocks]:
            hidden = rounded(inner * width, 4)
            squeezed = rounded(hidden / 4, 4) if excited and options.excite else 0
            x = _block(b, x, (hidden, rounded(channels * width, 4)), kernel, stride, squeezed,
                       options.cheap)  # fmt: skip
        x = b.global_mean(b.conv(x, rounded(hidden, 4), 1), keep=True)
        x = b.conv(x, options.dense, 1, norm=False)
        return b.dense(b.flatten(x), classes)


def _ghost(b: Builder, x: Any, channels: int, cheap: int, act: str) -> Any:
    """Half of the channels by a 1 x 1 layer, the others of these by a depthwise one."""
    first = b.conv(x, -(-channels // 2), 1, act=act)
    both = b.concat([first, b.depthwise(first, cheap, act=act)])
    return both if channels % 2 == 0 else b.channels(both, 0, channels)


def _block(
    b: Builder,
    x: Any,
    channels: tuple[int, int],
    kernel: int,
    stride: int,
    squeezed: int,
    cheap: int,
) -> Any:
    """A ghost bottleneck: wide, narrow, and x beside it."""
    y = _ghost(b, x, channels[0], cheap, "relu")
    if stride > 1:
        y = b.depthwise(y, kernel, stride, act="")
    if squeezed:
        y = b.excite(y, squeezed, "hard_sigmoid")
    y = _ghost(b, y, channels[1], cheap, "")
    if stride > 1 or x.shape[-1] != channels[1]:
        x = b.conv(b.depthwise(x, kernel, stride, act=""), channels[1], 1, act="")
    return b.add(x, y)
