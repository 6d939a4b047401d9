"""Dilated convolutions: a wide view without pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.zoo._builder import Builder
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_DILATIONS = (1, 1, 2, 4, 8, 16, 1)


@dataclass(frozen=True)
class DilatedOptions(ZooOptions):
    """Of a context module behind a stem."""

    channels: int = option(16, "of every layer", least=4, most=128, search=True)
    layers: int = option(
        7, "dilated layers, with 1, 1, 2, 4, 8, 16 and 1", least=1, most=7, search=True
    )
    kernel: int = option(3, "window of the convolutions", choices=(3, 5), search=True)
    norm: bool = option(True, "batch normalization, which the paper has not")
    stem_stride: int = option(2, "stride of the first layer; nothing else halves the picture",
                              choices=(1, 2, 4))  # fmt: skip


class Network(Base):
    """The paper's module labels pixels; here its means classify."""

    name = "dilated"
    title = "a context module of dilated convolutions"
    paper = "Yu and Koltun 2016 (dilated convolutions), arXiv:1511.07122"
    Options = DilatedOptions
    shape = (32, 32, 3)
    classes = 10
    figures = (Figure(17_274, 4_305_056),)

    def layers(self, b: Builder, x: Any, options: DilatedOptions, classes: int) -> Any:
        """A stem, the module, means."""
        x = b.conv(x, options.channels, 3, options.stem_stride, norm=options.norm)
        return b.classify(context(b, x, options), classes)


def context(b: Builder, x: Any, options: DilatedOptions) -> Any:
    """About 64 C^2 weights for C channels (section 3 of the paper)."""
    channels = options.channels
    for dilation in _DILATIONS[: options.layers]:
        x = b.conv(x, channels, options.kernel, dilation=dilation, norm=options.norm)
    return b.conv(x, channels, 1, norm=options.norm)
