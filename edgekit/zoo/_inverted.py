"""The inverted residual of MobileNet V2 and what came of it."""

from __future__ import annotations

from typing import Any

from edgekit.zoo._builder import Builder, rounded


def inverted(
    b: Builder,
    x: Any,
    channels: int,
    hidden: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    act: str = "relu6",
    excited: int = 0,
    excite_act: str = "sigmoid",
    shortcut: bool = True,
) -> Any:
    """1 x 1 to `hidden` channels, depthwise, 1 x 1 back without activation, and around it.

    Source: Sandler et al. 2018, arXiv:1801.04381.

    Args:
        b: Makes the layers.
        x: [batch, height, width, channels].
        channels: Of the result.
        hidden: Between; where it is the channels of `x`, there is no first layer.
        kernel: Window of the depthwise layer.
        stride: Of the depthwise layer.
        act: Of the first two layers.
        excited: Channels of the bottleneck of squeeze and excitation; 0: none.
        excite_act: What scales the channels.
        shortcut: Whether `x` is added where that has the result's shape.
    """
    inner = x if hidden == x.shape[-1] else b.conv(x, hidden, 1, act=act)
    inner = b.depthwise(inner, kernel, stride, act=act)
    if excited:
        inner = b.excite(inner, excited, excite_act)
    inner = b.conv(inner, channels, 1, act="")
    around = shortcut and stride == 1 and x.shape[-1] == channels
    return b.add(x, inner) if around else inner


def hidden_of(x: Any, expand: float) -> int:
    """Channels of `x` times `expand`, as they are for 1."""
    return int(x.shape[-1]) if expand == 1 else rounded(x.shape[-1] * expand)
