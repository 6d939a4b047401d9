"""Sizes that can be checked by head."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.evaluate import encodings


def row(size: int, *kept: int) -> np.ndarray:
    made = np.zeros((1, size), bool)
    made[0, list(kept)] = True
    return made


@pytest.mark.parametrize(
    ("kept", "bits", "size"),
    [
        pytest.param(row(4, 0, 3), 8, 2 * 2 + 2 * 2, id="two int8 values and two row ends"),
        pytest.param(row(4, 0, 3), 32, 2 * 5 + 2 * 2, id="float32 values take five bytes"),
        pytest.param(row(3, 0, 1, 2), 4, 5 + 2 * 2, id="int4 values take twelve bits"),
        pytest.param(row(8), 8, 2 * 2, id="nothing kept"),
        pytest.param(row(600, 255), 8, 2 + 2 * 2, id="as far as one byte reaches"),
        pytest.param(row(600, 256), 8, 2 * 2 + 2 * 2, id="one further needs a filler"),
        pytest.param(row(600, 10, 523), 8, 4 * 2 + 2 * 2, id="512 zeros between need two"),
        pytest.param(np.eye(3, dtype=bool), 8, 3 * 2 + 4 * 2, id="distances begin anew in a row"),
        pytest.param(np.ones((1, 65535), bool), 8, 131070 + 2 * 2, id="two-byte row ends"),
        pytest.param(np.ones((1, 65536), bool), 8, 131072 + 2 * 4, id="four-byte row ends"),
    ],
)
def test_csr(kept: np.ndarray, bits: int, size: int) -> None:
    assert encodings.csr(kept, bits) == size


@pytest.mark.parametrize(
    ("rows", "bits", "size"),
    [
        pytest.param([[5] * 8], 8, 1, id="one value needs no index"),
        pytest.param([[1, 2] * 8], 8, 2 + 2, id="two values, one bit each"),
        pytest.param([[1, 2, 3] * 8], 32, 6 + 12, id="three values, two bits each"),
        pytest.param([[1] * 8 + [2] * 8, [3] * 8 + [4] * 8], 8, 4 + 4, id="a book a channel"),
        pytest.param([[1, 2] * 4, [2, 1] * 4], 8, 2 + 2, id="one book for both channels"),
    ],
)
def test_code_book(rows: list[list[int]], bits: int, size: int) -> None:
    assert encodings.code_book(np.array(rows), bits) == size


def test_distinct_counts_each_row_and_takes_minus_zero_for_zero() -> None:
    rows = np.array([[1.0, 1.0, 1.0], [0.0, -0.0, 2.0], [3.0, 1.0, 2.0]])
    assert encodings.distinct(rows).tolist() == [1, 2, 3]
