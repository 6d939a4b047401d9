"""Bytes to other places: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, Step, build, one_op, options

from edgekit.errors import TargetError

Shape = tuple[int, ...]


def made(name: str, shape: Shape, data: Any = None, dtype: str = "INT8") -> Made:
    if data is not None:
        return Made(name, shape, "INT32", np.array(data, np.int32))
    return (
        Made(name, shape, dtype, None, (0.1,), (-3,))
        if dtype == "INT8"
        else Made(name, shape, dtype)
    )


def transpose(shape: Shape, order: Sequence[int], dtype: str = "INT8") -> bytes:
    out = tuple(shape[axis] for axis in order)
    tensors = [made("x", shape, dtype=dtype), made("order", (len(order),), order)]
    return one_op("TRANSPOSE", [*tensors, made("turned", out, dtype=dtype)], options("Transpose"))


def cut(shape: Shape, begin: Sequence[int], size: Sequence[int]) -> bytes:
    out = tuple(
        whole - start if each < 0 else each
        for whole, start, each in zip(shape, begin, size, strict=True)
    )
    rank = (len(shape),)
    tensors = [made("x", shape), made("begin", rank, begin), made("size", rank, size)]
    return one_op("SLICE", [*tensors, made("part", out)], options("Slice"))


def strided(
    shape: Shape,
    begin: Sequence[int],
    end: Sequence[int],
    step: Sequence[int],
    out: Shape,
    **masks: int,
) -> bytes:
    rank = (len(shape),)
    lists = [made(name, rank, each) for name, each in (("b", begin), ("e", end), ("s", step))]
    tensors = [made("x", shape), *lists, made("part", out)]
    return one_op("STRIDED_SLICE", tensors, options("StridedSlice", **masks))


def split(shape: Shape, axis: int, count: int, read: Sequence[int]) -> bytes:
    part = tuple(size // (count if place == axis else 1) for place, size in enumerate(shape))
    tensors = [made("axis", (1,), [axis]), made("x", shape)]
    tensors += [made(f"part{number}", part) for number in range(count)]
    outputs = range(2, 2 + count)
    step = Step("SPLIT", (0, 1), outputs, options("Split", numSplits=count))
    return build(tensors, [step], (1,), [outputs[number] for number in read])


def split_v(shape: Shape, axis: int, sizes: Sequence[int]) -> bytes:
    tensors = [made("x", shape), made("sizes", (len(sizes),), sizes), made("axis", (1,), [axis])]
    for number, size in enumerate(sizes):
        part = tuple(size if place == axis else each for place, each in enumerate(shape))
        tensors.append(made(f"part{number}", part))
    outputs = range(3, 3 + len(sizes))
    step = Step("SPLIT_V", (0, 1, 2), outputs, options("SplitV", numSplits=len(sizes)))
    return build(tensors, [step], (0,), outputs)


def unpack(shape: Shape, axis: int) -> bytes:
    count, part = shape[axis], tuple(np.delete(shape, axis).tolist())
    tensors = [made("x", shape), *(made(f"part{number}", part) for number in range(count))]
    outputs = range(1, 1 + count)
    step = Step("UNPACK", (0,), outputs, options("Unpack", num=count, axis=axis))
    return build(tensors, [step], (0,), outputs)


def reverse(shape: Shape, axes: Sequence[int]) -> bytes:
    tensors = [made("x", shape), made("axes", (len(axes),), axes), made("turned", shape)]
    return one_op("REVERSE_V2", tensors)


def broadcast(shape: Shape, out: Shape) -> bytes:
    tensors = [made("x", shape), made("shape", (len(out),), out), made("many", out)]
    return one_op("BROADCAST_TO", tensors)


def blocks(kind: str, shape: Shape, size: int, pads: int = 0) -> bytes:
    batch, height, width, depth = shape
    if kind in ("DEPTH_TO_SPACE", "BATCH_TO_SPACE_ND"):
        out = (height * size, width * size)
    else:
        out = (height // size, width // size)
    if "DEPTH" in kind:
        area = depth * size**2 if kind == "SPACE_TO_DEPTH" else depth // size**2
        tensors = [made("x", shape), made("blocks", (batch, *out, area))]
        name = "SpaceToDepth" if kind == "SPACE_TO_DEPTH" else "DepthToSpace"
        return one_op(kind, tensors, options(name, blockSize=size))
    batch = batch * size**2 if kind == "SPACE_TO_BATCH_ND" else batch // size**2
    lists = [made("size", (2,), (size, size)), made("pads", (2, 2), ((pads, 0), (0, 0)))]
    return one_op(kind, [made("x", shape), *lists, made("blocks", (batch, *out, depth))])


def test_a_matrix_turns() -> None:
    row = np.arange(6, dtype=np.int8).reshape(2, 3)
    (got,) = interpret(compiled(transpose((2, 3), (1, 0))).program, (row,))
    assert got.tolist() == row.T.tolist()


def test_a_slice_of_whole_rows_is_one_copy_in_place() -> None:
    project = compiled(cut((4, 5, 3), (1, 0, 0), (2, 5, 3)))
    assert "ek_copy(arena + 0, arena + 0 + 15, 30);" in project.text.source
    assert project.plan.arena == 64


def test_parts_that_nobody_reads_cost_nothing() -> None:
    assert len(compiled(split((1, 4, 6), 2, 3, (0, 2))).program.layers) == 2


@pytest.mark.parametrize("core", CORES)
def test_moves_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        transpose((3, 4, 5), (2, 0, 1)),
        transpose((2, 3, 4, 5), (0, 3, 1, 2)),
        transpose((1, 6, 5, 4), (0, 2, 1, 3)),
        transpose((3, 7), (1, 0), "FLOAT32"),
        cut((2, 5, 4, 3), (1, 1, 0, 1), (1, -1, 3, 2)),
        strided((1, 9, 8, 3), (0, 1, 7, 0), (1, 8, 0, 3), (1, 2, -3, 1), (1, 4, 3, 3)),
        strided((4, 5), (2, 0), (3, 3), (1, 1), (5,), shrinkAxisMask=1, endMask=2, beginMask=2),
        strided((12,), (-1,), (0,), (-1,), (12,), endMask=1),
        split((2, 3, 8), 2, 4, range(4)),
        split((6, 2, 4), 0, 3, (0, 2)),
        split_v((2, 7, 3), 1, (4, 1, 2)),
        unpack((3, 4, 5), 1),
        reverse((2, 3, 4), (1,)),
        reverse((3, 4, 5), (1, 2)),
        broadcast((3, 1, 2), (2, 3, 4, 2)),
        blocks("DEPTH_TO_SPACE", (1, 3, 2, 8), 2),
        blocks("SPACE_TO_DEPTH", (1, 6, 4, 3), 2),
        blocks("BATCH_TO_SPACE_ND", (4, 3, 2, 5), 2),
        blocks("SPACE_TO_BATCH_ND", (1, 6, 4, 3), 2),
    ]  # fmt: skip
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'part'.*: the option new_axis_mask"):
        compiled(strided((4, 5), (0, 0), (4, 5), (1, 1), (1, 5), newAxisMask=1))
    with pytest.raises(TargetError, match="blocks with padding or crops"):
        compiled(blocks("SPACE_TO_BATCH_ND", (1, 5, 4, 3), 2, 1))
    with pytest.raises(TargetError, match="5 axes in another order"):
        compiled(transpose((2, 2, 2, 2, 2), (4, 3, 2, 1, 0)))
