"""Keeps what earlier passes promised while a later one trains: zeros, and code books."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer
from edgekit.bridge.weights import KINDS
from edgekit.passes.base import Candidate
from edgekit.passes.promises import Promise

Array = NDArray[Any]
LEVELS = 127  # of int8 weights on either side of zero
_LEAST_SCALE = 1e-8
_MOST_OCTAVES = 12
"""Between factors: on a smaller scale an int32 bias would not reach."""


def rescale(layer: LiftedLayer, scale: Array) -> None:
    """Give the layer behind the kernel other factors [output channels] for the same product."""
    kind, variable = KINDS[layer.op.name], layer.kernel_variable
    assert layer.scale is not None, "passes rescale the normalised form only"
    stored = kind.to_flatbuffer(np.asarray(variable))
    factor = np.asarray(layer.scale.scale) / scale
    stored = stored * factor.reshape(kind.per_channel(stored))
    variable.assign(kind.to_keras(stored, variable.shape[-1]))
    layer.scale.scale.assign(scale)


def one_factor(layer: LiftedLayer) -> None:
    """Give all channels of the layer the same factor: the kernel is a multiple of the file's."""
    assert layer.scale is not None, "passes rescale the normalised form only"
    factors = np.asarray(layer.scale.scale)
    rescale(layer, np.full_like(factors, factors.max()))


def octave_factors(layer: LiftedLayer) -> None:
    """Give the channels of the layer factors that are powers of two apart."""
    assert layer.scale is not None, "passes rescale the normalised form only"
    rescale(layer, octaves(np.asarray(layer.scale.scale)))


def octaves(factors: Array) -> Array:
    """Positive factors, each rounded to the largest one times a power of two."""
    largest = factors.max()
    steps = np.maximum(np.round(np.log2(factors / largest)), -_MOST_OCTAVES)
    return np.asarray(largest * np.exp2(steps), np.float32)


def octave_scale(layer: LiftedLayer) -> Array:
    """Scales [output channels], octaves apart, on which int8 holds the layer's weights as they are.

    Args:
        layer: Of any form.
    """
    kind = KINDS[layer.op.name]
    stored = np.moveaxis(kind.to_flatbuffer(layer.kernel_array()), kind.channel, 0)
    largest = np.abs(stored.reshape(len(stored), -1)).max(axis=1)
    top = max(float(largest.max()), _LEAST_SCALE)
    share = np.where(largest > 0, largest, top) / top  # a channel without weights may have any
    steps = np.maximum(np.ceil(np.log2(share) - 1e-6), -_MOST_OCTAVES)
    return np.asarray(top / LEVELS * np.exp2(steps), np.float32)


def fixed_apart(factors: Array) -> bool:
    """Whether positive factors of several channels are powers of two apart, and are to stay so."""
    steps = np.log2(factors / factors.max())
    return len(factors) > 1 and bool(np.allclose(steps, np.round(steps), atol=1e-5))


def of_kind(candidate: Candidate, layer: LiftedLayer, *kinds: str) -> tuple[Promise, ...]:
    """The promises of these kinds that were made for the layer's kernel."""
    return tuple(p for p in candidate.promises if p.tensor == layer.kernel and p.kind in kinds)


def sparse(candidate: Candidate, layer: LiftedLayer) -> bool:
    """Whether zeros of the layer's kernel were promised."""
    return bool(of_kind(candidate, layer, "sparsity", "block", "n_m"))


def clustered(candidate: Candidate, layer: LiftedLayer) -> bool:
    """Whether a code book of the layer's kernel was promised."""
    return bool(of_kind(candidate, layer, "distinct", "blocks"))


def keep(
    candidate: Candidate,
    lifted: Lifted,
    holding: Container[str] = (),
    above_zero: Sequence[Any] = (),
    constant: Sequence[Any] = (),
) -> Any:
    """A callback that holds the promises of `candidate` through the training of `lifted`.

    Code books are frozen: the factors of their channels and the biases train, but factors that are
    alike, or octaves apart, stay. Zeros stay zeros.

    Args:
        candidate: Before the training.
        lifted: Is trained.
        holding: Names of layers whose wrappers hold their promises themselves.
        above_zero: More variables that must not change their sign.
        constant: Variables that stay as they are.
    """
    layers = [layer for layer in lifted.layers if layer.name not in holding]
    frozen = [layer for layer in layers if clustered(candidate, layer)]
    for layer in frozen:
        if layer.kernel in candidate.weight_scales:
            rescale(layer, candidate.weight_scales[layer.kernel] * np.float32(LEVELS))
        layer.layer.trainable = False
    masked = [each for each in layers if each not in frozen and sparse(candidate, each)]
    kernels = [layer.kernel_variable for layer in masked]
    apart = [e for e in frozen if e.scale is not None and fixed_apart(np.asarray(e.scale.scale))]
    still = [*positive(apart), *constant]
    return after_each_step(kernels, [*positive(frozen), *above_zero], still)


def positive(layers: Sequence[LiftedLayer]) -> list[Any]:
    """The factors that must not change their sign, or a code book would get twice its values."""
    return [layer.scale.scale for layer in layers if layer.scale is not None]


def after_each_step(
    sparse_ones: Sequence[Any], above_zero: Sequence[Any], constant: Sequence[Any] = ()
) -> Any:
    """A callback: some stay zero where they are zero now, some above zero, some as they are."""
    tf, keras = _tf.tensorflow(), _tf.tf_keras()
    held = [(variable, tf.cast(variable != 0, tf.float32)) for variable in sparse_ones]
    still = [(variable, tf.constant(variable.numpy())) for variable in constant]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def hold() -> None:
        for variable, mask in held:
            variable.assign(variable * mask)
        for variable in above_zero:
            variable.assign(tf.maximum(variable, _LEAST_SCALE))
        for variable, value in still:
            variable.assign(value)

    return _callback(keras, hold if held or above_zero or still else lambda: None, held)


def _callback(keras: Any, work: Callable[[], None], held: Sequence[tuple[Any, Any]]) -> Any:
    class Hold(keras.callbacks.Callback):  # type: ignore[misc]
        """Does `work` after each optimiser step, and tells the optimiser what is `held`."""

        def on_train_begin(self, logs: Any = None) -> None:
            """Called by the training loop."""
            for variable, mask in held:
                self.model.optimizer.hold(variable, mask)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            """Called by the training loop."""
            work()

    return Hold()


def trained_scales(candidate: Candidate, lifted: Lifted) -> dict[int, Array]:
    """The `weight_scales` of `candidate` after its factors have trained."""
    found = {}
    for layer in lifted.layers:
        if layer.kernel not in candidate.weight_scales:
            continue
        if layer.scale is None:
            found[layer.kernel] = candidate.weight_scales[layer.kernel]
        elif clustered(candidate, layer):
            found[layer.kernel] = np.asarray(layer.scale.scale, np.float32) / np.float32(LEVELS)
        else:
            found[layer.kernel] = octave_scale(layer)
    return found


def code_scale(layer: LiftedLayer, levels: int = LEVELS) -> Array:
    """Scales [output channels] that make one integer code book of the kernel for all channels.

    Args:
        layer: In the normalised form.
        levels: Integers on either side of zero.
    """
    assert layer.scale is not None, "code books are made in the normalised form"
    largest = np.abs(np.asarray(layer.layer.kernel)).max()
    return np.asarray(layer.scale.scale, np.float32) * np.float32(largest / levels)
