"""Zeros by least squares: those that are missed least, made up for by what stays."""

from __future__ import annotations

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE
from small_nets import Net

from edgekit.bridge.lift import lift
from edgekit.passes import _masks, base
from edgekit.passes._solve import fits, solve
from edgekit.training.rows import Rows

SHARES = {CONV: 0.6, POINTWISE: 0.6, DENSE: 0.6}


def rows(*shape: int) -> Rows:
    return Rows((np.random.default_rng(3).normal(size=(256, *shape)).astype(np.float32),))


def solved_for(tflite: bytes, shares: dict[str, float], inputs: Rows) -> bytes:
    """Each layer has its own share of zeros."""
    groups = {(name,): share for name, share in shares.items()}
    return solve(tflite, groups, base.Context(tflite, inputs, inputs))


def outputs(tflite: bytes, inputs: Rows) -> np.ndarray:
    return np.asarray(lift(tflite).scores(np.asarray(inputs.inputs[0])))


def test_what_stays_makes_up_for_what_goes() -> None:
    tflite, inputs = compressing.net(), rows(6, 6, 4)
    solved = solved_for(tflite, SHARES, inputs)
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
    solved = solved_for(tflite, {"y0": 0.5}, inputs)
    (kernel,) = compressing.kernels(solved).values()
    assert (kernel == 0).mean() == 0.5
    assert ((kernel[:, :4] != 0) != (kernel[:, 4:] != 0)).all()
    np.testing.assert_allclose(outputs(solved, inputs), outputs(tflite, inputs), atol=0.15)


def test_layers_that_share_their_zeros_part_them_by_what_the_scores_feel() -> None:
    """Two layers side by side, one of which is all but left out of the scores."""
    random = np.random.default_rng(0)
    loud, quiet = (random.normal(size=(8, 8)) for _ in range(2))
    made = Net(8).dense(loud, np.zeros(8)).dense(quiet, np.zeros(8))
    tflite = made.dense(np.concatenate([np.eye(8)[:6], 0.01 * np.eye(8)[6:]]), np.ones(8)).tflite()
    inputs = rows(8)
    groups = {("y0", "y1"): 0.5}
    solved = solve(tflite, groups, base.Context(tflite, inputs, inputs))
    kernels = compressing.kernels(solved)
    gone = {name: (kernels[name] == 0) for name in ("y0", "y1")}
    assert sum(int(zeros.sum()) for zeros in gone.values()) == 64
    assert gone["y1"][6:].mean() > gone["y1"][:6].mean()


def test_zeros_that_there_are_stay() -> None:
    tflite, inputs = compressing.net(), rows(6, 6, 4)
    first = solved_for(tflite, {CONV: 0.3}, inputs)
    second = solved_for(first, {CONV: 0.6}, inputs)
    before, after = (compressing.kernels(data)[CONV] == 0 for data in (first, second))
    assert after.mean() == pytest.approx(0.6, abs=0.01)
    assert (after | ~before).all()


def test_what_is_not_one_matrix_is_left_to_training() -> None:
    kinds = {layer.name: fits(layer) for layer in lift(compressing.net()).layers}
    assert kinds == {CONV: True, DEPTHWISE: False, POINTWISE: True, DENSE: True}
    assert not any(fits(layer) for layer in lift(compressing.shared_dense()).layers)
