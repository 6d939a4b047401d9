"""Lottery tickets: which weights there are, where they begin, and that supermasks train none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import compressing
import numpy as np
import pytest
from small_nets import RELU, Net

from edgekit.bridge.lift import lift
from edgekit.errors import EdgekitError, UsageError
from edgekit.passes import base
from edgekit.passes._rewind_options import RewindOptions
from edgekit.passes._rewound import _from_where, _shares

STILL = 1e-9
"""A learning rate that leaves weights where they begin."""


def net(seed: int, hidden: int = 24) -> bytes:
    """dense (6 -> hidden), dense (hidden -> 10)."""
    random = np.random.default_rng(seed)
    made = Net(6).dense(random.normal(size=(hidden, 6)), random.normal(size=hidden) / 9, RELU)
    return made.dense(random.normal(size=(10, hidden)), random.normal(size=10) / 9).tflite()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("rewind")
    (found / "start.tflite").write_bytes(net(1))
    (found / "other.tflite").write_bytes(net(1, hidden=20))
    return found


def rewind(folder: Path, before: base.Candidate | None = None, **values: Any) -> base.Candidate:
    given = {"initial": "start.tflite", "epochs": 1, "batch": 8, "learning_rate": STILL, **values}
    options, tuning = base.from_mapping("rewind", given, "--compress")
    context = dataclasses.replace(compressing.context(net(0)), root=folder)
    start = before or base.Candidate(net(0))
    return base.load("rewind").run(start, options, context.tuned(tuning))


def kept(tflite: bytes) -> dict[str, np.ndarray]:
    return {name: kernel != 0 for name, kernel in compressing.kernels(tflite).items()}


@pytest.fixture(scope="module")
def ticket(folder: Path) -> base.Candidate:
    return rewind(folder, sparsity=0.75)


def test_the_largest_weights_of_the_model_begin_at_their_initial_values(
    ticket: base.Candidate,
) -> None:
    model, start = (compressing.kernels(net(seed)) for seed in (0, 1))
    for name, kernel in compressing.kernels(ticket.tflite).items():
        largest = np.abs(model[name]) >= np.sort(np.abs(model[name]), axis=None)[-kernel.size // 4]
        np.testing.assert_allclose(kernel, np.where(largest, start[name], 0), rtol=1e-4, atol=1e-7)
    biases = compressing.constants(ticket.tflite, 2)
    np.testing.assert_allclose(biases["y0"], compressing.constants(net(1), 2)["y0"], rtol=1e-4)
    assert {each.value for each in ticket.promises} == {0.75}
    assert ticket.traits == {"sparse"}
    assert ticket.log[-1].layers == {"y0": {"sparsity": 0.75}, "y1": {"sparsity": 0.75}}


@pytest.mark.slow
def test_what_the_model_has_zero_stays_zero_over_another_start(
    folder: Path, ticket: base.Candidate
) -> None:
    other = rewind(folder, ticket, reinitialise=True, learning_rate=0.05)
    start = compressing.kernels(net(1))
    for name, mask in kept(ticket.tflite).items():
        assert np.array_equal(kept(other.tflite)[name], mask)
        ours = compressing.kernels(other.tflite)[name][mask]
        assert not np.allclose(ours, start[name][mask], atol=0.05)


@pytest.mark.slow
def test_rounds_take_more_and_more_and_are_one_pass(folder: Path) -> None:
    found = rewind(folder, sparsity=0.75, rounds=2)
    assert [entry.name for entry in found.log] == ["rewind"]
    assert all((~mask).mean() == 0.75 for mask in kept(found.tflite).values())
    # by the second round the weights are initial ones: of those, the largest have stayed
    half = np.abs(compressing.kernels(net(0))["y0"])
    assert not (half < np.median(half))[kept(found.tflite)["y0"]].any()


def test_a_share_of_what_is_left_goes_in_each_round() -> None:
    shares = _shares(RewindOptions(sparsity=0.875, rounds=3, initial="start"))
    np.testing.assert_allclose(shares, [0.5, 0.75, 0.875])


def test_signs_and_other_places() -> None:
    start = {"a": (np.array([[3.0, -1.0], [0.5, -2.0]]), None)}
    signs = _from_where(start, RewindOptions(method="signs", initial="start"), 0)["a"][0]
    np.testing.assert_allclose(signs, np.array([[1, -1], [1, -1]]) * start["a"][0].std())
    moved = _from_where(start, RewindOptions(reinitialise=True, initial="start"), 0)["a"][0]
    assert sorted(moved.ravel()) == sorted(start["a"][0].ravel())


def test_a_supermask_trains_no_weight(folder: Path) -> None:
    found = rewind(
        folder, base.Candidate(net(0)), method="supermask", sparsity=0.5, learning_rate=0.2,
        batch=2, epochs=3,
    )  # fmt: skip
    start, losses = compressing.kernels(net(1)), found.log[-1].trained["guard_loss"]
    assert min(losses) < losses[0]
    for name, kernel in compressing.kernels(found.tflite).items():
        there = kernel != 0
        assert there.mean() == 0.5
        np.testing.assert_allclose(kernel[there], start[name][there] * 2**0.5, rtol=1e-5)
    biases = compressing.constants(found.tflite, 2)
    np.testing.assert_array_equal(biases["y1"], compressing.constants(net(1), 2)["y1"])


@pytest.mark.slow
def test_a_supermask_without_a_start_has_one_number_a_layer(folder: Path) -> None:
    found = rewind(folder, method="supermask", sparsity=0.5, initial="", learning_rate=0.1)
    for kernel in compressing.kernels(found.tflite).values():
        assert len(np.unique(np.abs(kernel))) == 2
    assert all(layer.bias_array() is not None for layer in lift(found.tflite).layers)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"initial": ""}, "needs the weights that the model began with"),
        ({"initial": "other.tflite"}, r"another network, .* Dense \[6, 24\] and Dense \[6, 20\]"),
        ({"method": "supermask", "rounds": 2}, "rounds and reinitialise are for tickets"),
        ({"sparsity": 1.0}, "sparsity = 1 is out of range"),
        ({"layers": ["conv"]}, "layers: 'conv' matches no layer"),
    ],
    ids=["no start", "the start of another", "rounds of a mask", "nothing left", "no such layer"],
)
def test_what_cannot_be_is_refused(folder: Path, values: dict[str, Any], message: str) -> None:
    error: type[EdgekitError] = UsageError
    with pytest.raises(error, match=message):
        rewind(folder, **values)
