"""Promises that hold and promises that do not, in float and in integers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hand_made import dense, dense_int8
from small_nets import Net, as_model, rows_of

from edgekit.graph.read import read
from edgekit.passes.promises import Promise, broken, broken_in_integers
from edgekit.quantizers.base import QuantizeOptions, load

PLAIN = QuantizeOptions(equalise="off", bias_correct="off")
HALF = np.array([[0.0, 1.0, 0.0, 2.0], [3.0, 0.0, 4.0, 0.0]])
BLOCKS = np.kron([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], np.ones((2, 4)))
TAIL = np.kron([[1.0, 0.0], [0.0, 1.0]], np.ones((2, 4)))[:3, :7]
FEW = np.array([[1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 3.0, 4.0]])


def promise(kind: Any, value: float = 0.0, **more: Any) -> Promise:
    return Promise("layer", 1, kind, value, **more)


@pytest.mark.parametrize(
    ("weights", "given", "said"),
    [
        pytest.param(HALF, promise("sparsity", 0.5), "", id="half is zero"),
        pytest.param(HALF, promise("sparsity", 0.6), "", id="rounding to whole weights"),
        pytest.param(
            HALF, promise("sparsity", 0.75), "layer: 50.0 % zeros, 75.0 % promised", id="too few"
        ),
        pytest.param(HALF, promise("sparsity", 0.5, per="channel"), "", id="half of each channel"),
        pytest.param(
            np.array([[0.0, 0, 0, 0], [1, 2, 3, 4]]),
            promise("sparsity", 0.5, per="channel"),
            "layer: 0.0 % zeros in channel 1, 50.0 % promised",
            id="a channel without zeros",
        ),
        pytest.param(BLOCKS, promise("block", 4 / 6, block=(4, 2)), "", id="blocks of 4 x 2"),
        pytest.param(
            BLOCKS,
            promise("block", 4 / 6, block=(2, 4)),
            "layer: 50.0 % zero blocks 2x4, 66.7 % promised",
            id="blocks lie in Keras' layout",
        ),
        pytest.param(
            TAIL, promise("block", 0.5, block=(4, 2)), "", id="smaller blocks at the edge"
        ),
        pytest.param(HALF, promise("n_m", n=1, m=2), "", id="one of two"),
        pytest.param(
            HALF[:, [0, 2, 1, 3]],
            promise("n_m", n=1, m=2),
            "layer: 2 of 4 groups break the promise of at most 1 of 2 weights in a row",
            id="two of two",
        ),
        pytest.param(
            np.array([[1.0, 0, 2, 0, 3]]), promise("n_m", n=2, m=4), "", id="a short last group"
        ),
        pytest.param(FEW, promise("distinct", 4), "", id="four values"),
        pytest.param(
            FEW, promise("distinct", 3), "layer: 4 different weights, 3 promised", id="one more"
        ),
        pytest.param(FEW, promise("distinct", 2, per="channel"), "", id="two in each channel"),
        pytest.param(
            np.array([[1.0, 1, 1], [1, 2, 3]]),
            promise("distinct", 2, per="channel"),
            "layer: 3 different weights in channel 1, 2 promised",
            id="three in one channel",
        ),
        pytest.param(
            HALF,
            Promise("layer", 0, "sparsity", 0.5),
            "layer: tensor 0 holds no weights",
            id="not a kernel",
        ),
    ],
)
def test_in_float(weights: np.ndarray, given: Promise, said: str) -> None:
    problems = broken([given], dense([weights]))
    assert [problem.message for problem in problems] == [said] * bool(said)
    assert all(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize("kind", ["conv", "depthwise"])
def test_groups_run_along_the_last_axis_and_channels_along_the_outputs(kind: str) -> None:
    values = np.tile([1.0, 0.0, 0.0, 2.0], 3 * 3 * 4)
    if kind == "conv":
        data = Net(4, 4, 4).conv(values.reshape(4, 3, 3, 4)).tflite()
        in_a_channel = 3
    else:
        data = Net(4, 4, 4).depthwise(values[:36].reshape(1, 3, 3, 4)).tflite()
        in_a_channel = 1
    good = [promise("n_m", n=1, m=2), promise("distinct", in_a_channel, per="channel")]
    assert broken(good, data) == []
    bad = [promise("n_m", n=1, m=4), promise("distinct", in_a_channel - 1, per="channel")]
    assert len(broken(bad, data)) == 2


@pytest.mark.parametrize(
    ("given", "built", "said"),
    [
        pytest.param(promise("sparsity", 0.5), HALF, "", id="zeros stay"),
        pytest.param(promise("sparsity", 0.5), HALF * (HALF > 1), "", id="more zeros"),
        pytest.param(
            promise("sparsity", 0.5),
            HALF + (HALF == 0) * [[0, 0, 1, 0]],
            "1 weights that were zero are not",
            id="a zero is lost",
        ),
        pytest.param(
            promise("sparsity", 0.5),
            HALF[:, ::-1],
            "4 weights that were zero are not",
            id="as many zeros in other places",
        ),
        pytest.param(promise("n_m", n=1, m=2), HALF, "", id="groups stay"),
        pytest.param(promise("distinct", 5), HALF, "", id="five integers"),
        pytest.param(
            promise("distinct", 5),
            np.add(HALF, [[0, 0, 0, 0], [0, 0, 0, 0.5]]),
            "6 different weights, 5 promised",
            id="six integers",
        ),
    ],
)
def test_in_integers(given: Promise, built: np.ndarray, said: str) -> None:
    integers = dense_int8([built], [0.1, 0.1])
    problems = broken_in_integers([given], dense([HALF]), integers)
    wanted = f"layer in the built file: {said}"
    assert [problem.message for problem in problems] == [wanted] * bool(said)


def test_a_layer_that_is_not_in_the_built_file() -> None:
    built = dense_int8([np.ones((3, 4))], [0.1, 0.1])
    (problem,) = broken_in_integers([Promise("layer", 3, "sparsity", 0.5)], dense([HALF]), built)
    assert problem.message.endswith("its weights are not found in the built file")


@pytest.mark.parametrize("scheme", ["int8", "int16x8", "float16", "dynamic"])
def test_real_quantizers_keep_zeros_and_code_books_of_channels(scheme: str) -> None:
    rng = np.random.default_rng(0)
    kernel = rng.choice([-0.7, 0.0, 0.2, 0.9], (16, 3, 3, 16)) * rng.uniform(0.5, 2, (16, 1, 1, 1))
    matrix = rng.normal(size=(64, 16))
    matrix[rng.random(matrix.shape) < 0.6] = 0
    net = Net(6, 6, 16).conv(kernel).mean().dense(matrix)
    data = net.tflite()
    built = load(scheme).quantize(as_model(data), rows_of(rng.normal(size=(8, 6, 6, 16))), PLAIN)
    conv, last = (op.inputs[1] for op in read(data).ops if op.name != "MEAN")
    kept = [
        Promise("conv", conv, "distinct", 4, per="channel"),
        Promise("dense", last, "sparsity", float((matrix == 0).mean())),
    ]
    assert broken(kept, data) == []
    assert broken_in_integers(kept, data, built.tflite) == []
    too_few = [Promise("conv", conv, "distinct", 3, per="channel")]
    (problem,) = broken_in_integers(too_few, data, built.tflite)
    assert "conv in the built file: 4 different weights in channel" in problem.message


def test_json_there_and_back() -> None:
    given = promise("block", 0.5, block=(1, 4))
    assert Promise.from_json(json.loads(json.dumps(given.to_json()))) == given
