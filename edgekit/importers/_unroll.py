"""Recurrent layers traced step by step: calibrators and microcontrollers take no loops.

Keras computes LSTM, GRU and their like in a loop over time, which becomes a WHILE op. With
`unroll` every step has ops of its own: more of them, but each can be calibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from edgekit import _tf

LONGEST = 128  # steps; beyond, the flatbuffer and the time to build it grow out of hand


@contextmanager
def unrolled(model: Any, keras: Any) -> Iterator[dict[str, int]]:
    """While the block traces `model`, its recurrent layers have no loop over up to `LONGEST` steps.

    Args:
        model: Keras 3 or tf_keras; as before afterwards.
        keras: The module it belongs to.

    Yields:
        Name of each layer that the trace unrolled -> its steps; filled by the trace.
    """
    found: dict[str, int] = {}
    layers = [each for each in model._flatten_layers() if _unrolls(each, keras)]
    for layer in layers:
        layer.__dict__["call"] = _stepwise(layer, layer.call, found)
    try:
        yield found
    finally:
        for layer in layers:
            layer.__dict__.pop("call", None)


def _unrolls(layer: Any, keras: Any) -> bool:
    # The convolutional ones of Keras 2 have the attribute, but do not look at it
    deaf = keras.__version__.startswith("2") and hasattr(layer, "rank")
    return isinstance(layer, keras.layers.RNN) and not deaf


def _stepwise(layer: Any, call: Callable[..., Any], found: dict[str, int]) -> Callable[..., Any]:
    @wraps(call)
    def stepwise(sequences: Any, *arguments: Any, **keywords: Any) -> Any:
        steps = _steps(layer, sequences)
        masked = keywords.get("mask") is not None
        if steps is None or steps > LONGEST or layer.unroll or (masked and _misplaces_mask(layer)):
            return call(sequences, *arguments, **keywords)
        with _set(layer, "unroll", True), _set(layer, "_could_use_gpu_kernel", False):
            result = call(sequences, *arguments, **keywords)
        found[layer.name] = steps
        return result

    return stepwise


def _misplaces_mask(layer: Any) -> bool:
    # Unrolled, Keras turns the outputs of a layer that runs backwards around, but not the mask
    # that it then lays over them (Keras 3.15, tf_keras 2.21)
    return bool(layer.go_backwards and getattr(layer, "zero_output_for_mask", False))


def _steps(layer: Any, sequences: Any) -> int | None:
    shape = _tf.tensorflow().nest.flatten(sequences)[0].shape
    steps = shape[0 if getattr(layer, "time_major", False) else 1]
    return None if steps is None else int(steps)


@contextmanager
def _set(layer: Any, name: str, value: bool) -> Iterator[None]:
    """Give an attribute another value for a while, where the layer has it."""
    before = getattr(layer, name, None)
    if before is not None:
        setattr(layer, name, value)
    try:
        yield
    finally:
        if before is not None:
            setattr(layer, name, before)
