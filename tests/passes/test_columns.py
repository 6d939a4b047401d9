"""Kernels as columns, one for each output channel, and the code books in them."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.passes._columns import Book, Columns

RNG = np.random.default_rng(0)
KINDS = [
    pytest.param("Conv2D", (3, 3, 2, 4), lambda k, c: k[..., c], 4, id="convolution"),
    pytest.param("Dense", (6, 5), lambda k, c: k[:, c], 5, id="dense"),
    pytest.param(
        "DepthwiseConv2D", (3, 3, 2, 2), lambda k, c: k[:, :, c // 2, c % 2], 4, id="depthwise"
    ),
    pytest.param("Conv2DTranspose", (3, 3, 4, 2), lambda k, c: k[:, :, c], 4, id="transposed"),
    pytest.param("Conv3D", (2, 2, 2, 3, 4), lambda k, c: k[..., c], 4, id="three-dimensional"),
]


@pytest.mark.parametrize(("kind", "shape", "channel", "count"), KINDS)
def test_a_column_is_an_output_channel_and_all_come_back(kind, shape, channel, count) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    kernel = RNG.normal(size=shape)
    columns = Columns.of(kind, shape)
    flat = columns.flatten(kernel)
    assert flat.shape == (kernel.size // count, count)
    for number in range(count):
        assert np.array_equal(np.sort(flat[:, number]), np.sort(channel(kernel, number).ravel()))
    assert np.array_equal(columns.restore(flat), kernel)


def product(book: Book) -> np.ndarray:
    codes = np.broadcast_to(book.codes, (len(book.codes), len(book.start)))
    return np.take_along_axis(codes, book.index, axis=0) * book.start


def test_a_shared_book_is_found_through_the_rounding_of_float32() -> None:
    codes = np.float32([-1, -0.5, 0, 0.3])
    factor = np.exp(RNG.uniform(-5, 5, 16)).astype(np.float32)
    flat = RNG.choice(codes, (40, 16)) * factor
    book = Book.shared(flat, factor / np.float32(127))
    assert book.codes.shape == (4, 1)
    assert book.codes.ravel() == pytest.approx(codes, abs=1e-6)
    assert np.allclose(product(book), flat, rtol=1e-5)
    assert np.array_equal(product(book) == 0, flat == 0)


def test_a_channel_without_weights_is_zero() -> None:
    flat = np.stack([np.zeros(4), [1, -1, 1, -1]], axis=1).astype(np.float32)
    assert np.array_equal(product(Book.shared(flat, np.array([0.0, 1 / 127]))), flat)
    assert np.array_equal(product(Book.per_channel(flat)), flat)


def test_each_channel_has_the_codes_it_had() -> None:
    flat = np.float32([[1, 10, 3], [2, 10, 3], [2, 20, 3], [-4, 0, 3]])
    book = Book.per_channel(flat)
    assert book.codes.shape == (3, 3)
    assert np.allclose(product(book), flat)
