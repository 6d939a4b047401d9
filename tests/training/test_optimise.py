from __future__ import annotations

import numpy as np
import pytest

from edgekit import _tf
from edgekit.training.optimise import Clip, Coarse, muon


@pytest.mark.parametrize(
    ("steps", "peak"), [pytest.param(100, 5, id="with a rise"), pytest.param(3, 0, id="too short")]
)
def test_the_rate_rises_and_falls_to_zero(steps: int, peak: int) -> None:
    schedule = muon(0.01, steps)._learning_rate
    rates = [float(schedule(step)) for step in range(steps + 1)]
    assert int(np.argmax(rates)) == peak
    assert rates[peak] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("size", [pytest.param(1e-4, id="small"), pytest.param(1e4, id="large")])
def test_only_leaps_are_clipped_whatever_is_usual(size: float) -> None:
    clip, usual = Clip(5.0), np.full(4, size, np.float32)
    for step in range(1, 100):
        (kept, _) = clip([usual, None], step)
        np.testing.assert_allclose(kept, usual, rtol=1e-5)
    (leapt, nothing) = clip([usual * 1000, None], 100)
    assert nothing is None
    assert 5 < np.asarray(leapt)[0] / size < 200


def test_a_start_without_gradients_holds_nothing_back() -> None:
    clip = Clip(5.0)
    np.testing.assert_array_equal(clip([np.zeros(3, np.float32)], 1)[0], np.zeros(3))
    np.testing.assert_allclose(clip([np.ones(3, np.float32)], 2)[0], np.ones(3), rtol=1e-5)


@pytest.mark.parametrize("bits", [2, 4])
def test_few_bits_of_gradients_keep_their_mean(bits: int) -> None:
    gradient = np.linspace(-0.3, 1.0, 7).astype(np.float32)
    coarse = Coarse(bits, seed=0)
    found = np.array([coarse([gradient, None], step)[0] for step in range(1, 501)])
    steps = found * ((1 << (bits - 1)) - 1)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    np.testing.assert_allclose(found.mean(axis=0), gradient, atol=0.1)
    assert np.unique(np.round(steps)).min() >= -np.ceil(0.3 * steps.max())
    np.testing.assert_array_equal(found[4], coarse([gradient, None], 5)[0])


def test_all_bits_of_gradients_are_left() -> None:
    gradient = np.float32([0.25, 2.0])
    assert Coarse(0, seed=0)([gradient, None], 1) == [gradient, None]
    clip = Clip(0)
    assert [clip([gradient * 10**step], step)[0][1] for step in (1, 5)] == [20, 200_000]


def _learnt(name: str, shape: tuple[int, ...], gradient: np.ndarray) -> np.ndarray:
    tf = _tf.tensorflow()
    variable, optimiser = tf.Variable(np.zeros(shape, np.float32), name=name), muon(0.01, 1)
    optimiser.apply_gradients([(tf.constant(gradient, tf.float32), variable)])
    return np.asarray(variable)


@pytest.mark.parametrize(
    "shape", [pytest.param((12, 5), id="tall"), pytest.param((3, 3, 2, 40), id="wide")]
)
def test_a_kernel_learns_all_directions_alike(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    flat = random.normal(size=(int(np.prod(shape[:-1])), shape[-1]))
    left, _, right = np.linalg.svd(flat, full_matrices=False)
    gradient = (left * np.geomspace(1, 0.05, len(right))) @ right
    step = -_learnt("kernel", shape, gradient.reshape(shape)).reshape(flat.shape)
    stretched = np.linalg.svd(step, compute_uv=False)
    assert stretched[0] / stretched[-1] < 2.5  # of 20 in the gradient
    assert float(np.sum(step * (left @ right))) > 0.9 * np.linalg.norm(step) * np.sqrt(len(right))
    assert np.sqrt(np.mean(step**2)) == pytest.approx(0.2 * 0.01, rel=0.3)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        pytest.param("bias", (4,), id="bias"),
        pytest.param("codes", (4, 1), id="code book"),
        pytest.param("depthwise_kernel", (2, 2, 4, 1), id="depthwise"),
    ],
)
def test_what_is_no_matrix_goes_by_adam(name: str, shape: tuple[int, ...]) -> None:
    gradient = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(_learnt(name, shape, gradient), -0.01 * np.sign(gradient), rtol=1e-3)


def test_weights_that_stay_zero_do_not_turn_the_others() -> None:
    """The gradients of weights that are held are as good as none."""
    random = np.random.default_rng(0)
    gradient = random.normal(size=(12, 5))
    mask = (random.random((12, 5)) < 0.5).astype(np.float32)

    def learnt(gradient: np.ndarray, *, held: bool) -> np.ndarray:
        tf = _tf.tensorflow()
        variable, optimiser = tf.Variable(np.zeros((12, 5), np.float32), name="k"), muon(0.01, 1)
        if held:
            optimiser.hold(variable, mask)
        optimiser.apply_gradients([(tf.constant(gradient, tf.float32), variable)])
        return np.asarray(variable)

    wild = np.where(mask == 0, 100.0, gradient)
    np.testing.assert_array_equal(learnt(wild, held=True), learnt(gradient, held=True))
    assert not np.allclose(learnt(wild, held=False), learnt(gradient, held=False))
