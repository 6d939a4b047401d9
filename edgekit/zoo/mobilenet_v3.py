"""MobileNet V3: searched blocks, squeeze and excitation, hard swish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo._inverted import inverted
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_SWISH = "hard_swish"
# Window, hidden channels, channels, squeeze and excitation, activation, stride
_LARGE = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, _SWISH, 2),
    (3, 200, 80, False, _SWISH, 1),
    (3, 184, 80, False, _SWISH, 1),
    (3, 184, 80, False, _SWISH, 1),
    (3, 480, 112, True, _SWISH, 1),
    (3, 672, 112, True, _SWISH, 1),
    (5, 672, 160, True, _SWISH, 2),
    (5, 960, 160, True, _SWISH, 1),
    (5, 960, 160, True, _SWISH, 1),
)
_SMALL = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, _SWISH, 2),
    (5, 240, 40, True, _SWISH, 1),
    (5, 240, 40, True, _SWISH, 1),
    (5, 120, 48, True, _SWISH, 1),
    (5, 144, 48, True, _SWISH, 1),
    (5, 288, 96, True, _SWISH, 2),
    (5, 576, 96, True, _SWISH, 1),
    (5, 576, 96, True, _SWISH, 1),
)
_BLOCKS = {"small": _SMALL, "large": _LARGE}
_LAST = {"small": (576, 1024), "large": (960, 1280)}
_TABLE = "arXiv:1905.02244, table 3"


@dataclass(frozen=True)
class MobileNetV3Options(ZooOptions):
    """Of MobileNet V3."""

    size: Literal["small", "large"] = option("small", "which of the two searched networks")
    width: float = option(1.0, "times as many channels", least=0.1, most=2, search=True)
    blocks: int = option(15, "blocks that are built, from the first", least=1, most=15, search=True)
    excite: bool = option(True, "squeeze and excitation where the search placed it")
    act: Literal["hard_swish", "relu"] = option(
        "hard_swish", "what is written h-swish; relu rounds better to few bits"
    )
    shortcut: bool = option(True, "whether blocks are added to what they are given", search=True)
    stem_stride: int = option(2, "stride of the first layer; 1 for pictures of few pixels",
                              choices=(1, 2))  # fmt: skip


class Network(Base):
    """Found by a search for phones."""

    name = "mobilenet_v3"
    title = "searched inverted residuals with squeeze and excitation"
    paper = "Howard et al. 2019 (MobileNetV3), arXiv:1905.02244"
    Options = MobileNetV3Options
    figures = (
        Figure(2_542_856, 56_510_400, (2.5e6, 56e6), _TABLE),
        Figure(5_483_032, 216_589_760, (5.4e6, 219e6), _TABLE, {"size": "large"}),
    )

    def layers(self, b: Builder, x: Any, options: MobileNetV3Options, classes: int) -> Any:
        """A stem, blocks, a wide layer, means, a wide dense layer."""
        width, swish = options.width, options.act
        x = b.conv(x, rounded(16 * width), 3, options.stem_stride, act=swish)
        for kernel, hidden, channels, excited, act, stride in _BLOCKS[options.size][
            : options.blocks
        ]:
            inner = rounded(hidden * width)
            x = inverted(
                b,
                x,
                rounded(channels * width),
                inner,
                kernel=kernel,
                stride=stride,
                act=swish if act == _SWISH else act,
                excited=rounded(inner / 4) if excited and options.excite else 0,
                excite_act="hard_sigmoid",
                shortcut=options.shortcut,
            )
        wide, dense = _LAST[options.size]
        x = b.conv(x, rounded(wide * width), 1, act=swish)
        x = b.dense(b.global_mean(x), rounded(dense * max(1.0, width)), swish)
        return b.dense(x, classes)
