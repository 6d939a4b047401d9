"""Images of another size: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

NEAREST, BILINEAR = "ResizeNearestNeighbor", "ResizeBilinear"
OPERATORS = {NEAREST: "RESIZE_NEAREST_NEIGHBOR", BILINEAR: "RESIZE_BILINEAR"}


def resize(
    kind: str,
    size: tuple[int, int],
    out: tuple[int, int],
    channels: int = 2,
    corners: bool = False,
    centers: bool = False,
    batch: int = 1,
) -> bytes:
    tensors = [
        Made("x", (batch, *size, channels), "INT8", None, (0.1,), (-3,)),
        Made("size", (2,), "INT32", np.array(out, np.int32)),
        Made("resized", (batch, *out, channels), "INT8", None, (0.1,), (-3,)),
    ]
    made = options(kind, alignCorners=corners, halfPixelCenters=centers)
    return one_op(OPERATORS[kind], tensors, made)


def test_twice_the_size_repeats_pixels() -> None:
    row = np.array([1, 2], np.int8).reshape(1, 1, 2, 1)
    (got,) = interpret(compiled(resize(NEAREST, (1, 2), (1, 4), 1)).program, (row,))
    assert got.ravel().tolist() == [1, 1, 2, 2]


def test_pixels_between_are_means() -> None:
    row = np.array([0, 10], np.int8).reshape(1, 1, 2, 1)
    model = resize(BILINEAR, (1, 2), (1, 3), 1, corners=True)
    (got,) = interpret(compiled(model).program, (row,))
    assert got.ravel().tolist() == [0, 5, 10]


@pytest.mark.parametrize("core", CORES)
def test_resized_images_are_tflite_micros(core: str, tmp_path: Path) -> None:
    sizes = (((3, 4), (6, 8)), ((5, 7), (3, 9)), ((8, 6), (4, 3)), ((2, 3), (7, 11)))
    choices = ((False, False), (True, False), (False, True))
    models = [
        resize(kind, *sizes[(place + number) % 4], 3, *choice)
        for place, kind in enumerate((NEAREST, BILINEAR))
        for number, choice in enumerate(choices * 2)
    ]
    models.append(resize(NEAREST, (5, 4), (9, 7), 2, True, True))
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'resized'.*: an input of \(2, 3, 4, 2\)"):
        compiled(resize(NEAREST, (3, 4), (6, 8), batch=2))
    with pytest.raises(TargetError, match="3000 pixels from 2"):
        compiled(resize(BILINEAR, (2, 1), (3000, 1), 1))
