from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from made_tflite import Made, conv_options, one_op, options, small_net
from numpy.typing import NDArray

from edgekit.cli import main
from edgekit.graph.accumulators import Accumulator, accumulators
from edgekit.graph.read import read


def dense(weights: NDArray[np.int8], bias: list[int], zero: int, dtype: str = "INT8") -> bytes:
    """A dense layer whose input has this zero point."""
    wide = np.int64 if dtype == "INT16" else np.int32
    tensors = [
        Made("in", (1, weights.shape[1]), dtype, None, (0.5,), (zero,)),
        Made("w", weights.shape, "INT8", weights, (0.5,), (0,)),
        Made("b", (len(bias),), f"INT{8 * wide().itemsize}", np.array(bias, wide), (0.25,), (0,)),
        Made("out", (1, len(bias)), dtype, None, (0.5,), (0,)),
    ]
    return one_op("FULLY_CONNECTED", tensors, options("FullyConnected"))


def only(model: bytes) -> Accumulator:
    (found,) = accumulators(read(model))
    return found


def bits_by_trial(weights: NDArray[np.int8], bias: list[int], zero: int) -> int:
    """Of all sums on the way, for the inputs -128, `zero` and 127, in every order."""
    needed = 1
    for row, added in zip(weights.tolist(), bias, strict=True):
        for entry in itertools.product((-128 - zero, 0, 127 - zero), repeat=len(row)):
            terms = [weight * value for weight, value in zip(row, entry, strict=True)]
            for order in itertools.permutations([*terms, added]):
                for total in itertools.accumulate(order):
                    needed = max(needed, (total if total >= 0 else ~total).bit_length() + 1)
    return needed


@pytest.mark.parametrize("zero", [-128, -3, 0, 127])
@pytest.mark.parametrize("seed", range(5))
def test_the_exact_bound_is_what_some_input_and_order_reach(seed: int, zero: int) -> None:
    random = np.random.default_rng(seed)
    weights = random.integers(-127, 128, (2, 3)).astype(np.int8)
    bias = random.integers(-20000, 20000, 2).tolist()
    assert only(dense(weights, bias, zero)).exact == bits_by_trial(weights, bias, zero)


def test_by_hand() -> None:
    """255 x 127 x 18 = 582,930 is below 2^20; 18 products of 16 bits: 16 + 5 by the rule."""
    tensors = [
        Made("in", (1, 4, 4, 2), "INT8", None, (0.5,), (-128,)),
        Made("w", (1, 3, 3, 2), "INT8", np.full((1, 3, 3, 2), 127, np.int8), (0.5,), (0,)),
        Made("b", (1,), "INT32", np.zeros(1, np.int32), (0.25,), (0,)),
        Made("out", (1, 4, 4, 1), "INT8", None, (0.5,), (0,)),
    ]
    found = only(one_op("CONV_2D", tensors, conv_options()))
    assert (found.rule, found.exact, found.runtime) == (21, 21, 32)


def test_a_depthwise_sum_is_of_one_channel() -> None:
    weights = np.zeros((1, 3, 3, 2), np.int8)
    weights[..., 1] = 1
    tensors = [
        Made("in", (1, 4, 4, 2), "INT8", None, (0.5,), (0,)),
        Made("w", (1, 3, 3, 2), "INT8", weights, (0.5,), (0,), 3),
        Made("b", (2,), "INT32", np.zeros(2, np.int32), (0.25,), (0,)),
        Made("out", (1, 4, 4, 2), "INT8", None, (0.5,), (0,)),
    ]
    made = options("DepthwiseConv2D", strideW=1, strideH=1, depthMultiplier=1)
    made.dilationWFactor = made.dilationHFactor = 1
    found = only(one_op("DEPTHWISE_CONV_2D", tensors, made))
    assert (found.rule, found.exact) == (20, 12)  # 9 x -128 = -1152


def test_16_bit_activations_have_64_bits() -> None:
    found = only(dense(np.full((1, 4), -128, np.int8), [0], 0, "INT16"))
    assert (found.rule, found.exact, found.runtime) == (26, 26, 64)  # 4 x 2^15 x 2^7 = 2^24


def test_float_layers_have_none() -> None:
    tensors = [
        Made("in", (1, 2)),
        Made("w", (2, 2), "FLOAT32", np.ones((2, 2), np.float32)),
        Made("out", (1, 2)),
    ]
    model = one_op("FULLY_CONNECTED", tensors, options("FullyConnected"))
    assert accumulators(read(model)) == ()


def test_the_command_names_what_would_overflow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(small_net())
    assert main(["inspect", str(path), "--accumulator", "32"]) == 0
    assert "Exact" in capsys.readouterr().out
    assert main(["inspect", str(path), "--accumulator", "16"]) == 3
    shown = capsys.readouterr().err
    assert "sums of 2 layers may overflow 16 bits: conv (" in shown
    assert "hint: use accumulators of" in shown
