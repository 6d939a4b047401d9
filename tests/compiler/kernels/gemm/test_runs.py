"""The stream of the matrix kernel for runs, on matrices small enough to read."""

from __future__ import annotations

import numpy as np
import pytest
from c_nets import residual_net
from c_project import compiled

from edgekit.compiler.cores import core_of
from edgekit.compiler.emission import Emission, Sources
from edgekit.compiler.kernels.gemm import runs
from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.requantize import multipliers


def stream(weights: list[list[int]], bias: list[int], rows: int, zero_out: int) -> list[int]:
    """The words that are emitted; the factor of each channel is 1/16."""
    factors = multipliers(np.full(len(bias), 1 / 16))
    made = Matrix(
        np.array(weights, np.int8), np.array(bias, np.int32), factors, 0, zero_out, -128, 127
    )
    sources = Sources("m", core_of("cortex-m4"))
    runs.emit(made, rows, Emission(sources, "m", [], "", ""))
    text = next(each for each in sources.constants if "m_weights" in each.splitlines()[0])
    return [int(word.rstrip("u,")) for line in text.splitlines()[1:-1] for word in line.split()]


def word(low: int, high: int) -> int:
    return (low & 0xFFFF) | (high & 0xFFFF) << 16


def test_a_pair_of_channels_with_every_second_input_in_a_word() -> None:
    words = stream([[1, 2, 3, 4], [5, 6, 7, 8]], [10, 20], 1, 3)
    steps = [word(5 * 256 + 1, 7 * 256 + 3), word(6 * 256 + 2, 8 * 256 + 4)]
    # 1/16 = 2^30 * 2^-3 / 2^31: 2 bits are left after the last one's rounding
    assert words == [256 * 20, *steps, 2 | 2 << 8, 2 * 10, 1 << 30, 1 << 30]


def test_a_row_of_five_takes_three_steps() -> None:
    words = stream([[1, 2, 3, 4, 9] * 2], [10], 2, 3)
    row = [word(1, 3), word(2, 4), word(9, 0)]
    assert words == [0, *row, *row, 2, 2 * 10, 1 << 30, 0]


def test_four_channels_lie_side_by_side_and_the_rest_after_them() -> None:
    words = stream([[n, 0, 0, 0] for n in range(1, 7)], [0] * 6, 1, 3)
    four = [0, 0, 2 * 256 + 1, 4 * 256 + 3, 0, 0]
    assert words[:6] == four
    assert words[6 + 7 :][:3] == [0, 6 * 256 + 5, 0]


@pytest.mark.parametrize(("row", "slots"), [(1, 2), (2, 4), (3, 4), (4, 4), (9, 10), (10, 12)])
def test_slots_of_a_row(row: int, slots: int) -> None:
    assert runs.slots(row) == slots


def test_other_matrices_do_not_fit() -> None:
    wide = Matrix(
        np.full((2, 4), 127, np.int8),
        np.array([1 << 23, 0], np.int32),
        multipliers(np.full(2, 1 / 16)),
        *(0, 3, -128, 127),
    )
    assert not runs.fits(wide)


def test_other_cores_have_no_runs() -> None:
    assert "ek_gemm_runs" in compiled(residual_net(), "cortex-m4").text.kernels
    assert "ek_gemm_runs" not in compiled(residual_net(), "cortex-m3").text.kernels
