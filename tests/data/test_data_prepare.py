from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgekit.data.prepare import Prepared, prepare
from edgekit.data.samples import open_samples
from edgekit.errors import DataError
from edgekit.model import TensorSpec
from edgekit.preprocess import parse


def prepared(
    root: Path,
    row: np.ndarray,
    shape: tuple[int, ...],
    preprocess: str = "raw",
    channels_first: bool = False,
    dtype: str = "float32",
) -> Prepared:
    np.savez(root / "d.npz", x=np.stack([row, row]))
    samples = open_samples(["d.npz"], root)
    return prepare(samples, parse(preprocess), (TensorSpec("in", shape, dtype),), channels_first)


def count(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("row", "shape", "options", "expected", "note"),
    [
        pytest.param(count(4, 5, 3), (4, 5, 3), "raw", count(4, 5, 3), "", id="NHWC as it is"),
        pytest.param(
            count(3, 4, 5), (4, 5, 3), "raw", count(3, 4, 5).transpose(1, 2, 0), "NCHW", id="NCHW"
        ),
        pytest.param(count(3, 3, 3), (3, 3, 3), "raw", count(3, 3, 3), "", id="NHWC if both fit"),
        pytest.param(
            count(3, 3, 3),
            (3, 3, 3),
            "layout=nchw",
            count(3, 3, 3).transpose(1, 2, 0),
            "NCHW",
            id="NCHW if declared",
        ),
        pytest.param(count(4, 5), (4, 5, 1), "raw", count(4, 5, 1), "channel axis", id="no axis"),
        pytest.param(count(1, 4, 5), (4, 5, 1), "raw", count(4, 5, 1), "NCHW", id="one plane"),
        pytest.param(count(1, 4, 5, 3), (4, 5, 3), "raw", count(4, 5, 3), "dropped", id="batch"),
        pytest.param(count(4, 5, 1), (4, 5), "raw", count(4, 5), "dropped", id="an axis too many"),
        pytest.param(count(20), (4, 5, 1), "raw", count(4, 5, 1), "flat rows", id="flat"),
        pytest.param(
            count(12),
            (2, 2, 3),
            "layout=nchw",
            count(3, 2, 2).transpose(1, 2, 0),
            "flat",
            id="flat NCHW",
        ),
        pytest.param(count(), (1,), "raw", count(1), "channel axis", id="scalars"),
        pytest.param(count(7), (7,), "raw", count(7), "", id="rank 1"),
        pytest.param(
            count(2, 2, 2, 2, 3), (2, 2, 2, 2, 3), "raw", count(2, 2, 2, 2, 3), "", id="rank 5"
        ),
        pytest.param(count(2, 2, 1), (4, 4, 1), "resize=4x4", None, "", id="resized"),
        pytest.param(count(1, 2, 2), (4, 4, 1), "resize=4x4", None, "NCHW", id="NCHW and resized"),
    ],
)
def test_rows_become_the_models_shape(
    tmp_path: Path,
    row: np.ndarray,
    shape: tuple[int, ...],
    options: str,
    expected: np.ndarray | None,
    note: str,
) -> None:
    rows = prepared(tmp_path, row, (1, *shape), options)
    (value,) = next(iter(rows))
    assert value.dtype == np.float32
    assert value.shape == (1, *shape)
    if expected is not None:
        np.testing.assert_array_equal(value[0], expected)
    assert any(note in problem.message for problem in rows.problems) if note else not rows.problems


def test_time_series_turn_only_for_channels_first_models(tmp_path: Path) -> None:
    (value,) = next(iter(prepared(tmp_path, count(6, 100), (1, 100, 6), channels_first=True)))
    np.testing.assert_array_equal(value[0], count(6, 100).T)
    with pytest.raises(DataError, match=r"has shape \(6, 100\).*in takes \(100, 6\)"):
        prepared(tmp_path, count(6, 100), (1, 100, 6))


@pytest.mark.parametrize(
    ("row", "shape", "options", "message", "hint"),
    [
        pytest.param(
            count(4, 5, 3),
            (8, 8, 3),
            "unit",
            "has shape (4, 5, 3), the model's input in takes (8, 8, 3)",
            "--preprocess unit,resize=8x8",
            id="another size",
        ),
        pytest.param(
            count(4, 5), (8, 8, 1), "raw", "has shape (4, 5)", "resize=8x8", id="a grey one"
        ),
        pytest.param(count(9), (8,), "raw", "has shape (9,)", "model's shape", id="features"),
        pytest.param(
            count(4, 4, 3), (3, 4, 4), "layout=nhwc", "has shape", "layout=nhwc", id="layout"
        ),
        pytest.param(
            count(3, 8, 8),
            (8, 8, 3),
            "unit,layout=nhwc",
            "says layout=nhwc",
            "leave layout out",
            id="the other layout",
        ),
        pytest.param(
            count(4, 4, 1),
            (8, 8, 1),
            "resize=9x8",
            "resize=9x8 does not give",
            "resize=8x8",
            id="wrong resize",
        ),
        pytest.param(
            count(4) * np.nan,
            (4,),
            "raw",
            "contains NaN (4 of 4 values)",
            "take such rows out",
            id="NaN",
        ),
        pytest.param(
            np.full(4, np.inf),
            (4,),
            "raw",
            "contains infinity (4 of 4 values)",
            "take such rows out",
            id="infinity",
        ),
        pytest.param(
            count(4),
            (4,),
            "scale=1e38,mean=0,std=1e-9",
            "is infinite after",
            "check scale",
            id="overflow",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, row: np.ndarray, shape: tuple[int, ...], options: str, message: str, hint: str
) -> None:
    with pytest.raises(DataError) as error:
        prepared(tmp_path, row, (1, *shape), options)
    assert message in str(error.value)
    assert "d.npz:x row 0" in str(error.value) or "resize" in message
    assert hint in error.value.hint


def test_token_inputs_stay_whole_numbers(tmp_path: Path) -> None:
    (value,) = next(iter(prepared(tmp_path, count(4), (1, 4), "unit", dtype="int32")))
    assert value.dtype == np.int32
    assert value.tolist() == [[0, 1, 2, 3]]
    with pytest.raises(DataError, match="no int32"):
        prepared(tmp_path, count(4) / 2, (1, 4), dtype="int32")


def test_pictures_get_the_models_channels(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    colour = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "p" / "a.png")
    Image.fromarray(colour[:3, :4, 0]).save(tmp_path / "p" / "b.png")
    samples = open_samples(["p"], tmp_path)
    grey = prepare(samples, parse("resize=6x8"), (TensorSpec("in", (1, 6, 8, 1), "float32"),))
    (value,) = next(iter(grey))
    np.testing.assert_array_equal(
        value[0, :, :, 0], np.asarray(Image.fromarray(colour).convert("L"))
    )
    rgb = prepare(samples, parse("resize=3x4"), (TensorSpec("in", (1, 3, 4, 3), "float32"),))
    second = list(rgb)[1][0][0]
    np.testing.assert_array_equal(second, np.repeat(colour[:3, :4, :1], 3, axis=2))
    with pytest.raises(DataError) as error:
        list(prepare(samples, parse("unit"), (TensorSpec("in", (1, 6, 8, 3), "float32"),)))
    assert "b.png has shape (3, 4)" in str(error.value)
    assert "--preprocess unit,resize=6x8" in error.value.hint


def test_several_inputs(tmp_path: Path) -> None:
    inputs = (TensorSpec("b", (1, 2, 1), "float32"), TensorSpec("a", (1, 3), "float32"))
    np.savez(tmp_path / "d.npz", a=count(5, 3), b=count(5, 2), y=np.arange(5))
    rows = prepare(open_samples(["d.npz:,y"], tmp_path, inputs), parse("scale=2"), inputs)
    first, second = list(rows)[4]
    assert first.shape == (1, 2, 1)
    assert second.tolist() == [[24, 26, 28]]
    assert rows.labels is not None
    with pytest.raises(DataError, match="is one array, and the model has 2 inputs"):
        prepare(open_samples(["d.npz:a"], tmp_path), parse("raw"), inputs)
