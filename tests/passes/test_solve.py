"""Zeros by least squares: those that are missed least, made up for by what stays."""

from __future__ import annotations

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE
from small_nets import Net

from edgekit.bridge.lift import lift
from edgekit.passes import _masks
from edgekit.passes._solve import fits, solve
from edgekit.progress import Progress
from edgekit.training.rows import Rows

SHARES = {CONV: 0.6, POINTWISE: 0.6, DENSE: 0.6}


def rows(*shape: int) -> Rows:
    return Rows((np.random.default_rng(3).normal(size=(256, *shape)).astype(np.float32),))


def outputs(tflite: bytes, inputs: Rows) -> np.ndarray:
    return np.asarray(lift(tflite).scores(np.asarray(inputs.inputs[0])))


def test_what_stays_makes_up_for_what_goes() -> None:
    tflite, inputs = compressing.net(), rows(6, 6, 4)
    solved = solve(tflite, tflite, SHARES, inputs, Progress())
    for name, share in compressing.zeros(solved).items():
        assert share == pytest.approx(SHARES.get(name, 0), abs=0.01)
    plain = lift(tflite, form="folded")
    for layer in plain.layers:
        if layer.name in SHARES:
            kernel = np.asarray(layer.layer.kernel)
            layer.layer.kernel.assign(kernel * _masks.mask(kernel, SHARES[layer.name]))
    fresh = rows(6, 6, 4)
    wanted = outputs(tflite, fresh)
    apart = np.mean((outputs(solved, fresh) - wanted) ** 2)
    by_magnitude = np.mean((np.asarray(plain.scores(fresh.inputs[0])) - wanted) ** 2)
    assert apart < 0.5 * by_magnitude


def test_an_input_that_others_tell_is_not_missed() -> None:
    """Half of the inputs repeat the others: all that they are multiplied by can go."""
    random = np.random.default_rng(0)
    tflite = Net(8).dense(random.normal(size=(4, 8)), random.normal(size=4)).tflite()
    told = random.normal(size=(256, 4)).astype(np.float32)
    inputs = Rows((np.concatenate([told, told], axis=1),))
    solved = solve(tflite, tflite, {"y0": 0.5}, inputs, Progress())
    (kernel,) = compressing.kernels(solved).values()
    assert (kernel == 0).mean() == 0.5
    assert ((kernel[:, :4] != 0) != (kernel[:, 4:] != 0)).all()
    np.testing.assert_allclose(outputs(solved, inputs), outputs(tflite, inputs), atol=0.15)


def test_zeros_that_there_are_stay() -> None:
    tflite, inputs = compressing.net(), rows(6, 6, 4)
    first = solve(tflite, tflite, {CONV: 0.3}, inputs, Progress())
    second = solve(first, tflite, {CONV: 0.6}, inputs, Progress())
    before, after = (compressing.kernels(data)[CONV] == 0 for data in (first, second))
    assert after.mean() == pytest.approx(0.6, abs=0.01)
    assert (after | ~before).all()


def test_what_is_not_one_matrix_is_left_to_training() -> None:
    kinds = {layer.name: fits(layer) for layer in lift(compressing.net()).layers}
    assert kinds == {CONV: True, DEPTHWISE: False, POINTWISE: True, DENSE: True}
    assert not any(fits(layer) for layer in lift(compressing.shared_dense()).layers)
