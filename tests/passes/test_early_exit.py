"""The pass `early_exit`: what it puts in, what stays, and what learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compressing import context, net, run
from small_nets import Net

from edgekit.checkpoints import _candidate, _content
from edgekit.errors import ModelError, UsageError
from edgekit.exits.choose import scores
from edgekit.exits.stages import staged
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.passes._early_exited import _few, _found, _named
from edgekit.passes.base import Candidate, load, refuse_order
from edgekit.structure.exit_heads import Dense, Separable, initial
from edgekit.structure.exits import add_exits, joints


def exited(**options: Any) -> Candidate:
    spec = {"pass": "early_exit", "exits": 1, "grid": 2, "hidden": 3, **options}
    return run(spec, Candidate(net()), learning_rate=0.05, epochs=4)


@pytest.fixture(scope="module")
def made() -> Candidate:
    return exited()


def rows(count: int = 5) -> list[tuple[np.ndarray, ...]]:
    random = np.random.default_rng(3)
    return [(random.normal(size=(1, 6, 6, 4)).astype(np.float32),) for _ in range(count)]


def test_exits_change_no_other_output() -> None:
    # before any training
    tflite, graph = net(), read(net())
    places = joints(graph)
    assert [graph.ops[place].name for place in places] == [
        *("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "MEAN")
    ]
    random = np.random.default_rng(0)
    heads = [[Dense(random.normal(size=(8, 32)), random.normal(size=8))] for _ in range(2)]
    with_exits = add_exits(tflite, places[:2], heads, 2)
    before, behind = (scores(each, rows(), "litert-reference") for each in (tflite, with_exits))
    for one, two in zip(before, behind, strict=True):
        assert np.array_equal(one[0], two[0])
        assert [out.shape for out in two] == [(1, 8)] * 3
    assert staged(with_exits) == with_exits  # each exit stands where it can be answered


def test_an_exit_computes_means_of_cells_and_dense_layers() -> None:
    random = np.random.default_rng(0)
    first = Dense(random.normal(size=(3, 32)), random.normal(size=3))
    last = Dense(random.normal(size=(8, 3)), random.normal(size=8))
    tflite = add_exits(net(), joints(read(net()))[:1], [[first, last]], 2)
    row = rows(1)[0]
    conv = Net(6, 6, 4)
    graph = read(net())
    kernel, bias = (np.asarray(graph.tensors[i].data) for i in graph.ops[0].inputs[1:3])
    inner = scores(conv.conv(kernel, bias).tflite(), [row], "litert-reference")[0][0]
    cells = inner.reshape(1, 2, 3, 2, 3, 8).mean((2, 4)).reshape(1, 32)
    hidden = np.maximum(cells @ first.kernel.T + first.bias, 0)
    wanted = hidden @ last.kernel.T + last.bias
    found = scores(tflite, [row], "litert-reference")[0][1]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_an_exit_may_begin_with_separable_convolutions() -> None:
    random = np.random.default_rng(0)
    (conv, dense) = initial(random, (1, 6, 6, 8), 8, convs=2)  # 3 by 3 cells are not halved again
    assert isinstance(conv, Separable)
    assert isinstance(dense, Dense)
    tflite = add_exits(net(), joints(read(net()))[1:2], [[conv, dense]])
    row = rows(1)[0]
    inner = _inner(tflite, row)
    padded = np.pad(inner, ((0, 1), (0, 1), (0, 0)))  # of an even size, SAME adds behind it
    cells = [
        (padded[y : y + 3, x : x + 3] * conv.depthwise[0]).sum((0, 1))
        for y in (0, 2, 4)
        for x in (0, 2, 4)
    ]
    wide = np.maximum(np.array(cells) @ conv.pointwise[:, 0, 0].T + conv.bias, 0)
    wanted = wide.mean(0) @ dense.kernel.T + dense.bias
    found = scores(tflite, [row], "litert-reference")[0][1]
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=1e-4)


def _inner(tflite: bytes, row: tuple[np.ndarray, ...]) -> np.ndarray:
    """What the second layer gives, [6, 6, 8]."""
    first, second = read(tflite).ops[:2]
    weights = [
        np.asarray(read(tflite).tensors[i].data) for i in (*first.inputs[1:3], *second.inputs[1:3])
    ]
    made = Net(6, 6, 4).conv(*weights[:2]).depthwise(*weights[2:]).tflite()
    return np.asarray(scores(made, [row], "litert-reference")[0][0][0])


def test_exits_alone_learn_and_the_last_answer_stays(made: Candidate) -> None:
    before, behind = read(net()), read(made.tflite)
    for old in before.tensors:
        if old.data is not None:
            assert np.array_equal(old.data, np.asarray(behind.tensors[old.index].data))
    outputs = (scores(each, rows(), "litert-reference") for each in (net(), made.tflite))
    for one, two in zip(*outputs, strict=True):
        assert np.array_equal(one[0], two[0])


@pytest.mark.slow
def test_all_layers_learn_where_that_is_asked_for() -> None:
    found = exited(train="all")
    losses = found.log[-1].trained["guard_loss"]
    assert min(losses[1:]) < 0.9 * losses[0]
    before, behind = read(net()), read(found.tflite)
    kernel = before.ops[0].inputs[1]
    one, two = (np.asarray(graph.tensors[kernel].data) for graph in (before, behind))
    assert not np.array_equal(one, two)


def test_exits_learn(made: Candidate) -> None:
    losses = made.log[-1].trained["guard_loss"]
    assert min(losses[1:]) < 0.98 * losses[0]
    assert made.heads is not None
    assert len(made.heads.layers) == 1
    assert "exits" in made.traits
    assert len(read(made.tflite).outputs) == 2
    assert count.macs(read(made.tflite)) > count.macs(read(net()))


def test_few_guard_rows_are_named(made: Candidate) -> None:
    (problem,) = made.problems
    assert problem.message.startswith("thresholds are chosen on 8 guard rows: one of them is 12")
    assert not _few(200, 0.5)


def test_exits_stand_where_they_are_named_or_by_macs() -> None:
    graph = read(net())
    assert _named(graph, ["y2", "y1"]) == [1, 2]
    assert _found(graph, 1) == [0]  # behind it 10,368 of 15,328 are done, then 12,960


@pytest.mark.slow
def test_a_later_pass_trains_the_exits_too(made: Candidate) -> None:
    options = load("prune").Options(0.5)  # type: ignore[call-arg]
    shared = context(net(), epochs=1)
    after = load("prune").run(made, options, shared)
    assert after.heads == made.heads
    assert len(read(after.tflite).outputs) == 2


def test_a_checkpoint_keeps_the_exits(made: Candidate) -> None:
    assert _candidate(made.tflite, _content(made)).heads == made.heads


def test_bad_requests_are_refused_in_words() -> None:
    with pytest.raises(UsageError, match="there is no layer 'nobody'"):
        exited(layers=("nobody",))
    with pytest.raises(UsageError, match="4 exits"):
        exited(layers=("y0", "y1", "y2", "y3"))
    with pytest.raises(UsageError, match="cannot follow a pass that left it exits"):
        refuse_order(["early_exit", "early_exit"])
    sigmoid = Net(8).dense(np.ones((8, 8)), np.zeros(8)).op("LOGISTIC", (1, 8)).tflite()
    with pytest.raises(ModelError, match="no softmax and no plain scores"):
        run({"pass": "early_exit"}, Candidate(sigmoid))
    few = Net(8).dense(np.ones((8, 8)), np.zeros(8)).tflite()
    with pytest.raises(UsageError, match="there are 0 places"):
        run({"pass": "early_exit"}, Candidate(few))
    one = Net(8).dense(np.ones((1, 8)), np.zeros(1)).tflite()
    with pytest.raises(ModelError, match="not one score for each of two classes"):
        run({"pass": "early_exit"}, Candidate(one))
