"""Sparsely stored constants are read as the dense arrays they stand for, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hand_made import FC, O, T, dense, flatbuffer
from made_tflite import unpack
from small_nets import Net

from edgekit.errors import ModelError
from edgekit.graph.edit import pack
from edgekit.graph.graph import Tensor
from edgekit.graph.read import read
from edgekit.graph.schema import generated
from edgekit.quantizers._sparse import sparsify

RNG = np.random.default_rng(0)
WANTED = np.array([[0, 0, 5, 0], [0, 0, 0, 0], [7, 0, 0, 9]], np.float32)


def few(shape: tuple[int, ...], block: int) -> np.ndarray:
    """Random weights of which one block in eight is not zero."""
    kept = RNG.random((*shape[:-1], shape[-1] // block)) < 0.125
    return RNG.normal(size=shape) * kept.repeat(block, axis=-1)


def sparse_tensor(data: bytes) -> Tensor:
    return next(tensor for tensor in read(data).tensors if tensor.sparse)


@pytest.mark.parametrize(
    ("weights", "block"),
    [
        pytest.param(few((32, 48), 1), 1, id="scattered"),
        pytest.param(few((32, 48), 4), 4, id="blocks of four"),
        pytest.param(few((32, 48), 16), 16, id="blocks of sixteen"),
        pytest.param(few((16, 3, 3, 32), 1), 1, id="convolution"),
        pytest.param(few((4, 1024), 1), 1, id="rows that need two bytes of index"),
    ],
)
def test_what_tensorflow_writes(weights: np.ndarray, block: int) -> None:
    net = Net(4, 4, 32).conv(weights) if weights.ndim == 4 else Net(weights.shape[1]).dense(weights)
    found = sparse_tensor(sparsify(net.tflite()))
    assert found.data is not None
    np.testing.assert_array_equal(found.data, weights.astype(np.float32))
    assert found.nbytes == 4 * weights.size


def test_a_dense_file_has_no_sparse_tensors() -> None:
    assert not any(tensor.sparse for tensor in read(dense([WANTED])).tensors)


def by_hand(edit: Callable[[Any, Any], None] = lambda sparsity, buffer: None) -> bytes:
    """`WANTED` as CSR; `edit` may change the layout and the stored values."""
    schema = generated()
    model = unpack(dense([WANTED]))
    tensor = next(t for t in model.subgraphs[0].tensors if t.buffer)
    sparsity, rows, columns = (
        schema.SparsityParametersT(),
        *(schema.DimensionMetadataT() for _ in range(2)),
    )
    rows.format, rows.denseSize = schema.DimensionType.DENSE, 3
    columns.format = schema.DimensionType.SPARSE_CSR
    for name, kind, values in (
        ("arraySegments", "Int32Vector", np.array([0, 1, 1, 3], np.int32)),
        ("arrayIndices", "Uint8Vector", np.array([2, 0, 3], np.uint8)),
    ):
        vector = getattr(schema, f"{kind}T")()
        vector.values = values
        setattr(columns, name, vector)
        setattr(columns, f"{name}Type", getattr(schema.SparseIndexVector, kind))
    sparsity.traversalOrder, sparsity.blockMap = [0, 1], []
    sparsity.dimMetadata = [rows, columns]
    tensor.sparsity = sparsity
    buffer = model.buffers[tensor.buffer]
    buffer.data = np.frombuffer(np.array([5, 7, 9], np.float32).tobytes(), np.uint8)
    edit(sparsity, buffer)
    return pack(model)


def test_by_hand() -> None:
    np.testing.assert_array_equal(sparse_tensor(by_hand()).data, WANTED)


def _order(sparsity: Any, buffer: Any) -> None:
    sparsity.traversalOrder = [0, 0]


def _levels(sparsity: Any, buffer: Any) -> None:
    del sparsity.dimMetadata[1]


def _blocks(sparsity: Any, buffer: Any) -> None:
    sparsity.blockMap, sparsity.traversalOrder = [5], [0, 1, 2]
    sparsity.dimMetadata.append(sparsity.dimMetadata[0])


def _rows(sparsity: Any, buffer: Any) -> None:
    sparsity.dimMetadata[0].denseSize = 2


def _endless(sparsity: Any, buffer: Any) -> None:
    sparsity.dimMetadata[0].denseSize = 2**31 - 1


def _negative(sparsity: Any, buffer: Any) -> None:
    sparsity.dimMetadata[0].denseSize = -3


def _beyond(sparsity: Any, buffer: Any) -> None:
    sparsity.dimMetadata[1].arrayIndices.values = np.array([2, 0, 4], np.uint8)


def _falling(sparsity: Any, buffer: Any) -> None:
    sparsity.dimMetadata[1].arraySegments.values = np.array([0, 2, 1, 3], np.int32)


def _too_far(sparsity: Any, buffer: Any) -> None:
    sparsity.dimMetadata[1].arraySegments.values = np.array([0, 1, 1, 9], np.int32)


def _no_indices(sparsity: Any, buffer: Any) -> None:
    sparsity.dimMetadata[1].arrayIndices = None
    sparsity.dimMetadata[1].arrayIndicesType = 0


def _values(sparsity: Any, buffer: Any) -> None:
    buffer.data = buffer.data[:8]


def _half_a_value(sparsity: Any, buffer: Any) -> None:
    buffer.data = buffer.data[:7]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(_order, id="an axis twice"),
        pytest.param(_levels, id="a level too few"),
        pytest.param(_blocks, id="blocks on an axis that is not there"),
        pytest.param(_rows, id="a row too few"),
        pytest.param(_endless, id="rows without end"),
        pytest.param(_negative, id="a negative size"),
        pytest.param(_beyond, id="an index beyond the shape"),
        pytest.param(_falling, id="segments that fall"),
        pytest.param(_too_far, id="segments beyond the indices"),
        pytest.param(_no_indices, id="no indices"),
        pytest.param(_values, id="a value too few"),
        pytest.param(_half_a_value, id="half a value"),
    ],
)
def test_a_layout_that_does_not_hold_together(edit: Callable[[Any, Any], None]) -> None:
    with pytest.raises(ModelError, match="is stored sparse"):
        read(by_hand(edit))


def test_a_huge_shape_over_few_values_is_refused() -> None:
    model = unpack(by_hand())
    next(t for t in model.subgraphs[0].tensors if t.sparsity).shape = [20000, 20000]
    with pytest.raises(ModelError, match="is stored sparse"):
        read(pack(model))


def test_flipped_bits_are_read_or_refused() -> None:
    net = flatbuffer(
        [T("x", (1, 48)), T("w", (32, 48), data=few((32, 48), 4).astype(np.float32)),
         T("y", (1, 32))],
        [O("FULLY_CONNECTED", (0, 1, -1), (2,), FC)], (0,), (2,),
    )  # fmt: skip
    data = sparsify(net)
    refused = 0
    for _ in range(300):
        flipped = bytearray(data)
        flipped[RNG.integers(len(data))] ^= 1 << RNG.integers(8)
        try:
            read(bytes(flipped))
        except ModelError:
            refused += 1
    assert 0 < refused < 300
