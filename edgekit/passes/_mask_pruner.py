"""Masks over kernels while they train, for what TFMOT cannot prune, and for splicing.

In splicing a pruned weight keeps its value in the dark, where gradients still change it, and comes
back when it has grown. Of the two thresholds, a weight that is in goes below the lower one, and
one that is out comes back above the upper one, which is `margin` higher: so that none goes in and
out at every choice. Source: Guo et al. 2016 (Dynamic Network Surgery), arXiv:1608.04493.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer
from edgekit.passes import _wrapped as wrapped
from edgekit.passes import _zeros
from edgekit.passes._keep import one_factor
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes._prune_steps import Steps
from edgekit.passes._tfmot_pruner import first_share


@dataclass(frozen=True, eq=False)
class _Masked:
    """A kernel that is being pruned.

    Attributes:
        layer: It is of this layer.
        own: The layer's options.
        steps: When its zeros are chosen.
        initial: The share of zeros at the first of these.
        mask: 1 where a weight is in, a variable of the kernel's shape.
        shadow: All weights, those that are out too; likewise.
        open: 1 where gradients go; likewise.
    """

    layer: LiftedLayer
    own: PruneOptions
    steps: Steps
    initial: float
    mask: Any
    shadow: Any
    open: Any

    def choose(self, step: int) -> None:
        """Take weights out, and in splicing in."""
        share = self.own.target
        if self.own.schedule != "constant":
            share = self.steps.share(step, self.initial, share)
        inside = np.asarray(self.mask) != 0
        spliced = self.own.schedule == "splicing"
        margin = 1 + self.own.margin if spliced else np.inf
        scores = np.abs(np.asarray(self.shadow))
        kept = _zeros.kept(self.layer, np.where(inside, scores, scores / margin), share, self.own)
        self.mask.assign(kept.astype(np.float32))
        self.open.assign(self.mask if step >= self.steps.end or not spliced else self._all())
        self.layer.kernel_variable.assign(self.shadow * self.mask)

    def _all(self) -> Any:
        return _tf.tensorflow().ones_like(self.mask)


def callback(
    layers: Sequence[LiftedLayer], plans: Mapping[str, PruneOptions], steps: Mapping[str, Steps]
) -> Any:
    """A callback of tf_keras that prunes the layers while they train.

    Args:
        layers: In the normalised form, as they will be trained, not wrapped.
        plans: Layer name -> its own options.
        steps: Layer name -> when its zeros are chosen.
    """
    tf, keras = _tf.tensorflow(), _tf.tf_keras()
    masked = [_begun(layer, plans[layer.name], steps[layer.name]) for layer in layers]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def hold() -> None:
        for each in masked:
            kernel = each.layer.kernel_variable
            learned = kernel - each.shadow * each.mask
            each.shadow.assign_add(learned * each.open)
            kernel.assign(each.shadow * each.mask)

    class Prune(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Chooses zeros before a step, and holds them after it."""

        def on_train_begin(self, logs: Any = None) -> None:
            """Called by the training loop."""
            self.step = 0
            for each in masked:
                self.model.optimizer.hold(each.layer.kernel_variable, each.open)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            """Called by the training loop."""
            self.step += 1
            for each in masked:
                if each.steps.choose(self.step):
                    each.choose(self.step)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            """Called by the training loop."""
            hold()

    return Prune()


def _begun(layer: LiftedLayer, own: PruneOptions, steps: Steps) -> _Masked:
    """With the zeros that there are; they are magnitudes of the file that are compared."""
    tf = _tf.tensorflow()
    one_factor(layer)
    kernel = wrapped.kernel_of(layer)
    mask, shadow, open_ = (
        tf.Variable(value, trainable=False, dtype=tf.float32)
        for value in (kernel != 0, kernel, np.ones(kernel.shape))
    )
    return _Masked(layer, own, steps, first_share(layer, own), mask, shadow, open_)
