from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit.data.samples import open_samples
from edgekit.data.select import drop_shared, refuse_overlap, select, shared_rows
from edgekit.errors import DataError

X = np.random.default_rng(0).integers(0, 255, (300, 4), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.savez(tmp_path / "d.npz", x=X, other=X[::-1], y=np.arange(300))
    return tmp_path


def test_selection_is_seeded_and_complete(folder: Path) -> None:
    samples = open_samples(["d.npz:x,y"], folder)
    chosen, rest = select(samples, 40, seed=7)
    assert (len(chosen), len(rest)) == (40, 260)
    assert chosen.labels is not None
    assert rest.labels is not None
    assert sorted([*chosen.labels, *rest.labels]) == list(range(300))
    assert chosen.labels.tolist() == sorted(chosen.labels)
    assert chosen.sha256 == select(samples, 40, seed=7)[0].sha256
    assert chosen.sha256 != select(samples, 40, seed=8)[0].sha256
    np.testing.assert_array_equal(np.stack(list(chosen)), X[chosen.labels])


@pytest.mark.parametrize("limit", [None, 300, 1000])
def test_all_rows_when_the_limit_is_not_reached(folder: Path, limit: int | None) -> None:
    chosen, rest = select(open_samples(["d.npz:x"], folder), limit, 0)
    assert (len(chosen), len(rest), list(rest)) == (300, 0, [])


def test_shared_rows_are_found_by_content(folder: Path) -> None:
    np.save(folder / "copy.npy", X[[10, 250]])
    evaluation = open_samples(["d.npz:x,y"], folder)
    kept, count = drop_shared(evaluation, open_samples(["copy.npy"], folder))
    assert count == 2
    assert kept.labels is not None
    assert set(range(300)) - set(kept.labels.tolist()) == {10, 250}
    assert drop_shared(evaluation, []) == (evaluation, 0)


@pytest.mark.parametrize(
    ("rows", "shared"),
    [
        pytest.param(X.astype(np.float32), True, id="as float32"),
        pytest.param(X.astype(np.float64), True, id="as float64"),
        pytest.param(X.astype(">i8"), True, id="as int64 of the other byte order"),
        pytest.param(X.astype(np.float16), True, id="as float16"),
        pytest.param(X.reshape(300, 2, 2, 1), True, id="with other axes"),
        pytest.param(X / 255, False, id="scaled"),
        pytest.param(X.astype(np.int64) + 2**60, False, id="large numbers that float64 rounds"),
        pytest.param(X[:, ::-1], False, id="turned round"),
    ],
)
def test_the_same_values_are_the_same_row(tmp_path: Path, rows: np.ndarray, shared: bool) -> None:
    np.savez(tmp_path / "a.npz", x=X, far=X.astype(np.int64) + 2**60 + 1)
    np.savez(tmp_path / "b.npz", x=rows)
    one = open_samples(["a.npz:far" if rows.max() > 2**53 else "a.npz:x"], tmp_path)
    found = shared_rows(open_samples(["b.npz:x"], tmp_path), one)
    assert len(found) == (300 if shared else 0)


def test_more_than_one_percent_is_refused(folder: Path) -> None:
    np.save(folder / "copy.npy", X[:4])
    with pytest.raises(
        DataError, match=r"4 of 300 evaluation rows \(1\.3 %\).*d\.npz:x row 0"
    ) as e:
        drop_shared(open_samples(["d.npz:x"], folder), [open_samples(["copy.npy"], folder)])
    assert e.value.exit_code == 1


@pytest.mark.parametrize(
    ("used", "evaluation", "rows"),
    [
        pytest.param("d.npz:x[:100]", "d.npz:x,y[100:]", None, id="ranges side by side"),
        pytest.param("d.npz:x[:100]", "d.npz:other[:100]", None, id="another array"),
        pytest.param("d.npz:x[:101]", "d.npz:x,y[100:]", "100 to 100 of 300", id="one row"),
        pytest.param("d.npz:x", "./d.npz:x,y", "0 to 299 of 300", id="the whole file twice"),
        pytest.param("d.npz:x[-10:]", "d.npz:x[200:295]", "290 to 294", id="from the end"),
    ],
)
def test_overlapping_ranges(folder: Path, used: str, evaluation: str, rows: str | None) -> None:
    if rows is None:
        refuse_overlap([used], [evaluation], folder)
        return
    with pytest.raises(DataError, match=f"share the rows {rows}") as error:
        refuse_overlap(["d.npz:other", used], [evaluation], folder)
    assert "[100:] for evaluation" in error.value.hint


def test_sources_follow_one_another_and_must_be_alike(folder: Path) -> None:
    samples = open_samples(["d.npz:x,y[:2]", "d.npz:x,y[5:7]"], folder)
    assert samples.labels is not None
    assert samples.labels.tolist() == [0, 1, 5, 6]
    assert samples.sources == ("d.npz:x,y[:2]", "d.npz:x,y[5:7]")
    mixed = open_samples(["d.npz:x,y[:2]", "d.npz:x[5:7]"], folder)
    assert mixed.labels is None
    assert "not used" in mixed.problems[0].message
    np.save(folder / "f.npy", X.astype(np.float32))
    np.save(folder / "wide.npy", X[:, :3])
    with pytest.raises(DataError, match=r"are float32, those of d\.npz:x are uint8"):
        open_samples(["d.npz:x", "f.npy"], folder)
    with pytest.raises(DataError, match=r"have shape \(3,\)"):
        open_samples(["d.npz:x", "wide.npy"], folder)


def test_a_file_shorter_than_the_range_is_noted(folder: Path) -> None:
    (note,) = open_samples(["d.npz:x[:1000]"], folder).problems
    assert "300 rows, fewer than the 1000" in note.message
