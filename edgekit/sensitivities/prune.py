"""Each kernel alone with zeros in place of its smallest weights (Han et al. 2015, 1506.02626)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgekit.passes._masks import mask
from edgekit.sensitivities.changes import Change, Kernel, Kernels, Layer, of_kernel


def layers(kernels: Sequence[Kernel], levels: Sequence[float]) -> Iterator[Layer]:
    """Every kernel at each level: the share of its weights that are zero."""
    for kernel in kernels:
        yield of_kernel("prune", kernel, [_change(kernel, level) for level in levels])


def _change(kernel: Kernel, level: float) -> Change:
    def pruned() -> Kernels:
        return {kernel.index: kernel.values * mask(kernel.values, level)}

    return Change(
        level,
        pruned,
        parameters=round(level * kernel.values.size),
        macs=round(level * kernel.macs),
    )
