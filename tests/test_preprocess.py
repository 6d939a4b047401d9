from __future__ import annotations

import json

import numpy as np
import pytest

from edgekit.errors import DataError, UsageError
from edgekit.preprocess import NAMED, Preprocess, parse

PIXEL = np.array([[[0, 128, 255]]], dtype=np.uint8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("raw", [0, 128, 255], id="raw passes values"),
        pytest.param("unit", [0, 128 / 255, 1], id="unit divides by 255"),
        pytest.param("symmetric", [-1, 128 / 127.5 - 1, 1], id="symmetric is -1 to 1"),
        pytest.param(
            "imagenet",
            [-0.485 / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225],
            id="imagenet is (x/255 - mean) / std",
        ),
        pytest.param("scale=0.5,offset=-1", [-1, 63, 126.5], id="x * scale + offset"),
        pytest.param("scale=1/255,mean=0.5,std=0.25", [-2, 8 / 1020 - 0.0, 2], id="fractions"),
        pytest.param("mean=1,2,3,std=1,2,4", [-1, 63, 63], id="one mean and std a channel"),
        pytest.param("unit,offset=1", [1, 1 + 128 / 255, 2], id="a name and a key"),
        pytest.param(" unit , offset = 1 ", [1, 1 + 128 / 255, 2], id="spaces do not matter"),
    ],
)
def test_values(text: str, expected: list[float]) -> None:
    value = parse(text).apply(PIXEL)
    assert value.dtype == np.float32
    np.testing.assert_allclose(value.ravel(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("imagnet", "unknown name 'imagnet'", "did you mean imagenet?", id="name"),
        pytest.param("scael=2", "unknown key 'scael'", "did you mean scale?", id="key"),
        pytest.param("zzz", "unknown name 'zzz'", "known: raw, unit", id="far from any name"),
        pytest.param("scale=x", "scale=x is no number", "scale=1/255", id="no number"),
        pytest.param("scale=1/0", "scale=1/0 is no number", "scale=1/255", id="division by zero"),
        pytest.param("mean=1;2", "mean=1;2 is no number", "mean=0.5,0.4,0.3", id="semicolons"),
        pytest.param("scale=nan", "scale=nan is no number", "scale=1/255", id="not finite"),
        pytest.param("scale=0", "scale=0", "write for example", id="scale of zero"),
        pytest.param("std=0", "std may not be 0", "standard deviation", id="std of zero"),
        pytest.param("scale=1,scale=2", "gives scale twice", "once", id="a key twice"),
        pytest.param("scale=1,unit", "'unit' is no key=value", "only the first", id="name last"),
        pytest.param("resize=96", "no size", "resize=96x96", id="resize of one number"),
        pytest.param("resize=0x4", "no size", "resize=96x96", id="resize to nothing"),
        pytest.param("resize=99999x4", "too large", "16384", id="resize to far too much"),
        pytest.param("layout=nhcw", "unknown layout 'nhcw'", "did you mean", id="layout"),
        pytest.param("dtype=uint9", "unknown dtype 'uint9'", "did you mean uint", id="dtype"),
        pytest.param("", "unknown name ''", "known: raw", id="empty"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)
    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    "text",
    [
        *NAMED,
        "imagenet,resize=96x64",
        "scale=0.5847,offset=-48.5301",
        "layout=nchw,scale=1/127.5,offset=-1.0,mean=0.1,0.2,std=0.3,dtype=uint8",
    ],
)
def test_text_and_json_bring_the_same_value_back(text: str) -> None:
    value = parse(text)
    assert parse(value.to_text()) == value
    assert Preprocess.from_json(json.loads(json.dumps(value.to_json()))) == value


def test_short_names_come_back_as_names() -> None:
    assert parse("scale=1/255").to_text() == "unit"
    assert parse("scale=1/128").to_text() == "scale=1/128"


def test_channels_that_do_not_fit_are_named() -> None:
    with pytest.raises(DataError, match=r"3 values of mean for rows of 1 channel") as error:
        parse("imagenet").apply(np.zeros((2, 2, 1), np.uint8))
    assert "mean=0.485" in error.value.hint


def test_dtype_is_what_rows_are_read_as() -> None:
    assert parse("dtype=uint8").apply(np.array([1.0, 255.0])).tolist() == [1, 255]
    with pytest.raises(DataError, match="do not fit"):
        parse("dtype=uint8").apply(np.array([1.0, 256.0]))
    with pytest.raises(DataError, match="do not fit"):
        parse("dtype=int8").apply(np.array([0.5]))


def test_resize_is_bilinear_with_half_pixel_centres() -> None:
    value = parse("resize=1x4").apply(np.array([[[0], [4]]], np.uint8))
    assert value[0, :, 0].tolist() == [0, 1, 3, 4]
    same = parse("resize=2x2").apply(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    assert same.ravel().tolist() == list(range(12))
    half = parse("resize=1x1").apply(np.array([[[0], [2]], [[4], [6]]], np.uint8))
    assert half.item() == 3


def test_resize_needs_pictures() -> None:
    with pytest.raises(DataError, match="needs pictures"):
        parse("resize=4x4").apply(np.zeros(7, np.float32))
