"""How weights are changed: Adam with its schedule, and gradients that may not leap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgekit import _tf

WARM_UP = 0.05
"""Share of the steps in which the learning rate rises to its peak."""
LEAP = 5.0
"""Times its recent mean that the norm of a gradient may be."""
MEMORY = 0.98
"""Weight of the mean's past: it spans about 50 steps."""
SMALLEST = 1e-12


def adam(rate: float, steps: int) -> Any:
    """Adam whose rate rises in the first twentieth of the steps and falls to 0 on a cosine.

    Args:
        rate: At the peak.
        steps: In all.
    """
    keras = _tf.tf_keras()
    rise = int(WARM_UP * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 10 if rise else rate,
        max(steps - rise, 1),
        warmup_target=rate if rise else None,
        warmup_steps=rise,
    )
    return keras.optimizers.Adam(schedule, jit_compile=False)


class Clip:
    """Clips gradients by their global norm (Pascanu et al. 2013, arXiv:1211.5063).

    The limit follows the mean norm of recent steps: what is usual differs between models by
    orders of magnitude, and a limit that always cuts makes all steps alike.
    """

    def __init__(self) -> None:
        self._mean = _tf.tensorflow().Variable(0.0, trainable=False)

    def __call__(self, gradients: Sequence[Any], step: Any) -> list[Any]:
        """The gradients (None for a weight without) of step 1, 2, ..., clipped."""
        tf = _tf.tensorflow()
        norm = tf.linalg.global_norm(gradients)
        mean = self._mean.assign(MEMORY * self._mean + (1 - MEMORY) * norm)
        usual = mean / (1 - MEMORY ** tf.cast(step, tf.float32))
        limit = tf.maximum(LEAP * usual, SMALLEST)
        return list(tf.clip_by_global_norm(gradients, limit, norm)[0])
