"""What `share` can be told."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.passes._options import PassOptions, option


@dataclass(frozen=True)
class ShareOptions(PassOptions):
    """Alike are layers of one kind with the same kernel shape, strides and padding."""

    group: int = option(
        0,
        "layers that share one kernel, one after the other in the network; 0: all that are alike",
        least=0,
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
