"""Which weights stay, by hand and beside TFMOT's own choice."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit import _tf
from edgekit.passes._masks import block_mask, mask, n_m_mask, zero_blocks


@pytest.mark.parametrize(
    ("sparsity", "wanted"),
    [(0.0, "1111"), (0.5, "0101"), (0.6, "0101"), (0.75, "0001"), (0.99, "0001")],
    ids=["nothing goes", "half", "rounded to whole weights", "three of four", "one always stays"],
)
def test_the_largest_magnitudes_stay(sparsity: float, wanted: str) -> None:
    kept = mask(np.array([0.1, -3.0, 0.2, 4.0]), sparsity)
    assert "".join(map(str, kept.astype(int))) == wanted


def test_of_equal_weights_no_more_stay_than_may() -> None:
    assert mask(np.ones((4, 4)), 0.5).sum() == 8


def test_blocks_go_as_a_whole_and_edges_are_smaller_blocks() -> None:
    kernel = np.array([[1.0, 1, 9, 9, 5], [2, 2, 1, 1, 0]])
    kept = block_mask(kernel, 0.5, (1, 2))
    assert kept.astype(int).tolist() == [[0, 0, 1, 1, 1], [1, 1, 0, 0, 0]]
    assert zero_blocks(kernel * kept, (1, 2)) == 0.5


def test_n_of_m_inputs_in_a_row_stay() -> None:
    kernel = np.array([[1.0, 9], [2, 8], [3, 7], [4, 6], [5, 5], [6, 4]])
    kept = n_m_mask(kernel, 2, 4)
    assert kept.astype(int).tolist() == [[0, 1], [0, 1], [1, 0], [1, 0], [1, 1], [1, 1]]


def tfmot(kernel: np.ndarray, **settings: object) -> np.ndarray:
    """The mask that TFMOT makes at once."""
    keras, sparsity = _tf.tf_keras(), _tf.tfmot().sparsity.keras
    kind = keras.layers.Dense if kernel.ndim == 2 else keras.layers.Conv2D
    layer = kind(kernel.shape[-1], *[kernel.shape[:2]][: kernel.ndim - 2], use_bias=False)
    layer.build((None, *[5, 5][: kernel.ndim - 2], kernel.shape[-2]))
    layer.kernel.assign(kernel)
    wrapper = sparsity.prune_low_magnitude(
        layer, pruning_schedule=sparsity.ConstantSparsity(0.5, 0, -1, 1), **settings
    )
    wrapper.build((None, *[5, 5][: kernel.ndim - 2], kernel.shape[-2]))
    wrapper.pruning_step.assign(1)
    wrapper.pruning_obj.conditional_mask_update()
    return np.asarray(wrapper.pruning_vars[0][1]) != 0


RNG = np.random.default_rng(0)
DENSE, CONV = RNG.normal(size=(8, 12)), RNG.normal(size=(3, 3, 6, 5))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (lambda: tfmot(DENSE), lambda: mask(DENSE, 0.5)),
        (lambda: tfmot(CONV), lambda: mask(CONV, 0.5)),
        (lambda: tfmot(DENSE, block_size=(1, 4)), lambda: block_mask(DENSE, 0.5, (1, 4))),
        (lambda: tfmot(DENSE, block_size=(2, 3)), lambda: block_mask(DENSE, 0.5, (2, 3))),
        (lambda: tfmot(DENSE, sparsity_m_by_n=(2, 4)), lambda: n_m_mask(DENSE, 2, 4)),
        (lambda: tfmot(CONV, sparsity_m_by_n=(3, 4)), lambda: n_m_mask(CONV, 1, 4)),
    ],
    ids=["dense", "conv", "blocks 1x4", "blocks 2x3", "2:4 of a dense", "1:4 of a conv"],
)
def test_the_choice_is_tfmots(theirs: object, ours: object) -> None:
    np.testing.assert_array_equal(ours(), theirs())  # type: ignore[operator]
