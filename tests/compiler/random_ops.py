"""Random int8 models of one convolution, dense layer or addition, whatever a file may say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from made_tflite import Made, Step, build, conv_options, options

Rng = np.random.Generator
_LIMITS = schema.ActivationFunctionType
ACTIVATIONS = (_LIMITS.NONE, _LIMITS.RELU, _LIMITS.RELU6, _LIMITS.RELU_N1_TO_1)
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID


def convolution(rng: Rng) -> bytes:
    """CONV_2D: sides, steps and dilations that differ, any number of channels."""
    size, taps, window = _window(rng)
    channels, outputs = _channels(rng), _channels(rng)
    weights = _weights(rng, (outputs, *taps, channels))
    tensors = _convolved(rng, (1, *size, channels), weights, outputs, window[0], axis=0)
    return build(
        tensors, [Step("CONV_2D", _read(tensors), (1,), conv_options(**window[1]))], (0,), (1,)
    )


def depthwise(rng: Rng) -> bytes:
    """DEPTHWISE_CONV_2D with up to four outputs a channel."""
    size, taps, window = _window(rng)
    many, channels = int(rng.choice([1, 1, 2, 3, 4])), _channels(rng)
    weights = _weights(rng, (1, *taps, channels * many))
    tensors = _convolved(rng, (1, *size, channels), weights, channels * many, window[0], axis=3)
    made = options("DepthwiseConv2D", depthMultiplier=many, **window[1])
    return build(tensors, [Step("DEPTHWISE_CONV_2D", _read(tensors), (1,), made)], (0,), (1,))


def dense(rng: Rng) -> bytes:
    """FULLY_CONNECTED of one or several rows, a scale for all or for each output, bias or none."""
    rows, depth, outputs = int(rng.choice([1, 1, 1, 3])), int(rng.integers(1, 90)), _channels(rng)
    weights = _weights(rng, (outputs, depth))
    each = bool(rng.random() < 0.4)
    tensors = _summed(rng, (rows, depth), (rows, outputs), weights, outputs if each else 1, 0)
    made = options("FullyConnected", fusedActivationFunction=int(rng.choice(ACTIVATIONS[:3])))
    return build(tensors, [Step("FULLY_CONNECTED", _read(tensors), (1,), made)], (0,), (1,))


def addition(rng: Rng) -> bytes:
    """ADD of two inputs of one shape, scales far from each other."""
    shape = (1, *(int(size) for size in rng.integers(1, 7, int(rng.integers(1, 4)))))
    tensors = [Made(name, shape, "INT8", None, *_real(rng)) for name in ("x", "y", "sum")]
    made = options("Add", fusedActivationFunction=int(rng.choice(ACTIVATIONS[:3])))
    return build(tensors, [Step("ADD", (0, 1), (2,), made)], (0, 1), (2,))


OPERATIONS: tuple[Callable[[Rng], bytes], ...] = (
    convolution,
    convolution,
    depthwise,
    dense,
    addition,
)


def random_operation(seed: int) -> bytes:
    """A model of one operation."""
    rng = np.random.default_rng(seed)
    return OPERATIONS[int(rng.integers(len(OPERATIONS)))](rng)


Pair = tuple[int, int]


def _window(rng: Rng) -> tuple[Pair, Pair, tuple[Pair, dict[str, int]]]:
    """Input, kernel, and (output, options)."""
    sides = [_side(rng) for _ in range(2)]
    same = bool(rng.random() < 0.6 or any(reach > size for size, _, _, _, reach in sides))
    out = [
        -(-size // step) if same else (size - reach + step) // step
        for size, _, step, _, reach in sides
    ]
    (high, tall, down, gap, _), (wide, broad, right, hole, _) = sides
    made = {
        **{"strideH": down, "strideW": right, "dilationHFactor": gap, "dilationWFactor": hole},
        "padding": SAME if same else VALID,
        "fusedActivationFunction": int(rng.choice(ACTIVATIONS)),
    }
    return (high, wide), (tall, broad), ((out[0], out[1]), made)


def _side(rng: Rng) -> tuple[int, int, int, int, int]:
    """Along one axis: size of the input, taps, stride, dilation, what the taps span."""
    size, taps = int(rng.choice([1, 2, 3, 5, 8, 11])), int(rng.choice([1, 1, 2, 3, 3, 5]))
    step, dilation = int(rng.choice([1, 1, 2, 3])), int(rng.choice([1, 1, 1, 2, 3]))
    return size, taps, step, dilation, (taps - 1) * dilation + 1


def _channels(rng: Rng) -> int:
    return int(rng.choice([1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 24, 33]))


def _weights(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Of any values, of the least and the greatest, of few, of many zeros."""
    kind = rng.random()
    if kind < 0.15:
        return rng.choice(np.array([-128, 127], np.int8), shape)
    if kind < 0.3:
        return rng.choice(rng.integers(-127, 128, 5).astype(np.int8), shape)
    drawn = rng.integers(-127, 128, shape) * (rng.random(shape) < (0.2 if kind < 0.45 else 1))
    return drawn.astype(np.int8)


def _convolved(
    rng: Rng, shape: tuple[int, ...], weights: np.ndarray, outputs: int, size: Pair, axis: int
) -> list[Made]:
    each = outputs if rng.random() < 0.85 else 1
    return _summed(rng, shape, (1, *size, outputs), weights, each, axis)


def _summed(
    rng: Rng,
    shape: tuple[int, ...],
    out: tuple[int, ...],
    weights: np.ndarray,
    scales: int,
    axis: int,
) -> list[Made]:
    """Input, output, weights, and mostly biases; sums stay below 2**30, as real ones do."""
    (scale,), zero = _real(rng)
    steps = np.exp(rng.uniform(np.log(1e-4), np.log(0.1), scales))
    spread = max(
        1.0, 73 * float(np.sqrt((weights.astype(float) ** 2).mean() * weights.size / out[-1]))
    )
    # what a sum is multiplied with: mostly such that outputs are spread over their range
    factor = np.exp(rng.uniform(np.log(5), np.log(90))) / spread
    if rng.random() < 0.15:
        factor = np.exp(rng.uniform(np.log(1e-6), np.log(min(1.5, 1e4 / spread))))
    tensors = [
        Made("x", shape, "INT8", None, (scale,), zero),
        Made("y", out, "INT8", None, (float(scale * steps.max() / factor),), _zero(rng)),
        Made("w", weights.shape, "INT8", weights, tuple(steps.tolist()), (0,) * scales, axis),
    ]
    if rng.random() < 0.85:
        most = int(rng.choice([1, spread, spread, 4 * spread, 1 << 20, 1 << 28]))
        bias = rng.integers(-most, most + 1, out[-1]).astype(np.int32)
        of = tuple((steps * scale).tolist())
        tensors.append(Made("b", bias.shape, "INT32", bias, of, (0,) * scales))
    return tensors


def _read(tensors: list[Made]) -> tuple[int, ...]:
    return (0, *range(2, len(tensors)))


def _real(rng: Rng) -> tuple[tuple[float], tuple[int]]:
    return (float(np.exp(rng.uniform(np.log(1e-3), 0))),), _zero(rng)


def _zero(rng: Rng) -> tuple[int]:
    return (int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))])),)
