from __future__ import annotations

import numpy as np
import pytest
from hand_made import O, T, flatbuffer

from edgekit.bridge.activations import activations
from edgekit.errors import UsageError

FC = ("FullyConnectedOptions", {})
EYE = np.eye(2, dtype=np.float32)
# A layer's name, `last`, is also that of another layer's tensor.
TFLITE = flatbuffer(
    [
        *(T("x", (1, 2)), T("w", (2, 2), data=EYE), T("net/last/MatMul", (1, 2))),
        *(T("v", (2, 2), data=EYE), T("last", (1, 2))),
    ],
    [O("FULLY_CONNECTED", (0, 1, -1), (2,), FC), O("FULLY_CONNECTED", (2, 3, -1), (4,), FC)],
    (0,),
    (4,),
)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [("net/last/MatMul", "net/last/MatMul"), ("last", "net/last/MatMul"), ("x", "x")],
    ids=["a tensor", "a layer goes before a tensor of its name", "an input"],
)
def test_a_name_is_that_of_a_layer_or_a_tensor(name: str, tensor: str) -> None:
    assert activations(TFLITE, [name]) == (tensor,)


def test_two_names_of_one_tensor_are_one() -> None:
    assert activations(TFLITE, ["last", "net/last/MatMul", "x"]) == ("net/last/MatMul", "x")
    assert activations(TFLITE, []) == ()


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'lasst'") as caught:
        activations(TFLITE, ["lasst"])
    assert caught.value.hint == "did you mean last?"
