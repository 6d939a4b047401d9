"""A smaller network computes what the large one does when nobody hears what was removed."""

from __future__ import annotations

from typing import Any

import lift_cases
import numpy as np
import pytest
import shrinking
from hand_made import O, T, flatbuffer
from lift_cases import PICTURE, Case
from small_nets import Net

from edgekit import _tf
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.structure.dependencies import dependencies
from edgekit.structure.groups import Cost
from edgekit.structure.shrink import shrink

KINDS = {
    "residual": Case(
        lambda L, x: L.ReLU()(L.Add()([x, L.Conv2D(4, 3, padding="same")(x)])), (PICTURE,)
    ),
    "norm and slopes": Case(
        lambda L, x: L.PReLU(shared_axes=[1, 2])(L.BatchNormalization()(L.Conv2D(5, 3)(x))),
        (PICTURE,),
    ),
    "padding, pooling": Case(
        lambda L, x: L.AveragePooling2D(2)(L.MaxPooling2D(2)(L.ZeroPadding2D(2)(x))), (PICTURE,)
    ),
    "padded shortcut": Case(
        lambda L, x: L.Add()(
            [L.Conv2D(6, 1)(x), _tf.keras3().ops.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)))]
        ),
        (PICTURE,),
    ),
    "dense net": Case(
        lambda L, x: L.Conv2D(3, 1)(L.Concatenate()([x, L.Conv2D(3, 3, padding="same")(x)])),
        (PICTURE,),
    ),
    "up and down": Case(
        lambda L, x: L.Conv2DTranspose(3, 3, 2, "same")(L.Conv2D(5, 3, 2, "same")(x)), (PICTURE,)
    ),
}
FAST = (
    *("convolution, grouped", "depthwise, multiplier, strides", "1-D convolution, causal"),
    *("permute", "squeeze and excite", "concatenate, rows", "shared dense", "nested model"),
    *("two heads and their trunk", "simple rnn", "lstm", "multi head attention", "3-D convolution"),
)
CASES = {name: shrinking.inside(lift_cases.CASES[name]) for name in FAST}
CASES |= {name: shrinking.inside(case) for name, case in KINDS.items()}
CASES["embedding, mean, dense"] = lift_cases.CASES["embedding, mean, dense"]
TABLES = ("embedding", "embedding, mean, dense", "tokens and a table")


@pytest.fixture(scope="module")
def cases() -> dict[str, bytes]:
    keras = _tf.keras3()
    with _tf.silent():
        return {name: shrinking.converted(case, keras) for name, case in CASES.items()}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CASES)
def test_it_computes_the_same(cases: dict[str, bytes], name: str, seed: int) -> None:
    known = dependencies(read(cases[name]))
    keep = shrinking.some(known, seed)
    assert not keep.all()
    small = shrinking.check(cases[name], known, keep)
    assert count.parameters(small) < count.parameters(known.graph)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(lift_cases.CASES) - {*FAST, *TABLES, "einsum dense"}))
def test_layers_of_keras_shrink_or_say_why_not(name: str) -> None:
    with _tf.silent():
        tflite = shrinking.converted(shrinking.inside(lift_cases.CASES[name]), _tf.keras3())
    known = dependencies(read(tflite))
    shrinking.check(tflite, known, shrinking.some(known, 0))
    assert known.free.any() or all(known.frozen.values())


@pytest.mark.parametrize("seed", range(12))
def test_random_nets_shrink(seed: int) -> None:
    tflite = random_net(seed)
    known = dependencies(read(tflite))
    keep = shrinking.some(known, seed)
    small = shrinking.check(tflite, known, keep)
    cost = Cost(known)
    assert cost.macs(keep) == pytest.approx(count.macs(small))
    assert cost.macs(keep | True) == count.macs(known.graph)
    held = cost.parameters(keep | True) - cost.parameters(keep)
    assert held == pytest.approx(count.parameters(known.graph) - count.parameters(small))


def random_net(seed: int) -> bytes:
    """Convolutions, depthwise layers and additions at random, then a mean and a dense layer."""
    random = np.random.default_rng(seed)
    net = Net(5, 5, 3).conv(random.normal(size=(6, 3, 3, 3)), random.normal(size=6))
    for _ in range(random.integers(2, 6)):
        width, before = net.shape[-1], net.last
        kind = random.choice(["conv", "depthwise", "block"])
        if kind == "depthwise":
            many = int(random.integers(1, 3))
            net.depthwise(random.normal(size=(1, 3, 3, width * many)), None)
            continue
        out = width if kind == "block" else int(random.integers(2, 8))
        net.conv(random.normal(size=(out, 3, 3, width)) / width, random.normal(size=out))
        if kind == "block":
            net.tensors.append(T(f"y{len(net.ops)}", net.shape))
            net.ops.append(O("ADD", (before, net.last), (len(net.tensors) - 1,), ADD))
            net.last = len(net.tensors) - 1
    return net.mean().dense(random.normal(size=(4, net.shape[-1]))).tflite()


ADD: Any = ("AddOptions", {})


def test_a_constant_that_layers_need_in_different_sizes_becomes_several() -> None:
    """Equal biases are stored once."""
    random = np.random.default_rng(0)
    net = Net(4).dense(random.normal(size=(5, 4)), random.normal(size=5))
    net.dense(random.normal(size=(5, 5))).dense(random.normal(size=(5, 5)))
    first, second, third = net.ops
    shared = first.inputs[2]
    net.ops[1] = O(second.name, (*second.inputs[:2], shared), second.outputs, second.options)
    net.ops[2] = O(third.name, (*third.inputs[:2], shared), third.outputs, third.options)
    tflite = net.tflite()
    known = dependencies(read(tflite))
    rows = {site.op: site.units for site in known.made("rows")}
    keep = np.ones(known.count, bool)
    keep[rows[0][:2]] = keep[rows[1][3:]] = False
    small = shrinking.check(tflite, known, keep)
    biases = [small.tensors[op.inputs[2]].data for op in small.ops]
    whole = np.asarray(known.graph.tensors[shared].data)
    for bias, wanted in zip(biases, (whole[2:], whole[:3], whole), strict=True):
        np.testing.assert_array_equal(bias, wanted)


def test_scales_of_channels_leave_with_them() -> None:
    weights = np.arange(12, dtype=np.int8).reshape(4, 3)
    tensors = [
        T("x", (1, 3), "INT8", scale=1.0),
        T("w", (4, 3), "INT8", weights, scale=(0.1, 0.2, 0.3, 0.4)),
        T("b", (4,), "INT32", np.arange(4, dtype=np.int32), scale=(0.1, 0.2, 0.3, 0.4)),
        T("y", (1, 4), "INT8", scale=1.0),
        T("v", (2, 4), "INT8", np.ones((2, 4), np.int8), scale=0.5),
        T("z", (1, 2), "INT8", scale=1.0),
    ]
    dense = ("FullyConnectedOptions", {})
    ops = [
        O("FULLY_CONNECTED", (0, 1, 2), (3,), dense),
        O("FULLY_CONNECTED", (3, 4, -1), (5,), dense),
    ]
    tflite = flatbuffer(tensors, ops, (0,), (5,))
    known = dependencies(read(tflite))
    keep = np.ones(known.count, bool)
    keep[known.made("rows")[0].units[[0, 2]]] = False
    small = read(shrink(tflite, known, keep))
    for index in (1, 2):
        quantization = small.tensors[index].quantization
        assert quantization is not None
        np.testing.assert_allclose(quantization.scale, [0.2, 0.4])
    np.testing.assert_array_equal(small.tensors[1].data, weights[[1, 3]])
    np.testing.assert_array_equal(small.tensors[2].data, [1, 3])
