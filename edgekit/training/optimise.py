"""How weights are changed: Muon with its schedule, and gradients that may not leap."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from edgekit import _tf

WARM_UP = 0.05
"""Share of the steps in which the learning rate rises to its peak."""
MEMORY = 0.98
"""Weight of the mean's past: it spans about 50 steps."""
SMALLEST = 1e-12
MOMENTUM = 0.95
"""Of matrices, with Nesterov's step."""
MEAN_DECAY, SQUARE_DECAY = 0.9, 0.999
"""Of Adam (Kingma and Ba 2014, arXiv:1412.6980), for what is no matrix."""
AS_ADAM = 0.2
"""Root mean square of a matrix' change in units of the learning rate: Adam's (arXiv:2502.16982)."""
_ITERATION = 3.4445, -4.7750, 2.0315  # of the odd polynomial that takes singular values near 1
_ITERATIONS = 5


def muon(rate: float, steps: int) -> Any:
    """Muon whose rate rises in the first twentieth of the steps and falls to 0 on a cosine.

    The momentum of a kernel, as a matrix [inputs, outputs], is made orthogonal before it is taken
    off, so that directions in which gradients are small are learned, too (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon; scaled as in arXiv:2502.16982). Biases, factors,
    code books and depthwise kernels go by Adam.

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
    return _muon_class()(schedule)


@cache
def _muon_class() -> Any:
    tf, keras = _tf.tensorflow(), _tf.tf_keras()

    class Muon(keras.optimizers.Optimizer):  # type: ignore[misc, name-defined]
        """Of tf_keras."""

        def __init__(self, learning_rate: Any) -> None:
            super().__init__("muon", jit_compile=False)
            self._learning_rate = self._build_learning_rate(learning_rate)
            self._masks: dict[Any, Any] = {}

        def hold(self, variable: Any, mask: Any) -> None:
            """Leave weights out where `mask` is 0, before the first step.

            What weights that stay zero would like to be must not turn the others' directions.
            """
            self._masks[self._var_key(variable)] = mask

        def build(self, var_list: Any) -> None:
            """Called with all variables before the first step."""
            super().build(var_list)
            if getattr(self, "_built", False):
                return
            self._built = True
            self._means = [self.add_variable_from_reference(v, "mean") for v in var_list]
            self._squares = [
                None if _is_matrix(v) else self.add_variable_from_reference(v, "square")
                for v in var_list
            ]

        def update_step(self, gradient: Any, variable: Any) -> None:
            """One variable."""
            key = self._var_key(variable)
            gradient = tf.convert_to_tensor(gradient)  # of code books it comes in slices
            gradient = gradient * self._masks[key] if key in self._masks else gradient
            index = self._index_dict[key]
            mean, square = self._means[index], self._squares[index]
            rate = tf.cast(self.learning_rate, variable.dtype)
            if square is None:
                mean.assign(MOMENTUM * mean + (1 - MOMENTUM) * gradient)
                ahead = MOMENTUM * mean + (1 - MOMENTUM) * gradient
                variable.assign_sub(rate * _orthogonal(ahead))
                return
            step = tf.cast(self.iterations + 1, variable.dtype)
            mean.assign(MEAN_DECAY * mean + (1 - MEAN_DECAY) * gradient)
            square.assign(SQUARE_DECAY * square + (1 - SQUARE_DECAY) * tf.square(gradient))
            root = tf.sqrt(square / (1 - SQUARE_DECAY**step))
            variable.assign_sub(rate * mean / (1 - MEAN_DECAY**step) / (root + 1e-7))

        def get_config(self) -> dict[str, Any]:
            """None: these models are never saved."""
            return {}

    return Muon


def _is_matrix(variable: Any) -> bool:
    shape = tuple(variable.shape)
    if len(shape) < 2 or "depthwise" in variable.name:
        return False
    inputs = 1
    for size in shape[:-1]:
        inputs *= size
    return bool(min(inputs, shape[-1]) > 1)


def _orthogonal(momentum: Any) -> Any:
    """U V' of the momentum's U S V', as large as a step of Adam; its singular values to 0.7-1.2."""
    tf = _tf.tensorflow()
    flat = tf.reshape(momentum, [-1, momentum.shape[-1]])
    wide = flat.shape[0] < flat.shape[1]
    x = tf.transpose(flat) if wide else flat  # the small side's products are the cheap ones
    x = x / (tf.norm(x) + SMALLEST)
    first, third, fifth = _ITERATION
    for _ in range(_ITERATIONS):
        gram = tf.matmul(x, x, transpose_a=True)
        x = first * x + tf.matmul(x, third * gram + fifth * tf.matmul(gram, gram))
    x = tf.transpose(x) if wide else x
    return tf.reshape(x * (AS_ADAM * float(max(flat.shape)) ** 0.5), momentum.shape)


class Clip:
    """Clips gradients by their global norm (Pascanu et al. 2013, arXiv:1211.5063).

    The limit follows the mean norm of recent steps: what is usual differs between models by
    orders of magnitude, and a limit that always cuts makes all steps alike.

    Args:
        leap: Times that mean which a norm may be; 0: any.
    """

    def __init__(self, leap: float) -> None:
        self._leap = leap
        self._mean = _tf.tensorflow().Variable(0.0, trainable=False)

    def __call__(self, gradients: Sequence[Any], step: Any) -> list[Any]:
        """The gradients (None for a weight without) of step 1, 2, ..., clipped."""
        if not self._leap:
            return list(gradients)
        tf = _tf.tensorflow()
        norm = tf.linalg.global_norm(gradients)
        mean = self._mean.assign(MEMORY * self._mean + (1 - MEMORY) * norm)
        usual = mean / (1 - MEMORY ** tf.cast(step, tf.float32))
        limit = tf.maximum(self._leap * usual, SMALLEST)
        return list(tf.clip_by_global_norm(gradients, limit, norm)[0])


class Coarse:
    """Rounds gradients at random to few bits, so that their mean is kept.

    Each gradient becomes whole steps of its largest magnitude / (2^(bits - 1) - 1), up or down with
    the probability that makes up for it: DoReFa's rounding (Zhou et al. 2016, arXiv:1606.06160,
    equation 12), here of the gradients of weights, as devices that train exchange or store them.

    Args:
        bits: 2 or more; 0: gradients are left as they are.
        seed: Of the choices, with the number of the step.
    """

    def __init__(self, bits: int, seed: int) -> None:
        self._largest, self._seed = float((1 << max(bits - 1, 0)) - 1), seed

    def __call__(self, gradients: Sequence[Any], step: Any) -> list[Any]:
        """The gradients (None for a weight without) of step 1, 2, ..., rounded."""
        if not self._largest:
            return list(gradients)
        return [
            None if each is None else self._rounded(each, step, place)
            for place, each in enumerate(gradients)
        ]

    def _rounded(self, gradient: Any, step: Any, place: int) -> Any:
        tf = _tf.tensorflow()
        gradient = tf.convert_to_tensor(gradient)  # of code books it comes in slices
        unit = tf.maximum(tf.reduce_max(tf.abs(gradient)), SMALLEST) / self._largest
        seeds = tf.stack([tf.cast(step, tf.int64), tf.constant(self._seed + place, tf.int64)])
        chance = tf.random.stateless_uniform(tf.shape(gradient), seeds, dtype=gradient.dtype)
        return tf.floor(gradient / unit + chance) * unit
