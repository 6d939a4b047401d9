from __future__ import annotations

import pytest
from hand_made import O, T, flatbuffer

from edgekit.evaluate.matching import match
from edgekit.graph.read import read


def chain(names: list[str], ops: list[str], dtypes: list[str] | None = None) -> bytes:
    kinds = dtypes or ["FLOAT32"] * len(names)
    tensors = [
        T(name, (1, 4), kind, scale=None if kind == "FLOAT32" else 0.1)
        for name, kind in zip(names, kinds, strict=True)
    ]
    steps = [O(op, (k,), (k + 1,)) for k, op in enumerate(ops)]
    return flatbuffer(tensors, steps, (0,), (len(ops),))


FLOAT = chain(["x", "a", "b", "y"], ["RELU", "TANH", "LOGISTIC"])


@pytest.mark.parametrize(
    ("built", "wanted"),
    [
        pytest.param(
            chain(["x", "a", "b", "y"], ["RELU", "TANH", "LOGISTIC"]),
            {0: 0, 1: 1, 2: 2, 3: 3},
            id="by name",
        ),
        pytest.param(
            chain(["in", "p", "q", "r"], ["RELU", "TANH", "LOGISTIC"]),
            {0: 0, 1: 1, 2: 2, 3: 3},
            id="by the order of ops",
        ),
        pytest.param(
            chain(
                ["x", "x_int8", "a", "b", "y_int8", "y"],
                ["QUANTIZE", "RELU", "TANH", "LOGISTIC", "DEQUANTIZE"],
                ["FLOAT32", "INT8", "INT8", "INT8", "INT8", "FLOAT32"],
            ),
            {0: 0, 1: 0, 2: 1, 3: 2, 4: 3, 5: 3},
            id="past QUANTIZE and DEQUANTIZE",
        ),
        pytest.param(
            chain(["x", "p", "y"], ["RELU", "LOGISTIC"]),
            {0: 0, 1: 1, 2: 3},
            id="a layer was removed",
        ),
    ],
)
def test_tensors_find_their_counterparts(built: bytes, wanted: dict[int, int]) -> None:
    assert match(read(FLOAT), read(built)) == wanted


def test_counterparts_of_another_shape_do_not_count() -> None:
    wide = flatbuffer([T("x", (1, 5)), T("a", (1, 5))], [O("RELU", (0,), (1,))], (0,), (1,))
    assert match(read(FLOAT), read(wide)) == {}
