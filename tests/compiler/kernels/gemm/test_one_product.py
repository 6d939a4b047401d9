"""One multiplication instead of TensorFlow Lite Micro's two roundings: for every sum there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.kernels.gemm.one_product import SCALE, SHIFT, one_product
from edgekit.compiler.requantize import multipliers


def matrix(seed: int, channels: int = 6, depth: int = 4, high: int = 127) -> Matrix:
    """Factors from 2^-12 to 2^-4, and a channel that never changes."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-127, 128, (channels, depth)).astype(np.int8)
    weights[-1] = 0
    bias = rng.integers(-20000, 20000, channels).astype(np.int32)
    by = multipliers(2.0 ** rng.uniform(-12, -4, channels))
    return Matrix(weights, bias, by, int(rng.integers(-128, 128)), -128, -128, high)


def of_sums(made: Matrix, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """All sums of a channel, without its bias, and the outputs for them."""
    bottom, top = made.reach()
    sums = np.arange(bottom[channel], top[channel] + 1)
    wanted = made.outputs(np.repeat(sums[:, None], made.channels, axis=1))[:, channel]
    return sums - made.bias[channel], wanted


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("high", [127, 40])
def test_every_sum_has_its_output(seed: int, high: int) -> None:
    made = matrix(seed, high=high)
    one = one_product(made)
    assert one is not None
    for channel in range(made.channels):
        sums, wanted = of_sums(made, channel)
        scaled = SCALE * sums + int(one.offset[channel])
        assert np.abs(scaled).max() < 1 << 31
        got = (scaled * int(one.factor[channel])) >> (32 + SHIFT)
        assert np.array_equal(np.clip(got, -128, high), wanted)


def test_a_factor_beside_it_has_others() -> None:
    """The comparison above can fail: a factor that is one in a thousand larger does."""
    made = matrix(1)
    one = one_product(made)
    assert one is not None
    sums, wanted = of_sums(made, 0)
    got = ((SCALE * sums + int(one.offset[0])) * (int(one.factor[0]) * 1001 // 1000)) >> (
        32 + SHIFT
    )
    assert not np.array_equal(np.clip(got, -128, 127), wanted)


def test_there_is_none_where_negative_sums_show() -> None:
    """They are rounded away from zero, others up: no straight line does both."""
    assert one_product(replace(matrix(2), zero_out=3)) is None
    assert one_product(replace(matrix(2), zero_out=3, low=3)) is None


def test_there_is_none_for_large_factors_or_several_sets_of_biases() -> None:
    made = matrix(3)
    assert one_product(replace(made, by=multipliers(np.full(6, 0.7)))) is None
    assert one_product(replace(made, bias=np.stack([made.bias, made.bias]))) is None
