"""Layers that share a kernel: who does, what is stored, and what trains."""

from __future__ import annotations

import dataclasses
from typing import Any

import compressing
import numpy as np
import pytest
from small_nets import Net, as_model, rows_of

from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.errors import EdgekitError, ModelError, UsageError
from edgekit.evaluate.weights import find
from edgekit.graph.read import read
from edgekit.model import Learned
from edgekit.passes import base
from edgekit.passes._share_options import ShareOptions
from edgekit.passes._shared import find as groups_of
from edgekit.passes.promises import broken, broken_in_integers
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.runtimes.litert import LiteRT
from edgekit.structure.share import share

CONVS, POINT = ("y0", "y1", "y2"), "y3"
KERNEL = 8 * 3 * 3 * 8


def net(seed: int = 0) -> bytes:
    """Three conv 3x3 (8 -> 8), conv 1x1 (8 -> 8), mean, dense (8 -> 4)."""
    random = np.random.default_rng(seed)
    made = Net(6, 6, 8)
    for size in (3, 3, 3, 1):
        made.conv(random.normal(size=(8, size, size, 8)) / size, random.normal(size=8) / 4)
    return made.mean().dense(random.normal(size=(4, 8)), random.normal(size=4)).tflite()


def tied() -> bytes:
    """The net whose three convolutions read one kernel, untrained."""
    return share(net(), [[0, 1, 2]])


def built(tflite: bytes, **learned: Any) -> bytes:
    values = np.random.default_rng(2).normal(size=(10, 6, 6, 8))
    model = dataclasses.replace(as_model(tflite), learned=Learned(**learned))
    return bytes(load("int8").quantize(model, rows_of(values), QuantizeOptions()).tflite)


@pytest.fixture(scope="module")
def shared() -> base.Candidate:
    return compressing.run({"pass": "share"}, base.Candidate(net()), epochs=1)


def test_one_kernel_is_stored_for_all_that_are_alike(shared: base.Candidate) -> None:
    assert len(net()) - len(shared.tflite) >= 2 * 4 * KERNEL - 200
    readers = {each.tensor.elements: each.readers for each in find(read(shared.tflite))}
    assert readers == {KERNEL: 3, 64: 1, 32: 1}
    (promise,) = shared.promises
    assert (promise.kind, promise.layer, promise.value) == ("shared", "y0", 3)
    assert shared.log[-1].layers["y1"] == {"layers": 3.0, "kernel": float(KERNEL)}


def test_biases_stay_apart_and_train(shared: base.Candidate) -> None:
    before, after = (compressing.constants(each, 2) for each in (net(), shared.tflite))
    for name in CONVS:
        assert not np.allclose(before[name], after[name])
    assert not np.allclose(after["y0"], after["y1"])


def test_the_int8_file_has_one_buffer_too(shared: base.Candidate) -> None:
    file = built(shared.tflite)
    assert broken_in_integers(shared.promises, shared.tflite, file) == []
    assert len(built(net())) - len(file) > KERNEL


def test_a_kernel_that_is_not_shared_breaks_the_promise(shared: base.Candidate) -> None:
    (problem,) = broken(shared.promises, net())
    assert problem.message == "y0: 1 layers read its bytes, 3 promised"


@pytest.mark.slow
def test_qat_leaves_it_shared(shared: base.Candidate) -> None:
    trained = compressing.run({"pass": "qat"}, shared, epochs=1)
    file = built(trained.tflite, ranges=trained.ranges, weight_scales=trained.weight_scales)
    assert broken_in_integers(trained.promises, trained.tflite, file) == []


@pytest.mark.parametrize("form", ["folded", "normalised"])
def test_a_lifted_net_computes_the_same_with_biases_apart(form: Any) -> None:
    tflite = tied()
    lifted = lift(tflite, form=form)
    rows = np.random.default_rng(3).normal(size=(4, 6, 6, 8)).astype(np.float32)
    with LiteRT(tflite) as runtime:
        wanted = np.stack([np.array(runtime.run((row[None],))[0])[0] for row in rows])
    np.testing.assert_allclose(np.asarray(lifted.model(rows)), wanted, rtol=1e-4, atol=1e-4)
    assert lower(lifted) == tflite
    first = lifted.layers[0]
    assert [op.index for op, _ in first.biases] == [0, 1, 2]
    first.biases[1][1].bias.assign(np.arange(8))
    changed = compressing.constants(lower(lifted), 2)
    np.testing.assert_array_equal(changed["y1"], np.arange(8))
    np.testing.assert_array_equal(changed["y0"], compressing.constants(tflite, 2)["y0"])


def test_groups_may_be_small() -> None:
    found = groups_of(net(), ShareOptions(group=2))
    assert [[layer.name for layer in group] for group in found] == [["y0", "y1"]]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"layers": ["y0", "y3"]}, ModelError, "no two of 2 layers are alike"),
        ({"exclude": ["Conv2D"]}, ModelError, "no two of 1 layers are alike"),
        ({"layers": ["lstm"]}, UsageError, "layers: 'lstm' matches no layer"),
        ({"group": -1}, UsageError, "group = -1: negative"),
    ],
    ids=["other kernels", "nothing left", "no such layer", "no count"],
)
def test_what_cannot_be_shared_is_refused(
    values: dict[str, Any], error: type[EdgekitError], message: str
) -> None:
    with pytest.raises(error, match=message):
        compressing.run({"pass": "share", **values}, base.Candidate(net()))
