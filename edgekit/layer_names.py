"""Names of layers, short enough for a table."""

from __future__ import annotations

from collections.abc import Sequence


def short(names: Sequence[str]) -> list[str]:
    """The part of each name that tells layers apart.

    A fused operator carries the names of all it was made of, the last one is the layer's; and the
    name of the network comes before those of its layers.
    """
    last = [name.rstrip(";").rpartition(";")[2] for name in names]
    networks = {name.partition("/")[0] for name in last if "/" in name}
    if len(networks) != 1:
        return last
    return [name.removeprefix(f"{min(networks)}/") for name in last]
