from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit.data.samples import Samples, open_samples
from edgekit.errors import DataError
from edgekit.training.split import Split, split

ROWS = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)


def samples(folder: Path, rows: np.ndarray, name: str = "rows") -> Samples:
    np.save(folder / f"{name}.npy", rows)
    return open_samples([f"{name}.npy"], folder)


def sizes(parts: Split) -> tuple[int, int, int]:
    return len(parts.calibration), len(parts.training), len(parts.guard)


def contents(part: Samples) -> set[bytes]:
    return set(part.hashes())


def assert_disjoint(parts: Split) -> None:
    found = [contents(part) for part in (parts.calibration, parts.training, parts.guard)]
    assert sum(map(len, found)) == len(set.union(*found))


@pytest.mark.parametrize(
    ("rows", "limit", "expected"),
    [
        pytest.param(400, 200, (80, 240, 80), id="a fifth each, the rest to train on"),
        pytest.param(400, 30, (30, 290, 80), id="the limit of calibration"),
        pytest.param(18, 200, (3, 10, 5), id="as few as will do"),
    ],
)
def test_calibration_data_alone_are_shared_out(
    tmp_path: Path, rows: int, limit: int, expected: tuple[int, int, int]
) -> None:
    pool = samples(tmp_path, ROWS[:rows])
    parts = split(pool, None, limit, seed=0)
    assert sizes(parts) == expected
    assert_disjoint(parts)
    assert f"{expected[1]} of {rows} rows are trained on" in parts.problems[0].message
    assert sizes(split(None, pool, limit, seed=0)) == expected


def test_large_pools_keep_most_rows_to_train_on(tmp_path: Path) -> None:
    parts = split(samples(tmp_path, np.arange(6000.0)[:, None]), None, 500, seed=0)
    assert sizes(parts) == (100, 5300, 600)


def test_training_rows_that_calibration_holds_are_left_out(tmp_path: Path) -> None:
    calibration = samples(tmp_path, ROWS[:60], "calibration")
    training = samples(tmp_path, ROWS[20:320], "training")
    parts = split(calibration, training, 50, seed=3)
    assert len(parts.calibration) == 50
    held = len(contents(parts.calibration) & contents(training))
    assert held > 0
    assert len(parts.training) + len(parts.guard) == 300 - held
    assert len(parts.guard) == round((300 - held) / 5)
    assert_disjoint(parts)
    assert f"{held} training rows are left out" in parts.problems[0].message


def test_rows_fall_the_same_way_in_any_order_and_another_with_another_seed(tmp_path: Path) -> None:
    one = split(samples(tmp_path, ROWS), None, 200, seed=5)
    turned = split(samples(tmp_path, ROWS[::-1], "turned"), None, 200, seed=5)
    other = split(samples(tmp_path, ROWS), None, 200, seed=6)
    for part in ("calibration", "training", "guard"):
        assert contents(getattr(one, part)) == contents(getattr(turned, part))
        assert contents(getattr(one, part)) != contents(getattr(other, part))


def test_equal_rows_stay_together(tmp_path: Path) -> None:
    parts = split(samples(tmp_path, np.repeat(ROWS[:50], 4, axis=0)), None, 200, seed=1)
    assert sum(sizes(parts)) == 200
    assert_disjoint(parts)
    assert len(parts.guard) == 40


def test_a_row_that_repeats_too_often_is_only_trained_on(tmp_path: Path) -> None:
    rows = np.concatenate([ROWS[:60], np.repeat(ROWS[60:61], 60, axis=0)])
    parts = split(samples(tmp_path, rows), None, 200, seed=0)
    assert sizes(parts) == (24, 72, 24)


def test_labels_follow_their_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.arange(100.0)[:, None], y=np.arange(100))
    parts = split(None, open_samples(["d.npz:x,y"], tmp_path), 200, seed=0)
    for part in (parts.calibration, parts.training, parts.guard):
        assert part.labels is not None
        np.testing.assert_array_equal(np.stack(list(part))[:, 0], part.labels)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param(ROWS[:17], "17 .* leave 9 to train on and 5 to guard", id="17 rows"),
        pytest.param(np.repeat(ROWS[:1], 99, axis=0), "99 to train on and 0 to guard", id="copies"),
    ],
)
def test_too_little_data_are_refused_with_the_counts(
    tmp_path: Path, rows: np.ndarray, said: str
) -> None:
    with pytest.raises(DataError, match=said) as raised:
        split(samples(tmp_path, rows), None, 200, seed=0)
    assert "--training" in raised.value.hint


def test_training_rows_that_are_all_calibrated_on_are_too_few(tmp_path: Path) -> None:
    rows = samples(tmp_path, ROWS[:30])
    with pytest.raises(DataError, match="30 training rows are too few"):
        split(rows, rows, 200, seed=0)


def test_no_data_are_refused() -> None:
    with pytest.raises(DataError, match="no data"):
        split(None, None, 200, seed=0)


def test_few_rows_are_warned_of(tmp_path: Path) -> None:
    severities = [p.severity for p in split(samples(tmp_path, ROWS[:40]), None, 9, 0).problems]
    assert severities == ["note", "warning"]
