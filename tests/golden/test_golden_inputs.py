"""Golden vectors: which they are, how many, and for which types."""

from __future__ import annotations

import numpy as np
import pytest
from made_tflite import Made, Step, build, one_op, options

from edgekit.golden.inputs import BYTES, vectors
from edgekit.graph.read import read


def net(shape: tuple[int, ...], dtype: str = "INT8") -> bytes:
    tensors = [Made("x", shape, dtype, None, (0.5,), (0,)), Made("y", shape, dtype)]
    return one_op("RELU", tensors)


def test_kinds_in_turn_with_the_whole_range() -> None:
    rows = [row[0].astype(int) for row in vectors(read(net((1, 50, 20))))]
    assert len(rows) == 8
    random, smooth, lowest, highest, random_again, *_ = rows
    assert (random.min(), random.max()) == (-128, 127)
    assert np.abs(np.diff(smooth.ravel())).max() <= 9
    assert smooth.max() - smooth.min() > 100
    assert set(lowest.ravel()) == {-128}
    assert set(highest.ravel()) == {127}
    assert not np.array_equal(random, random_again)


def test_the_same_seed_the_same_vectors() -> None:
    graph = read(net((1, 9)))
    one, two, other = vectors(graph, 3), vectors(graph, 3), vectors(graph, 4)
    assert all(a[0].tobytes() == b[0].tobytes() for a, b in zip(one, two, strict=True))
    assert one[0][0].tobytes() != other[0][0].tobytes()


@pytest.mark.parametrize(("size", "count"), [(96 * 96 * 3, 4), (BYTES, 2), (4 * BYTES, 2), (10, 8)])
def test_few_where_inputs_are_large(size: int, count: int) -> None:
    assert len(vectors(read(net((1, size))))) == count


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("UINT8", 0, 255), ("INT8", -128, 127), ("INT16", -32768, 32512)]
)
def test_integer_types(dtype: str, low: int, high: int) -> None:
    values = np.concatenate([row[0].ravel() for row in vectors(read(net((1, 400), dtype)))])
    assert values.dtype == dtype.lower()
    assert (values.min(), values.max()) == (low, high)


def test_float_inputs_cover_what_the_model_quantizes() -> None:
    tensors = [Made("x", (1, 500)), Made("q", (1, 500), "INT8", None, (0.25,), (-28,))]
    data = build(tensors, [Step("QUANTIZE", (0,), (1,), options("Quantize"))], (0,), (1,))
    values = np.concatenate([row[0].ravel() for row in vectors(read(data))])
    assert values.dtype == np.float32
    assert (values.min(), values.max()) == (-25.0, 38.75)
    plain = np.concatenate([row[0].ravel() for row in vectors(read(net((1, 500), "FLOAT32")))])
    assert -1.0 <= plain.min() < plain.max() < 1.0
