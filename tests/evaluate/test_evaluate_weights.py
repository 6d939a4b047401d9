"""Which constants are kernels, and their figures."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import FC, O, T, flatbuffer
from made_tflite import small_net
from small_nets import Net

from edgekit.bridge.names import layer_names
from edgekit.evaluate.weights import Totals, find, kernels, totals
from edgekit.graph.read import read

ZEROS_AND_ONES = np.tile([[0.0, 1.0, 0.0, 0.0]], (2, 1))


def test_a_net_layer_by_layer() -> None:
    conv = np.arange(4 * 1 * 1 * 2, dtype=float).reshape(4, 1, 1, 2)
    depthwise = np.array([1.0, 2.0, 0.0, 0.0]).reshape(1, 1, 1, 4).repeat(3, 1)
    net = Net(3, 3, 2).conv(conv).depthwise(depthwise).mean().dense(ZEROS_AND_ONES)
    found = kernels(read(net.tflite()))
    figures = [(k.op, k.elements, k.zeros, k.distinct, k.distinct_channel) for k in found]
    assert figures == [
        ("CONV_2D", 8, 1, 8, 2),
        ("DEPTHWISE_CONV_2D", 12, 6, 3, 1),
        ("FULLY_CONNECTED", 8, 6, 2, 2),
    ]
    dense = found[2]
    assert (dense.dense, dense.csr, dense.code_book) == (32, 2 * 5 + 3 * 2, 1 + 8)
    assert dense.best == ("code_book", 9)
    assert dense.to_json()["best"] == {"encoding": "code_book", "bytes": 9}
    names = layer_names(read(net.tflite()))
    assert [kernel.layer for kernel in found] == [names[0], names[1], names[3]]


def test_integers_and_their_totals() -> None:
    found = kernels(read(small_net()))
    assert [(k.op, k.dtype, k.elements, k.dense) for k in found] == [
        ("CONV_2D", "int8", 54, 54),
        ("FULLY_CONNECTED", "int8", 96, 96),
    ]
    both = totals(found)
    assert (both.elements, both.dense) == (150, 150)
    assert both.distinct == max(kernel.distinct for kernel in found)
    assert both.entries == sum(kernel.distinct for kernel in found)
    assert both.best == sum(min(k.dense, k.csr, k.code_book) for k in found)


def test_no_kernels() -> None:
    net = flatbuffer([T("x", (1, 4)), T("y", (1, 4))], [O("RELU", (0,), (1,))], (0,), (1,))
    assert totals(kernels(read(net))) == Totals()
    assert Totals().sparsity == 0.0


def test_zero_is_where_the_real_value_is_zero() -> None:
    values = np.array([[128, 0, 128, 3]], np.uint8)
    tensors = [
        T("x", (1, 4), "UINT8", scale=0.5, zero=128),
        T("w", (1, 4), "UINT8", values, scale=0.5, zero=128),
        T("y", (1, 1), "UINT8", scale=0.5, zero=128),
    ]
    data = flatbuffer(tensors, [O("FULLY_CONNECTED", (0, 1, -1), (2,), FC)], (0,), (2,))
    assert kernels(read(data))[0].zeros == 2


def half(again: bool = False) -> bytes:
    """Weights behind DEQUANTIZE, read by one layer or by two."""
    tensors = [
        T("x", (1, 4)),
        T("half", (4, 4), "FLOAT16", np.eye(4, dtype=np.float16)),
        T("w", (4, 4)),
        T("y", (1, 4)),
        T("z", (1, 4)),
    ]
    ops = [O("DEQUANTIZE", (1,), (2,)), O("FULLY_CONNECTED", (0, 2, -1), (3,), FC)]
    ops += [O("FULLY_CONNECTED", (3, 2, -1), (4,), FC)] * again
    return flatbuffer(tensors, ops, (0,), (4 if again else 3,))


@pytest.mark.parametrize("again", [False, True], ids=["read once", "shared by two layers"])
def test_half_precision_is_counted_as_stored_and_once(again: bool) -> None:
    (kernel,) = kernels(read(half(again)))
    assert (kernel.tensor, kernel.dtype, kernel.dense, kernel.zeros) == (1, "float16", 32, 12)


@pytest.mark.parametrize(
    ("table", "counted"),
    [
        pytest.param(T("t", (5, 2), "FLOAT32", np.ones((5, 2), np.float32)), 1, id="embedding"),
        pytest.param(T("t", (5, 2), "INT32", np.ones((5, 2), np.int32)), 0, id="table of sizes"),
    ],
)
def test_a_table_is_weights_when_it_holds_real_values(table: T, counted: int) -> None:
    kind = ("GatherOptions", {"axis": 0})
    tensors = [T("i", (1, 3), "INT32"), table, T("y", (1, 3, 2), table.dtype)]
    data = flatbuffer(tensors, [O("GATHER", (1, 0), (2,), kind)], (0,), (2,))
    assert len(find(read(data))) == counted


@pytest.mark.parametrize(
    ("adj_y", "shape", "channels"),
    [
        pytest.param(False, (3, 2), 2, id="columns of the right side"),
        pytest.param(True, (2, 3), 2, id="rows of a transposed right side"),
    ],
)
def test_channels_of_a_matmul(adj_y: bool, shape: tuple[int, int], channels: int) -> None:
    tensors = [T("x", (1, 3)), T("w", shape, data=np.ones(shape, np.float32)), T("y", (1, 2))]
    kind = ("BatchMatMulOptions", {"adjY": adj_y})
    data = flatbuffer(tensors, [O("BATCH_MATMUL", (0, 1), (2,), kind)], (0,), (2,))
    (weights,) = find(read(data))
    assert weights.by_channel(weights.values).shape == (channels, 3)
