"""A layer whose kernel is made of the blocks of a code book while it trains."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer
from edgekit.passes._product_book import assign, learn
from edgekit.passes._surgeon import damped, least_squares

Array = NDArray[Any]


class ProductBook:
    """The layer in place of one layer: the book trains, and which block goes where stays.

    Args:
        layer: Unwrapped, normalised, holding its weights.
        codes: In the book.
        length: Weights in a block; it divides the layer's inputs.

    Attributes:
        wrapper: To be called instead.
    """

    def __init__(self, layer: LiftedLayer, codes: int, length: int) -> None:
        self.layer, self.codes, self.length = layer, codes, length
        self._before = np.asarray(layer.layer.kernel)
        self.positions = self._before[..., 0].size // length
        self.wrapper = _class()(self)

    def fit(self, mine: Array, cross: Array, seed: int) -> None:
        """Find the book, put its blocks where they do best, and give the biases what goes with it.

        Args:
            mine: E[x x'] of the layer's inputs, with a 1 behind them.
            cross: E[x t'], where the layer is given t if no layer has a code book.
            seed: Of the first choice of codes.
        """
        scale = self.layer.scale
        assert scale is not None, "code books are made in the normalised form"
        factors = np.asarray(scale.scale, np.float64)
        flat = self._before.reshape(-1, self._before.shape[-1]).astype(np.float64)
        goal = np.vstack([flat, np.asarray(scale.bias) / factors if self._biased else 0 * factors])
        kept = np.ones(goal.shape, bool)
        kept[-1] = self._biased
        moments = damped(mine)
        wanted = least_squares(moments, (cross + moments - mine) @ goal, kept)
        blocks = wanted[:-1].reshape(self.positions, self.length, -1).transpose(0, 2, 1)
        book = learn(blocks, self._blocks_of(moments), factors**2, self.codes, seed)
        index, biases = assign(wanted, moments, book)
        self.wrapper.book.assign(book.ravel())
        self.wrapper.index.assign(index)
        if self._biased:
            scale.bias.assign(biases * factors)

    @property
    def _biased(self) -> bool:
        return self.layer.bias >= 0

    def _blocks_of(self, moments: Array) -> Array:
        places = np.arange(self.positions)
        grid = moments[:-1, :-1].reshape(self.positions, self.length, self.positions, self.length)
        return np.asarray(grid[places, :, places, :])

    def strip(self) -> None:
        """After training: give the layer the kernel for its own."""
        self.layer.layer.kernel.assign(self.wrapper.kernel())


@cache
def _class() -> Any:
    keras, tf = _tf.tf_keras(), _tf.tensorflow()

    class Product(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """The layer that is called; what it stands for is no part of it, or it would train, too."""

        def __init__(self, of: ProductBook) -> None:
            super().__init__(name=f"{of.layer.name}_blocks")
            kernel = of.layer.layer.kernel.shape
            self._shape, self._length, self._positions = tuple(kernel), of.length, of.positions
            # flat: the optimiser would take it for a kernel
            size, zeros = of.codes * of.length, "zeros"
            self.book = self.add_weight("book", (size,), initializer=zeros)
            self.index = self.add_weight(
                "index", (of.positions, kernel[-1]), tf.int32, initializer=zeros, trainable=False
            )
            dense = of.layer.kind == "Dense"
            self._product = _matrix if dense else of.layer.layer.convolution_op

        def kernel(self) -> Any:
            """In the layer's layout."""
            blocks = tf.gather(tf.reshape(self.book, [-1, self._length]), self.index)
            return tf.reshape(tf.transpose(blocks, [0, 2, 1]), self._shape)

        def call(self, x: Any) -> Any:
            """The outputs, without factors and biases."""
            return self._product(x, self.kernel())

    return Product


def _matrix(x: Any, kernel: Any) -> Any:
    return _tf.tensorflow().tensordot(x, kernel, [[-1], [0]])
