"""A matrix of weights with what turns its sums into outputs, and what is known of both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.requantize import Multipliers, multiply


@dataclass(frozen=True, eq=False)
class Matrix:
    """A matrix of weights with what turns sums into outputs.

    Attributes:
        weights: int8 [channels, depth].
        bias: int32 [channels], zero point not folded in; or several sets, [sets, channels].
        by: A factor for each channel, or one for all.
        zero_in: Zero point of the inputs.
        zero_out: Zero point of the outputs.
        low: Least output.
        high: Greatest output.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    by: Multipliers
    zero_in: int
    zero_out: int
    low: int
    high: int

    @property
    def channels(self) -> int:
        """Outputs of a column."""
        return len(self.weights)

    @property
    def depth(self) -> int:
        """Inputs of a column."""
        return int(self.weights.shape[1])

    def take(self, channels: NDArray[np.int64]) -> Matrix:
        """The same with some of its channels."""
        by = self.by if len(self.by) == 1 else self.by.take(channels)
        bias = np.ascontiguousarray(self.bias[..., channels])
        return replace(self, weights=self.weights[channels], bias=bias, by=by)

    def folded_bias(self) -> NDArray[np.int32]:
        """Biases for inputs that keep their zero point."""
        sums = self.weights.astype(np.int64).sum(axis=1)
        return _int32(self.bias.astype(np.int64) - self.zero_in * sums)

    def reach(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The least and the greatest sum that each channel can have, int64 as `bias`."""
        low, high = -128 - self.zero_in, 127 - self.zero_in
        weights = self.weights.astype(np.int64)
        positive = np.maximum(weights, 0).sum(axis=1)
        negative = np.minimum(weights, 0).sum(axis=1)
        bottom = self.bias + positive * low + negative * high
        return np.asarray(bottom), np.asarray(self.bias + positive * high + negative * low)

    def widest(self) -> NDArray[np.int64]:
        """The greatest magnitude that the sum of each channel can have, int64 as `bias`."""
        bottom, top = self.reach()
        return np.asarray(np.maximum(np.abs(bottom), np.abs(top)))

    def outputs(self, sums: NDArray[np.int64]) -> NDArray[np.int64]:
        """Outputs for sums [..., channels]."""
        return np.clip(multiply(sums, self.by) + self.zero_out, self.low, self.high)

    def settled(self) -> Matrix:
        """The same, without weights and with plain factors where an output is always the same.

        Training leaves such channels: with weights of zero, or cut off by their activation whatever
        the input; with biases and scales that no fast kernel can hold.
        """
        bottom, top = self.reach()
        value = self.outputs(bottom)
        still = (value == self.outputs(top)) & (self.widest() < 1 << 31)
        still = still.reshape(-1, self.channels).all(axis=0)
        by = self.by
        if not still.any():
            return self
        if len(by) == 1:
            by = by.take(np.zeros(self.channels, np.int64))
        # a quarter of a multiple of four rounds to nothing else
        return replace(
            self,
            weights=np.where(still[:, None], 0, self.weights).astype(np.int8),
            bias=np.where(still, 4 * (value - self.zero_out), self.bias).astype(np.int32),
            by=Multipliers(
                np.where(still, 1 << 30, by.multiplier).astype(np.int32),
                np.where(still, -1, by.shift).astype(np.int32),
            ),
        )


def _int32(values: NDArray[np.int64]) -> NDArray[np.int32]:
    return (((values + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)).astype(np.int32)
