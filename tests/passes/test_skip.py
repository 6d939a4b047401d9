"""The pass `skip`, and what its gates do in LiteRT, in C and on an emulated Cortex-M."""

from __future__ import annotations

import numpy as np
import pytest
from compressing import run
from residual_nets import CHANNELS, gate, net
from small_nets import Net

from edgekit.checkpoints import _candidate, _content
from edgekit.errors import ModelError, UsageError
from edgekit.exits.choose import scores
from edgekit.graph.read import read
from edgekit.passes.base import Candidate, refuse_order
from edgekit.structure.gates import add_gates, branches, harden


def rows(count: int) -> list[tuple[np.ndarray, ...]]:
    random = np.random.default_rng(3)
    return [(random.normal(size=(1, 6, 6, CHANNELS)).astype(np.float32),) for _ in range(count)]


def first(tflite: bytes, count: int = 6) -> np.ndarray:
    return np.array([row[0] for row in scores(tflite, rows(count), "litert-reference")])


def test_branches_are_what_is_added_to_what_a_block_reads() -> None:
    found = branches(read(net()))
    assert [branch.ops for branch in found] == [(1, 2), (4, 5)]
    assert [branch.macs for branch in found] == [2 * 36 * 9 * CHANNELS**2] * 2


def test_open_gates_change_nothing() -> None:
    found = branches(read(net()))
    gated, _ = add_gates(net(), found, [gate(6), gate(9)])
    np.testing.assert_allclose(first(gated), first(net()), rtol=1e-4, atol=1e-5)


def test_a_closed_gate_leaves_its_branch_out() -> None:
    found = branches(read(net()))
    gated, given = add_gates(net(), found, [gate(0), gate(6)])
    silent = _without_first_branch()
    np.testing.assert_allclose(first(gated), first(silent), rtol=1e-4, atol=1e-5)
    assert len(given) == 2


def _without_first_branch() -> bytes:
    """With zeros as the last kernel of the first branch."""
    from edgekit.graph import edit

    model = edit.unpack(net())
    tensor = model.subgraphs[0].tensors[int(model.subgraphs[0].operators[2].inputs[1])]
    edit.set_constant(model, tensor, np.zeros(tensor.shape, np.float32))
    return edit.pack(model)


def test_hardened_gates_are_open_or_closed_and_told() -> None:
    found = branches(read(net()))
    soft, given = add_gates(net(), found, [gate(2.9, 0.2), gate(3.1)])
    hard = harden(soft, given, 1e6)
    answers = np.array(
        [[out.item() for out in row[1:]] for row in scores(hard, rows(20), "litert")]
    )
    assert set(np.unique(answers[:, 0])) == {0, 6}
    assert (answers[:, 1] == 6).all()


@pytest.fixture(scope="module")
def made() -> Candidate:
    spec = {"pass": "skip", "skipped": 0.4, "hidden": 4, "weight": 50.0}
    return run(spec, Candidate(net()), learning_rate=0.05, epochs=6)


def test_gates_learn_to_skip(made: Candidate) -> None:
    assert made.gates is not None
    assert list(made.gates.layers) == list(made.log[-1].layers)
    assert "gated" in made.traits
    graph = read(made.tflite)
    assert [graph.tensors[index].shape for index in graph.outputs] == [(1, 3), *[(1, 1, 1, 1)] * 2]
    found = [row[1:] for row in scores(made.tflite, rows(40), "litert")]
    share = np.mean([[out.item() / 6 for out in row] for row in found])
    assert 0.2 < share < 0.95, share


def test_a_checkpoint_keeps_the_gates(made: Candidate) -> None:
    assert _candidate(made.tflite, _content(made)).gates == made.gates


def test_bad_requests_are_refused_in_words() -> None:
    with pytest.raises(UsageError, match="prune cannot follow a pass that left it gated"):
        refuse_order(["skip", "prune"])
    plain = Net(8).dense(np.ones((2, 8)), np.zeros(2)).tflite()
    with pytest.raises(ModelError, match="there is no residual branch"):
        run({"pass": "skip"}, Candidate(plain))
