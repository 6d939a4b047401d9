"""Ops of several outputs written as one SLICE an output: the same values and names."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import O, T, flatbuffer

from edgekit.graph.read import read
from edgekit.graph.slices import slice_all
from edgekit.runtimes.litert import LiteRT

X = np.arange(24, dtype=np.float32).reshape(1, 4, 6)


def split() -> bytes:
    axis = np.array(-1, np.int32)
    tensors = [T("axis", (), "INT32", axis), T("x", X.shape)]
    tensors += [T(f"y{number}", (1, 4, 2)) for number in range(3)]
    return flatbuffer(tensors, [O("SPLIT", (0, 1), (2, 3, 4), SPLIT)], (1,), (2, 4))


def split_v() -> bytes:
    sizes, axis = np.array([1, 3], np.int32), np.array(1, np.int32)
    tensors = [T("x", X.shape), T("sizes", (2,), "INT32", sizes), T("axis", (), "INT32", axis)]
    tensors += [T("y0", (1, 1, 6)), T("y1", (1, 3, 6))]
    return flatbuffer(tensors, [O("SPLIT_V", (0, 1, 2), (3, 4), SPLIT_V)], (0,), (3, 4))


def unpack() -> bytes:
    tensors = [T("x", X.shape), *(T(f"y{number}", (1, 6)) for number in range(4))]
    return flatbuffer(tensors, [O("UNPACK", (0,), (1, 2, 3, 4), UNPACK)], (0,), (1, 2, 3, 4))


SPLIT = ("SplitOptions", {"numSplits": 3})
SPLIT_V = ("SplitVOptions", {"numSplits": 2})
UNPACK = ("UnpackOptions", {"num": 4, "axis": 1})


@pytest.mark.parametrize(
    ("data", "kinds", "count"),
    [
        pytest.param(split(), {"SLICE"}, 2, id="split, one part unread"),
        pytest.param(split_v(), {"SLICE"}, 2, id="split into unequal parts"),
        pytest.param(unpack(), {"SLICE", "RESHAPE"}, 8, id="unpack"),
    ],
)
def test_values_and_names_stay(data: bytes, kinds: set[str], count: int) -> None:
    sliced = slice_all(data)
    before, after = read(data), read(sliced)
    assert ({op.name for op in after.ops}, len(after.ops)) == (kinds, count)
    assert [t.name for t in after.output_tensors()] == [t.name for t in before.output_tensors()]
    with LiteRT(data) as old, LiteRT(sliced) as new:
        for wanted, got in zip(old.run((X,)), new.run((X,)), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_nothing_to_cut_gives_the_same_file_back() -> None:
    tensors = [T("x", (1, 3)), T("y", (1, 3))]
    data = flatbuffer(tensors, [O("ABS", (0,), (1,), ("AbsOptions", {}))], (0,), (1,))
    assert slice_all(data) is data


def test_scalars_are_left_alone() -> None:
    tensors = [T("x", (2,)), T("y0", ()), T("y1", ())]
    options = ("UnpackOptions", {"num": 2, "axis": 0})
    data = flatbuffer(tensors, [O("UNPACK", (0,), (1, 2), options)], (0,), (1, 2))
    assert [op.name for op in read(slice_all(data)).ops] == ["UNPACK"]
