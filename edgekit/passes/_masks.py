"""Which weights of a kernel stay when the smallest go: single ones, blocks, or N of M in a row.

As TFMOT chooses them while it trains, except that of equal weights no more stay than may.
Kernels are in Keras' layout: [..., inputs, outputs].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def mask(kernel: Array, sparsity: float) -> Array:
    """True for the largest magnitudes; a share `sparsity` of all is False, one at least is True."""
    sizes = np.abs(kernel).ravel()
    stay = max(round(sizes.size * (1 - sparsity)), 1)
    kept = np.zeros(sizes.size, bool)
    kept[np.argsort(-sizes, kind="stable")[:stay]] = True
    return kept.reshape(kernel.shape)


def block_mask(kernel: Array, sparsity: float, block: tuple[int, int]) -> Array:
    """The same for blocks [inputs, outputs] of a kernel [inputs, outputs], by their mean.

    Blocks begin at the first weight; those at the far edges may be smaller.
    """
    means = _blocks(np.abs(kernel), block, np.nanmean)
    kept = mask(means, sparsity)
    wide = kept.repeat(block[0], axis=0).repeat(block[1], axis=1)
    return wide[: kernel.shape[0], : kernel.shape[1]]


def zero_blocks(kernel: Array, block: tuple[int, int]) -> float:
    """Share of the blocks that hold nothing but zeros."""
    return float((_blocks(np.abs(kernel), block, np.nanmax) == 0).mean())


def n_m_mask(kernel: Array, kept: int, of: int) -> Array:
    """True for the `kept` largest of each `of` inputs in a row."""
    rows = np.moveaxis(np.abs(kernel), -2, -1)
    padded = np.pad(rows, [(0, 0)] * (rows.ndim - 1) + [(0, -rows.shape[-1] % of)])
    groups = padded.reshape(-1, of)
    order = np.argsort(-groups, axis=1, kind="stable")
    chosen = np.zeros(groups.shape, bool)
    np.put_along_axis(chosen, order[:, :kept], True, axis=1)
    chosen = chosen.reshape(padded.shape)[..., : rows.shape[-1]]
    return np.moveaxis(chosen, -1, -2)


def _blocks(values: Array, block: tuple[int, int], pool: Any) -> Array:
    edges = [(0, -size % side) for size, side in zip(values.shape, block, strict=True)]
    padded = np.pad(values, edges, constant_values=np.nan)
    height, width = block
    grid = padded.reshape(padded.shape[0] // height, height, -1, width)
    return np.asarray(pool(grid, axis=(1, 3)))
