"""Augmentation done: batches changed at random inside the training graph, and repeatably.

Every draw is a stateless function of (seed, step), so that runs repeat exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from edgekit import _tf
from edgekit.training.augment import BLENDS, Input, takes

Batch = tuple[Any, ...]
Transform = Callable[[Batch, Any, Any], tuple[Batch, Any]]
"""(inputs, targets or None, step) -> (inputs, targets), all TensorFlow tensors."""


def build(transforms: dict[str, float], inputs: Sequence[Input], seed: int) -> Transform:
    """The graph function that does `transforms`.

    Args:
        transforms: As `augment.choose` gives them.
        inputs: Of the model.
        seed: Of every draw, together with the step.
    """

    def transform(batch: Batch, targets: Any, step: Any) -> tuple[Batch, Any]:
        random = _Random(seed, step)
        for name, value in transforms.items():
            if name in BLENDS:
                batch, targets = _BLEND[name](batch, targets, value, random)
            else:
                batch = tuple(
                    _DO[name](array, value, about, random) if takes(name, about) else array
                    for array, about in zip(batch, inputs, strict=True)
                )
        return batch, targets

    return transform


class _Random:
    """Draws of one step; each call is a stream of its own."""

    def __init__(self, seed: int, step: Any) -> None:
        self._tf = _tf.tensorflow()
        self._first = seed % 2**31 * 2**31
        self._step = self._tf.cast(step, self._tf.int64)

    def _seed(self) -> Any:
        self._first += 1
        return self._tf.stack([self._tf.constant(self._first, self._tf.int64), self._step])

    def uniform(self, shape: Any, low: Any, high: Any, dtype: str = "float32") -> Any:
        return self._tf.random.stateless_uniform(shape, self._seed(), low, high, dtype)

    def normal(self, shape: Any) -> Any:
        return self._tf.random.stateless_normal(shape, self._seed())

    def a_row(self, array: Any, low: float, high: float) -> Any:
        """Uniform, one a row of `array`: [B, 1, ...]."""
        return self.uniform([self._tf.shape(array)[0]] + [1] * (len(array.shape) - 1), low, high)


def _mix(batch: Batch, targets: Any, share: float, random: _Random) -> tuple[Batch, Any]:
    """Blend a share of the rows with another one, and their targets alike (arXiv:1710.09412)."""
    tf = _tf.tensorflow()
    count = tf.shape(batch[0])[0]
    partner = random.uniform([], 1, tf.maximum(count, 2), "int32")
    own = random.uniform([count], 0.5, 1.0)
    own = tf.where(random.uniform([count], 0.0, 1.0) < share, own, tf.ones_like(own))

    def blend(array: Any) -> Any:
        weight = tf.reshape(own, [-1] + [1] * (len(array.shape) - 1))
        return weight * array + (1 - weight) * tf.roll(array, partner, 0)

    return tuple(map(blend, batch)), None if targets is None else blend(targets)


def _cut(batch: Batch, targets: Any, share: float, random: _Random) -> tuple[Batch, Any]:
    """Put a part of another row into a share of the rows (CutMix, arXiv:1905.04899).

    The part is a box of pictures and a while of series, at the same place of all inputs; targets
    are blended by its size, which is uniform before the edges cut it off.
    """
    tf = _tf.tensorflow()
    count = tf.shape(batch[0])[0]
    partner = random.uniform([], 1, tf.maximum(count, 2), "int32")
    size = random.uniform([count, 1], 0.0, 1.0)
    size = tf.where(random.uniform([count, 1], 0.0, 1.0) < share, size, tf.zeros_like(size))
    middle = [random.uniform([count, 1], 0.0, 1.0) for _ in range(2)]

    def inside(array: Any) -> Any:
        axes = len(array.shape) - 2
        within = tf.ones([count] + [1] * (axes + 1))
        for axis in range(axes):
            places = (tf.range(array.shape[axis + 1], dtype=tf.float32) + 0.5)[None]
            away = tf.abs(places / array.shape[axis + 1] - middle[axis])
            shape = [-1] + [1] * axis + [array.shape[axis + 1]] + [1] * (axes - axis)
            within *= tf.reshape(tf.cast(away < size ** (1 / axes) / 2, tf.float32), shape)
        return within

    parts = [inside(array) for array in batch]
    pasted = [
        part * tf.roll(a, partner, 0) + (1 - part) * a for part, a in zip(parts, batch, strict=True)
    ]
    if targets is not None:
        theirs = sum(tf.reduce_mean(part, range(1, len(part.shape))) for part in parts) / len(parts)
        weight = tf.reshape(theirs, [-1] + [1] * (len(targets.shape) - 1))
        targets = weight * tf.roll(targets, partner, 0) + (1 - weight) * targets
    return tuple(pasted), targets


_BLEND = {"mix": _mix, "cut": _cut}


def _flip(array: Any, value: float, about: Input, random: _Random, axis: int = 2) -> Any:
    tf = _tf.tensorflow()
    return tf.where(random.a_row(array, 0, 1) < 0.5, tf.reverse(array, [axis]), array)


def _flip_vertical(array: Any, value: float, about: Input, random: _Random) -> Any:
    return _flip(array, value, about, random, axis=1)


def _time_shift(array: Any, value: float, about: Input, random: _Random, axis: int = 1) -> Any:
    """Move each row by up to `value` places along `axis`; the edge is mirrored into the gap."""
    tf = _tf.tensorflow()
    last = array.shape[axis] - 1
    offset = random.uniform([tf.shape(array)[0], 1], -int(value), int(value) + 1, "int32")
    places = tf.abs(tf.range(last + 1)[None] + offset)
    return tf.gather(array, last - tf.abs(last - places), axis=axis, batch_dims=1)


def _shift(array: Any, value: float, about: Input, random: _Random) -> Any:
    return _time_shift(_time_shift(array, value, about, random), value, about, random, axis=2)


def _noise(array: Any, value: float, about: Input, random: _Random) -> Any:
    tf = _tf.tensorflow()
    width = tf.constant(value * about.deviation, tf.float32)  # type: ignore[operator]
    return array + width * random.normal(tf.shape(array))


def _scale(array: Any, value: float, about: Input, random: _Random) -> Any:
    return array * random.a_row(array, 1 - value, 1 + value)


_DO: dict[str, Callable[..., Any]] = {
    "flip": _flip,
    "flip_vertical": _flip_vertical,
    "shift": _shift,
    "time_shift": _time_shift,
    "noise": _noise,
    "scale": _scale,
}
