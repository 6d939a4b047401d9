from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgekit import _tf
from edgekit.training.augment import Input, choose
from edgekit.training.transforms import build

PICTURE = Input((8, 6, 2), np.array([1.0, 10.0]))
SERIES = Input((12, 3), np.ones(3))
VECTOR = Input((5,), np.ones(5))
WORDS = Input((7,), None)


def ran(
    texts: list[str], about: Input, batch: np.ndarray, step: int = 0, seed: int = 0
) -> np.ndarray:
    inputs = [about]
    change = build(choose(texts, inputs), inputs, seed)
    return np.asarray(change((_tf.tensorflow().constant(batch),), None, step)[0][0])


def rows(about: Input, count: int = 200) -> np.ndarray:
    """Rows in which every value tells where it was."""
    size = int(np.prod(about.shape))
    places = np.arange(size, dtype=np.float32).reshape(about.shape)
    return np.arange(count, dtype=np.float32).reshape(-1, *[1] * places.ndim) * 1000 + places


@pytest.mark.parametrize(
    ("text", "axis"), [pytest.param("flip", 2, id="flip"), ("flip_vertical", 1)]
)
def test_flips_mirror_about_half_of_the_rows(text: str, axis: int) -> None:
    before = rows(PICTURE)
    after = ran([text], PICTURE, before)
    same = (after == before).all(axis=(1, 2, 3))
    mirrored = (after == np.flip(before, axis)).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 70 < same.sum() < 130


@pytest.mark.parametrize(
    ("text", "about"),
    [
        pytest.param("shift=3", PICTURE, id="pictures on both axes"),
        pytest.param("time_shift=3", PICTURE, id="spectrograms in time"),
        pytest.param("time_shift=3", SERIES, id="series in time"),
    ],
)
def test_shifts_move_and_mirror_at_the_edge(text: str, about: Input) -> None:
    before = rows(about)
    after = ran([text], about, before)
    axes = [1, 2] if text.startswith("shift") else [1]
    pad = [(0, 0)] + [(3, 3) if axis in axes else (0, 0) for axis in range(1, before.ndim)]
    padded = np.pad(before, pad, mode="reflect")
    seen = set()
    for row, wide in zip(after, padded, strict=True):
        places = [
            (i, j)
            for i in range(7)
            for j in (range(7) if len(axes) == 2 else [0])
            if np.array_equal(row, _window(wide, i, j, about.shape, len(axes)))
        ]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) == 7 ** len(axes) or len(seen) > 40


def _window(wide: np.ndarray, i: int, j: int, shape: tuple[int, ...], axes: int) -> np.ndarray:
    window = wide[i : i + shape[0]]
    return window[:, j : j + shape[1]] if axes == 2 else window


def test_noise_is_in_units_of_each_channels_deviation() -> None:
    change = ran(["noise=0.5"], PICTURE, np.zeros((400, 8, 6, 2), np.float32))
    np.testing.assert_allclose(change.std(axis=(0, 1, 2)), [0.5, 5.0], rtol=0.03)


def test_scale_is_one_factor_a_row() -> None:
    factors = ran(["scale=0.2"], VECTOR, np.ones((300, 5), np.float32))
    assert (factors == factors[:, :1]).all()
    assert 0.8 <= factors.min() < 0.82
    assert 1.18 < factors.max() <= 1.2


def test_mixed_rows_have_targets_mixed_alike() -> None:
    tf, inputs = _tf.tensorflow(), [VECTOR, SERIES]
    change = build(choose(["mix=0.5"], inputs), inputs, 0)
    own = np.arange(1, 401, dtype=np.float32)
    batch = (np.tile(own[:, None], (1, 5)), np.tile(own[:, None, None], (1, 12, 3)))
    (vector, series), targets = change(
        tuple(map(tf.constant, batch)), tf.constant(np.eye(400, dtype=np.float32)), 3
    )
    weights = np.asarray(targets)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    assert (np.diag(weights) >= 0.5).all()
    mixed = (weights > 0).sum(axis=1) == 2
    assert 150 < mixed.sum() < 250
    expected = weights @ own
    np.testing.assert_allclose(np.asarray(vector)[:, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(series)[:, 11, 2], expected, rtol=1e-5)


def test_cut_rows_hold_a_box_of_another_and_targets_by_its_size() -> None:
    inputs = [PICTURE, SERIES]
    change = build(choose(["cut=0.5"], inputs), inputs, 0)
    own = np.arange(400, dtype=np.float32)
    batch = tuple(
        np.ones((400, *each.shape), np.float32) * own.reshape(-1, *[1] * len(each.shape))
        for each in inputs
    )
    tf = _tf.tensorflow()
    (pictures, series), targets = change(
        tuple(map(tf.constant, batch)), tf.constant(np.eye(400, dtype=np.float32)), 3
    )
    weights = np.asarray(targets)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    theirs = [
        np.asarray(each) != before for each, before in zip((pictures, series), batch, strict=True)
    ]
    share = np.mean([each.reshape(400, -1).mean(axis=1) for each in theirs], axis=0)
    np.testing.assert_allclose(1 - np.diag(weights), share, atol=1e-5)
    assert 130 < (share > 0).sum() < 230
    assert share.max() > 0.6
    for cut in theirs[0][..., 0]:
        box = cut.any(axis=1)[:, None] & cut.any(axis=0)
        np.testing.assert_array_equal(cut, box)
    values = [np.unique(row) for row in np.asarray(series)]
    assert {len(each) for each in values} == {1, 2}


def test_draws_repeat_by_seed_and_step_alone() -> None:
    texts, before = ["flip", "shift=2", "scale", "noise", "mix", "cut"], rows(PICTURE, 16)
    one = ran(texts, PICTURE, before, step=5, seed=1)
    np.testing.assert_array_equal(one, ran(texts, PICTURE, before, step=5, seed=1))
    assert (one != ran(texts, PICTURE, before, step=6, seed=1)).any()
    assert (one != ran(texts, PICTURE, before, step=5, seed=2)).any()


def test_one_transform_draws_apart_from_another() -> None:
    before = rows(PICTURE)
    after = ran(["flip", "flip_vertical"], PICTURE, before)
    ways = [before, before[:, :, ::-1], before[:, ::-1], before[:, ::-1, ::-1]]
    counts = [(after == way).all(axis=(1, 2, 3)).sum() for way in ways]
    assert sum(counts) == 200
    assert min(counts) > 25


def test_whole_numbers_are_never_touched() -> None:
    inputs = [WORDS, SERIES]
    chosen = choose(["auto", "time_shift=2"], inputs)
    assert chosen == {"time_shift": 2, "noise": 0.02}
    tf, words = _tf.tensorflow(), np.arange(14, dtype=np.int32).reshape(2, 7)
    batch: tuple[Any, ...] = (tf.constant(words), tf.constant(np.ones((2, 12, 3), np.float32)))
    (same, changed), _ = build(chosen, inputs, 0)(batch, None, 0)
    np.testing.assert_array_equal(same, words)
    assert (np.asarray(changed) != 1).any()
