"""Rewritten float models compute the same; what microcontrollers lack is gone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hand_made import O, T, flatbuffer

from edgekit.graph.portable import portable
from edgekit.graph.read import read
from edgekit.runtimes.litert import LiteRT

ROWS = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def names(data: bytes) -> list[str]:
    return [op.name for op in read(data).ops]


def run(data: bytes, *inputs: Any) -> np.ndarray:
    with LiteRT(data) as runtime:
        given = [np.asarray(x, spec.dtype) for x, spec in zip(inputs, runtime.inputs, strict=True)]
        return runtime.run(tuple(given))[0]


def tile(shape: tuple[int, ...], multiples: list[int], dtype: str = "FLOAT32") -> bytes:
    wide = tuple(size * times for size, times in zip(shape, multiples, strict=True))
    counts = np.array(multiples, np.int32)
    tensors = [T("x", shape, dtype), T("n", counts.shape, "INT32", counts), T("y", wide, dtype)]
    return flatbuffer(tensors, [O("TILE", (0, 1), (2,), ("TileOptions", {}))], (0,), (2,))


def embedding(dtype: str = "INT32", *, wraps: str = "keras", given: bool = True) -> bytes:
    """x -> (CAST) -> (SUB) -> wrap of negatives -> GATHER from five rows, and x != 0 as a mask."""
    tensors = [T("x", (1, 3), dtype), T("rows", ROWS.shape, data=ROWS)]
    ops: list[O] = []

    def op(name: str, inputs: tuple[int, ...], out: T, options: str) -> int:
        tensors.append(out)
        ops.append(O(name, inputs, (len(tensors) - 1,), (options, {})))
        return len(tensors) - 1

    def constant(value: int, kind: str = "INT32") -> int:
        data = np.array(value, kind.lower())
        tensors.append(T(f"c{len(tensors)}", (), kind, data))
        return len(tensors) - 1

    index = 0
    if dtype == "FLOAT32":
        index = op("CAST", (0,), T("cast", (1, 3), "INT32"), "CastOptions")
    if not given:
        index = op("SUB", (index, constant(0)), T("sub", (1, 3), "INT32"), "SubOptions")
    if wraps:
        below = op("LESS", (index, constant(0)), T("below", (1, 3), "BOOL"), "LessOptions")
    if wraps == "keras":
        above = op("ADD", (index, constant(5)), T("above", (1, 3), "INT32"), "AddOptions")
        wrapped = T("wrapped", (1, 3), "INT32")
        index = op("SELECT", (below, above, index), wrapped, "SelectOptions")
    if wraps == "onnx":
        factor = op("CAST", (below,), T("factor", (1, 3), "INT32"), "CastOptions")
        offset = op("MUL", (factor, constant(5)), T("offset", (1, 3), "INT32"), "MulOptions")
        index = op("ADD", (index, offset), T("wrapped", (1, 3), "INT32"), "AddOptions")
    found = op("GATHER", (1, index), T("y", (1, 3, 4)), "GatherOptions")
    zero = constant(0, dtype)
    mask = op("NOT_EQUAL", (0, zero), T("mask", (1, 3), "BOOL"), "NotEqualOptions")
    return flatbuffer(tensors, ops, (0,), (found, mask))


@pytest.mark.parametrize(
    ("shape", "multiples"),
    [
        pytest.param((1, 3), [1, 2], id="last axis"),
        pytest.param((1, 2, 1, 3), [1, 1, 4, 1], id="an axis of one"),
        pytest.param((1, 2, 3, 4), [1, 3, 2, 1], id="two axes"),
        pytest.param((2, 3), [2, 3], id="every axis"),
        pytest.param((1, 2, 1, 2, 2), [1, 1, 2, 1, 1], id="rank 5"),
    ],
)
def test_tile_becomes_an_enlargement(shape: tuple[int, ...], multiples: list[int]) -> None:
    data = tile(shape, multiples)
    x = np.random.default_rng(0).normal(size=shape)
    rewritten = portable(data)
    assert set(names(rewritten)) == {"RESHAPE", "RESIZE_NEAREST_NEIGHBOR"}
    assert read(rewritten).outputs != ()
    np.testing.assert_array_equal(run(rewritten, x), np.tile(x, multiples).astype(np.float32))


def test_integers_keep_their_tile() -> None:
    data = tile((1, 3), [1, 2], "INT32")
    assert portable(data) is data


@pytest.mark.parametrize("form", ["keras", "onnx"])
def test_the_wrap_of_a_given_index_goes(form: str) -> None:
    data = embedding(wraps=form)
    rewritten = portable(data)
    assert names(rewritten) == ["GATHER", "NOT_EQUAL"]
    assert "below" not in {tensor.name for tensor in read(rewritten).tensors}
    np.testing.assert_array_equal(run(rewritten, [[0, 4, 2]]), run(data, [[0, 4, 2]]))


@pytest.mark.parametrize("form", ["keras", "onnx"])
def test_the_wrap_of_a_computed_index_stays(form: str) -> None:
    data = embedding(given=False, wraps=form)
    rewritten = portable(data)
    assert "LESS" in names(rewritten)
    np.testing.assert_array_equal(run(rewritten, [[-1, 0, 1]])[0], ROWS[[4, 0, 1]])


def test_a_long_index_comes_in_as_int32() -> None:
    tensors = [T("x", (1, 3), "INT64"), T("rows", ROWS.shape, data=ROWS), T("y", (1, 3, 4))]
    data = flatbuffer(tensors, [O("GATHER", (1, 0), (2,), ("GatherOptions", {}))], (0,), (2,))
    rewritten = portable(data)
    assert read(rewritten).input_tensors()[0].dtype == "int32"
    np.testing.assert_array_equal(run(rewritten, [[3, 0, 1]]), run(data, [[3, 0, 1]]))


@pytest.mark.parametrize("wraps", ["keras", "onnx", ""])
def test_an_index_that_comes_in_as_float_comes_in_as_an_integer(wraps: str) -> None:
    data = embedding("FLOAT32", wraps=wraps)
    rewritten = portable(data)
    assert read(rewritten).input_tensors()[0].dtype == "int32"
    assert names(rewritten) == ["GATHER", "NOT_EQUAL"]
    np.testing.assert_array_equal(run(rewritten, [[3, 0, 1]]), run(data, [[3.0, 0.0, 1.0]]))
    with LiteRT(rewritten) as runtime:
        mask = runtime.run((np.array([[3, 0, 1]], np.int32),))[1]
    np.testing.assert_array_equal(mask, [[True, False, True]])


def test_a_float_that_is_computed_with_stays_float() -> None:
    tensors = [T("x", (1, 3)), T("i", (1, 3), "INT32"), T("y", (1, 3))]
    cast = O("CAST", (0,), (1,), ("CastOptions", {}))
    data = flatbuffer(tensors, [cast, O("ABS", (0,), (2,), ("AbsOptions", {}))], (0,), (1, 2))
    assert portable(data) is data


def test_select_becomes_the_newer_one_where_they_are_the_same() -> None:
    def select(condition: tuple[int, ...]) -> bytes:
        tensors = [T("c", condition, "BOOL"), T("x", (2, 3)), T("z", (2, 3)), T("y", (2, 3))]
        return flatbuffer(tensors, [O("SELECT", (0, 1, 2), (3,))], (0, 1, 2), (3,))

    rows = portable(select((2,)))  # chooses whole rows
    assert names(rows) == ["SELECT"]
    data = select((2, 3))
    rewritten = portable(data)
    assert names(rewritten) == ["SELECT_V2"]
    given = ([[True, False, True]] * 2, np.ones((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(run(rewritten, *given), run(data, *given))


def test_a_long_index_with_a_wrap_comes_in_as_int32() -> None:
    zero, rows = (T(name, (), "INT64", np.array(value)) for name, value in (("0", 0), ("n", 5)))
    tensors = [T("x", (1, 3), "INT64"), T("rows", ROWS.shape, data=ROWS), zero, rows]
    tensors += [T("below", (1, 3), "BOOL"), T("above", (1, 3), "INT64")]
    tensors += [T("wrapped", (1, 3), "INT64"), T("y", (1, 3, 4))]
    ops = [O("LESS", (0, 2), (4,)), O("ADD", (0, 3), (5,)), O("SELECT", (4, 5, 0), (6,))]
    ops.append(O("GATHER", (1, 6), (7,), ("GatherOptions", {})))
    rewritten = portable(flatbuffer(tensors, ops, (0,), (7,)))
    assert (read(rewritten).input_tensors()[0].dtype, names(rewritten)) == ("int32", ["GATHER"])
