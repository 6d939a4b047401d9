"""SqueezeNet: few 1 x 1 filters feed many of 1 x 1 and 3 x 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.zoo._builder import Builder, rounded
from edgekit.zoo.base import Base, Figure, ZooOptions, option

_SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)
_POOLED = {"1.0": (3, 7), "1.1": (2, 4)}  # modules that a pooling stands in front of
_STEM = {"1.0": (96, 7), "1.1": (64, 3)}
_EXPANDED = 4  # times the squeezed, of each kind


@dataclass(frozen=True)
class SqueezeNetOptions(ZooOptions):
    """Of SqueezeNet."""

    version: Literal["1.0", "1.1"] = option(
        "1.1", "1.0: the paper's; 1.1: the authors' later one, with less than half of the work"
    )
    width: float = option(1.0, "times as many channels", least=0.1, most=2, search=True)
    modules: int = option(
        8, "fire modules that are built, from the first", least=1, most=8, search=True
    )
    shortcut: bool = option(
        False, "add a module to what it is given where the shapes allow it", search=True
    )
    norm: bool = option(False, "batch normalization, which the paper has not: learns faster")
    stem_stride: int = option(2, "stride of the first layer and of the pooling behind it; 1 for "
                              "pictures of few pixels", choices=(1, 2))  # fmt: skip


class Network(Base):
    """The first that was small on purpose."""

    name = "squeezenet"
    title = "fire modules: squeeze to few channels, expand to many"
    paper = "Iandola et al. 2016 (SqueezeNet), arXiv:1602.07360"
    Options = SqueezeNetOptions
    figures = (
        Figure(1_235_496, 387_358_720, (1_235_496, None), "parameters as in torchvision"),
        Figure(
            1_248_424,
            887_513_088,
            (1_248_424, None),
            "arXiv:1602.07360, table 1",
            {"version": "1.0"},
        ),
    )

    def layers(self, b: Builder, x: Any, options: SqueezeNetOptions, classes: int) -> Any:
        """A stem, modules, one score a class at each place, means."""
        channels, kernel = _STEM[options.version]
        norm = options.norm
        x = b.conv(x, rounded(channels * options.width), kernel, options.stem_stride, norm=norm)
        if options.stem_stride == 2:
            x = b.max_pool(x, 3, 2)
        for number, squeezed in enumerate(_SQUEEZED[: options.modules]):
            if number in _POOLED[options.version]:
                x = b.max_pool(x, 3, 2)
            y = _fire(b, x, rounded(squeezed * options.width, 4), norm)
            x = b.add(x, y) if options.shortcut and x.shape[-1] == y.shape[-1] else y
        return b.global_mean(b.conv(x, classes, 1, norm=False))


def _fire(b: Builder, x: Any, squeezed: int, norm: bool) -> Any:
    x = b.conv(x, squeezed, 1, norm=norm)
    expanded = _EXPANDED * squeezed
    return b.concat([b.conv(x, expanded, kernel, norm=norm) for kernel in (1, 3)])
