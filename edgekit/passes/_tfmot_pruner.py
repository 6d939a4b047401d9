"""TFMOT's `prune_low_magnitude` around layers, where it does what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer
from edgekit.passes import _masks
from edgekit.passes._keep import one_factor
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes._prune_steps import Steps
from edgekit.passes._zeros import zeros

_KINDS = ("Conv2D", "Conv2DTranspose", "Conv3D", "Dense")


def prunes(layer: LiftedLayer, own: PruneOptions) -> bool:
    """Whether TFMOT can: it lets no weights come back, and makes blocks of Dense layers alone."""
    if own.schedule == "splicing" or layer.kind not in _KINDS:
        return False
    return layer.kind == "Dense" or not own.blocks


class Wrappers:
    """What `lift` is to put around the layers that TFMOT can prune.

    Args:
        plans: Layer name -> its own options.
        steps: Layer name -> when its zeros are chosen.
    """

    def __init__(self, plans: Mapping[str, PruneOptions], steps: Mapping[str, Steps]) -> None:
        self._plans, self._steps = plans, steps
        self._made: dict[str, Any] = {}

    def wrap(self, layer: LiftedLayer) -> Any:
        """The layer in TFMOT's wrapper, if that is to prune it."""
        own = self._plans.get(layer.name)
        if own is None or not prunes(layer, own):
            return layer.layer
        one_factor(layer)
        settings: dict[str, Any] = {"block_size": own.block}
        if own.n_m:
            kept, of = own.pattern
            settings = {"sparsity_m_by_n": (of - kept, of)}
        schedule = _schedule(layer, own, self._steps[layer.name].counted(len(layer.ops)))
        wrapper = _tf.tfmot().sparsity.keras.prune_low_magnitude(
            layer.layer, pruning_schedule=schedule, **settings
        )
        self._made[layer.name] = wrapper
        return wrapper

    @property
    def names(self) -> set[str]:
        """Of the layers that were wrapped."""
        return set(self._made)

    def align_blocks(self) -> None:
        """Let our mask choose blocks, once the wrappers are built.

        Where blocks do not divide a kernel TFMOT (0.8.1) measures them from a padding on both
        sides, and removes them from the first weight on: others than those that it measured.
        """
        for name, wrapper in self._made.items():
            if self._plans[name].blocks:
                choice = _block_choice(wrapper, self._plans[name].block)
                wrapper.pruning_obj._maybe_update_block_mask = choice


def _block_choice(wrapper: Any, block: tuple[int, int]) -> Callable[[Any], tuple[float, Any]]:
    tf = _tf.tensorflow()

    def choose(weights: Any) -> tuple[float, Any]:
        sparsity = wrapper.pruning_schedule(wrapper.pruning_step)[1]
        kept = tf.numpy_function(
            lambda values, share: _masks.block_mask(values, float(share), block).astype("f4"),
            [weights, sparsity],
            tf.float32,
        )
        return 0.0, tf.reshape(kept, weights.shape)

    return choose


def _schedule(layer: LiftedLayer, own: PruneOptions, steps: Steps) -> Any:
    """TFMOT's schedule; it never begins below the zeros there are, which would let them grow."""
    keras = _tf.tfmot().sparsity.keras
    if own.schedule == "constant" or steps.begin == steps.end:
        return keras.ConstantSparsity(own.target, steps.begin, steps.end, steps.frequency)
    initial = first_share(layer, own)
    return keras.PolynomialDecay(
        initial, own.target, steps.begin, steps.end, frequency=steps.frequency
    )


def first_share(layer: LiftedLayer, own: PruneOptions) -> float:
    """The share of zeros that a schedule begins with: no less than there are."""
    there = (
        zeros(layer) + 0.25 / layer.kernel_array().size
    )  # of a weight: rounds to those there are
    return min(max(own.initial, there), own.target)
