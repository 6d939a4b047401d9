"""A layer whose kernel is drawn from a code book while it trains: TFMOT's wrapper, and around it
what edgekit does otherwise.

- `cluster_weights` counts the weights of a channel by the layer's last weight, which is the
  kernel where the layer has no bias, and then clusters no channel: the wrapper is used directly.
- Its k-means++ only draws the centroids; the iterations that make it k-means are done here.
- The zeros to be kept are those that there were, not those that the first centroids made.
- Where there are as many values as integers that may stand for them, the values are evenly spaced
  and stay so: the training then knows what will be stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer
from edgekit.passes._assign import assign
from edgekit.passes._keep import LEVELS
from edgekit.passes._surgeon import damped, least_squares
from edgekit.quantizers._steps import even_step

Array = NDArray[Any]
_WRAPPER = "tensorflow_model_optimization.python.core.clustering.keras.cluster_wrapper"
_INITS = {
    "kmeans++": "KMEANS_PLUS_PLUS",
    "linear": "LINEAR",
    "density": "DENSITY_BASED",
    "random": "RANDOM",
}
_ITERATIONS = 30
_KERNEL = "kernel"


class CodeBook:
    """The wrapper around one layer.

    Args:
        layer: Unwrapped, normalised, holding its weights.
        clusters: Values in the code book.
        init: A key of TFMOT's ways to begin: `kmeans++`, `linear`, `density`, `random`.
        per_channel: One code book for each output channel; for `Conv2D` alone.
        zeros: Whether zeros are kept, as one of the values.
        levels: Integers on either side of zero that stand for the values.
    """

    def __init__(
        self,
        layer: LiftedLayer,
        clusters: int,
        init: str,
        *,
        per_channel: bool,
        zeros: bool,
        levels: int = LEVELS,
    ) -> None:
        self.layer, self._init, self._zeros, self._levels = layer, init, zeros, levels
        self._even = 2 * levels + 1 <= clusters and not per_channel
        clusters = 2 * levels + 1 if self._even else clusters
        self._before = np.asarray(layer.layer.kernel)
        keras = _tf.tfmot().clustering.keras
        self.wrapper = _tf.module(_WRAPPER).ClusterWeights(
            layer.layer,
            number_of_clusters=clusters,
            cluster_centroids_init=getattr(keras.CentroidInitialization, _INITS[init]),
            preserve_sparsity=zeros,
            cluster_per_channel=per_channel,
        )

    def settle(self) -> None:
        """Before training: finish what TFMOT began. The wrapper has been called by now."""
        tf = _tf.tensorflow()
        centroids = self.wrapper.cluster_centroids[_KERNEL]
        if self._even:
            steps = np.arange(-self._levels, self._levels + 1, dtype=np.float32)
            centroids.assign(np.reshape(steps * even_step(self._before, self._levels), (-1,)))
        elif self._init == "kmeans++":
            rows = np.atleast_2d(np.asarray(centroids))  # of one channel, or of them all
            values = self._before.reshape(-1, len(rows)).T
            found = [k_means(*pair, self._zeros) for pair in zip(values, rows, strict=True)]
            centroids.assign(np.reshape(found, centroids.shape))
        if self._zeros:
            self.wrapper.sparsity_masks[_KERNEL] = tf.constant(self._before != 0, tf.float32)

    def snap(self, mine: Array, cross: Array) -> None:
        """Give the weights the values that do best together, and the biases what goes with them.

        Args:
            mine: E[x x'] of the layer's inputs, with a 1 behind them.
            cross: E[x t'], where the layer is given t if no layer has a code book.
        """
        before = self._before.reshape(-1, self._before.shape[-1])
        codes = self._codes(before.shape[1])
        found = snapped(self.layer, before, codes, self._zeros, mine, cross)
        variable = self.wrapper.original_clusterable_weights[_KERNEL]
        variable.assign(found.reshape(variable.shape))

    def _codes(self, channels: int) -> Array:
        """The values of each output channel, [channels, values]."""
        values = np.atleast_2d(np.asarray(self.wrapper.cluster_centroids[_KERNEL]))
        return np.broadcast_to(values, (channels, values.shape[1]))

    @property
    def constant(self) -> list[Any]:
        """Variables that do not train."""
        return [self.wrapper.cluster_centroids[_KERNEL]] if self._even else []

    def strip(self) -> None:
        """After training: give the layer the clustered kernel for its own.

        With fewer integers than int8 has, the values become multiples of the largest's share, as
        the int8 file will have them.
        """
        self.wrapper.update_clustered_weights_associations()
        clustered = np.array(self.layer.layer.kernel)
        if self._even:
            top = float(np.abs(np.asarray(self.constant[0])).max())
            largest = np.unravel_index(np.abs(clustered).argmax(), clustered.shape)
            clustered[largest] = np.copysign(top, clustered[largest])  # it tells the step
        elif self._levels < LEVELS:
            step = np.abs(clustered).max() / np.float32(self._levels)
            clustered = np.round(clustered / step) * step
        variable = self.wrapper.original_clusterable_weights[_KERNEL]
        variable.assign(clustered)
        self.layer.layer.kernel = variable


def snapped(
    layer: LiftedLayer, before: Array, codes: Array, zeros: bool, mine: Array, cross: Array
) -> Array:
    """Weights [inputs, outputs] of the values that do best together; the bias is what goes with it.

    Args:
        layer: In the normalised form.
        before: Its weights, [inputs, outputs].
        codes: Values that they may have, ascending, [outputs, values].
        zeros: Whether zeros stay.
        mine: E[x x'] of the layer's inputs, with a 1 behind them.
        cross: E[x t'], where the layer is given t if no layer has a code book.
    """
    scale = layer.scale
    assert scale is not None, "code books are made in the normalised form"
    goal = np.vstack([before.astype(np.float64), np.zeros(scale.scale.shape)])
    kept = goal != 0 if zeros else np.ones(goal.shape, bool)
    kept[-1] = biased = layer.bias >= 0
    if biased:
        goal[-1] = np.asarray(scale.bias) / np.asarray(scale.scale)
    moments = damped(mine)
    wanted = least_squares(moments, (cross + moments - mine) @ goal, kept)
    found = assign(wanted, moments, kept, codes)
    if biased:
        scale.bias.assign(found[-1] * np.asarray(scale.scale))
    return found[:-1]


def k_means(values: Array, centroids: Array, zeros: bool) -> Array:
    """The centroids after Lloyd's iterations, ascending (Lloyd 1982, doi:10.1109/TIT.1982.1056489).

    Args:
        values: To be clustered, flat.
        centroids: To begin with, flat; one that comes to have no values stays where it is.
        zeros: Whether the centroid nearest to zero is zero and stays so.
    """
    found = np.sort(centroids.astype(np.float64))
    fixed = int(np.abs(found).argmin()) if zeros else -1
    for _ in range(_ITERATIONS):
        if zeros:
            found[fixed] = 0
        nearest = np.searchsorted((found[1:] + found[:-1]) / 2, values)
        counts = np.bincount(nearest, minlength=len(found))
        sums = np.bincount(nearest, weights=values, minlength=len(found))
        found = np.where(counts > 0, sums / np.maximum(counts, 1), found)
    if zeros:
        found[fixed] = 0
    return found.astype(np.float32)
