"""A kernel as the product of two thinner ones, each a layer of its own.

All splits are one: the first kernel takes a part of the window, the second the rest of it. Of a
kernel of 3 x 3 the first takes 3 x 3 and the second 1 x 1 (Zhang et al. 2015, arXiv:1505.06798), or
3 x 1 and 1 x 3 (Jaderberg et al. 2014, arXiv:1405.3866), or 1 x 1 and 3 x 3 (Denton et al. 2014,
arXiv:1404.0736). The first is the best that a singular value decomposition finds for all places
of the second alike; the second is then solved for exactly, by least squares.

Errors are weighed on both sides: by the second moments of what the layer is given, and by what the
model's answers feel of its outputs. The first then makes channels of unit variance that do not go
together, which an integer format with one scale for all of them holds best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Split = Literal["channel", "spatial", "input", "depthwise"]
Window = tuple[int, int]
_DAMPING = 1e-3
"""Share of the mean of the moments' diagonal that is added to it."""
_ATTEMPTS = 8  # the last adds 10^5 times the mean: enough for whatever is finite
_SOLVING = 1e-9
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Kernel:
    """The weights of a layer and what their errors weigh.

    Attributes:
        values: [height, width, inputs, outputs]; of a dense layer height and width are 1.
        moments: Centred second moments of its patches, [height * width * inputs] twice, damped.
        felt: Of each output, [outputs], above 0.
    """

    values: Array
    moments: Array
    felt: Array

    @property
    def window(self) -> Window:
        """Height and width."""
        return self.values.shape[0], self.values.shape[1]

    @cached_property
    def matrix(self) -> Array:
        """[patch, outputs]."""
        return self.values.reshape(-1, self.values.shape[-1])

    @cached_property
    def energy(self) -> float:
        """What moves the outputs, weighed by what is felt of them."""
        return self.error(np.zeros_like(self.matrix))

    def error(self, product: Array) -> float:
        """The energy that is lost when the matrix becomes `product` [patch, outputs]."""
        lost = self.matrix - product
        return float(np.einsum("io,io,o->", lost, self.moments @ lost, self.felt))

    def replaced(self, matrix: Array) -> Kernel:
        """A kernel with other weights, given as [patch, outputs]."""
        return Kernel(matrix.reshape(self.values.shape), self.moments, self.felt)


@dataclass(frozen=True, eq=False)
class Factors:
    """Two kernels whose product stands for one.

    Attributes:
        first: [height, width, inputs, rank].
        second: [height, width, rank, outputs].
        product: [patch, outputs] of the one kernel.
    """

    first: Array
    second: Array
    product: Array


def windows(window: Window, split: Split) -> tuple[Window, Window]:
    """Height and width of the first kernel, and of the second."""
    height, width = window
    parts = {"spatial": (height, 1), "input": (1, 1)}
    first = parts.get(split, window)
    return first, (height // first[0], width // first[1])


def splits(window: Window) -> tuple[Split, ...]:
    """The splits that differ for a window."""
    height, width = window
    if window == (1, 1):
        return ("channel",)
    return ("channel", "spatial", "input") if height > 1 and width > 1 else ("channel", "input")


def damped(moments: Array) -> Array:
    """The moments with a little of their mean on the diagonal; with 1 where nothing moves.

    Moments that were rounded to float32 on their way may have negative eigenvalues: as much more
    is added as makes them positive definite.
    """
    mean = float(np.trace(moments)) / len(moments)
    added = _DAMPING * mean if mean > _TINY else 1.0
    for _ in range(_ATTEMPTS):
        if _positive(moments + added * np.eye(len(moments))):
            break
        added *= 10
    return np.asarray(moments + added * np.eye(len(moments)))


def _positive(moments: Array) -> bool:
    try:
        np.linalg.cholesky(moments)
    except np.linalg.LinAlgError:
        return False
    return True


class Factoring:
    """A split of a kernel at any rank.

    Args:
        kernel: To be split.
        split: How.
    """

    def __init__(self, kernel: Kernel, split: Split) -> None:
        self._kernel = kernel
        self._first, self._second = windows(kernel.window, split)
        self._inputs, self._outputs = kernel.values.shape[2:]
        self._places = self._second[0] * self._second[1]
        blocks = self._blocks(kernel.moments)
        moments = sum(blocks[place, :, place] for place in range(self._places)) / self._places
        lower = np.linalg.cholesky(moments)
        weighed = lower.T @ self._split(kernel.matrix * np.sqrt(kernel.felt))
        left, self._values, _ = np.linalg.svd(weighed, full_matrices=False)
        self._directions = np.linalg.solve(lower.T, left)

    @property
    def most(self) -> int:
        """The rank from which on nothing is lost."""
        return len(self._values)

    def lost(self, ranks: Sequence[int]) -> list[float]:
        """The energy that is lost with each rank."""
        if self._places == 1:
            tail = np.append(np.cumsum(self._values[::-1] ** 2)[::-1], 0.0)
            return [float(tail[rank]) for rank in ranks]
        return [self._kernel.error(self.at(rank).product) for rank in ranks]

    def at(self, rank: int) -> Factors:
        """The kernels of a rank."""
        first = self._directions[:, :rank]
        whole = self._everywhere(first)
        moved = self._kernel.moments @ whole
        own = whole.T @ moved
        own = own + _SOLVING * float(np.trace(own)) / len(own) * np.eye(len(own))
        second = np.linalg.solve(own, moved.T @ self._kernel.matrix)
        return Factors(
            first.reshape(*self._first, self._inputs, rank),
            second.reshape(*self._second, rank, self._outputs),
            whole @ second,
        )

    def _order(self) -> tuple[int, ...]:
        """Sizes of a patch: each axis of the window is one of the first or one of the second."""
        (height, width), (rows, columns) = self._first, self._second
        return rows, height, columns, width, self._inputs

    def _blocks(self, moments: Array) -> Array:
        """[places, part, places, part] of [patch, patch]."""
        axes = (0, 2, 1, 3, 4)
        turned = moments.reshape(*self._order(), *self._order())
        turned = turned.transpose(*axes, *(axis + 5 for axis in axes))
        part = len(moments) // self._places
        return np.asarray(turned.reshape(self._places, part, self._places, part))

    def _split(self, matrix: Array) -> Array:
        """[part, places * outputs] of [patch, outputs]."""
        turned = matrix.reshape(*self._order(), -1).transpose(1, 3, 4, 0, 2, 5)
        return np.asarray(turned.reshape(len(matrix) // self._places, -1))

    def _everywhere(self, first: Array) -> Array:
        """The first kernel [part, rank] at all places of the second, [patch, places * rank]."""
        height, width, inputs = *self._first, self._inputs
        kernel, rank = first.reshape(height, width, inputs, -1), first.shape[1]
        rows, columns = self._second
        whole = np.einsum("ab,cd,hwir->ahcwibdr", np.eye(rows), np.eye(columns), kernel)
        return np.asarray(whole.reshape(-1, rows * columns * rank))
