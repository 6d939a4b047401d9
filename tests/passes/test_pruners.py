"""Pruners one by one: what each changes, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE
from hand_made import O, T, flatbuffer

from edgekit.errors import BudgetError, ModelError, UsageError
from edgekit.graph import edit
from edgekit.graph.count import layer_macs
from edgekit.graph.read import read
from edgekit.passes import base

PRUNED = (CONV, POINTWISE, DENSE)


def prune(before: base.Candidate | None = None, **values: Any) -> base.Candidate:
    before = before or base.Candidate(compressing.net())
    return compressing.run({"pass": "prune", **values}, before)


def share(candidate: base.Candidate, names: tuple[str, ...] = PRUNED) -> float:
    kernels = [compressing.kernels(candidate.tflite)[name].ravel() for name in names]
    return float((np.concatenate(kernels) == 0).mean())


def same_biases(candidate: base.Candidate) -> bool:
    return all((bias != 0).all() for bias in compressing.constants(candidate.tflite, 2).values())


THRESHOLDS = [
    ({"threshold": 0.5}, lambda kernel: 0.5),
    ({"sigma": 0.8}, lambda kernel: 0.8 * kernel.std()),
]


@pytest.mark.parametrize(("values", "limit"), THRESHOLDS, ids=["absolute", "of sigma"])
def test_weights_below_a_threshold_go(values: dict[str, Any], limit: Any) -> None:
    found = compressing.zeros(prune(**values, exclude=[POINTWISE]).tflite)
    for name in (CONV, DENSE):
        kernel = compressing.kernels(compressing.net())[name]
        below = float((np.abs(kernel) < limit(kernel)).mean())
        assert found[name] == pytest.approx(below, abs=1.01 / kernel.size)
    assert found[POINTWISE] == found[DEPTHWISE] == 0


@pytest.mark.parametrize("allocate", [pytest.param("sigma", marks=pytest.mark.slow), "sensitivity"])
def test_the_model_has_its_share_however_it_is_parted(allocate: str) -> None:
    pruned = prune(sparsity=0.6, allocate=allocate, schedule="polynomial")
    assert share(pruned) == pytest.approx(0.6, abs=0.02)
    assert len({round(compressing.zeros(pruned.tflite)[name], 2) for name in PRUNED}) > 1
    assert same_biases(pruned)


@pytest.mark.slow
def test_one_sigma_is_every_layers_threshold() -> None:
    """The threshold over the layer's deviation lies between what went and what stayed."""
    pruned = prune(sparsity=0.5, allocate="sigma", schedule="constant", learning_rate=1e-9)
    before, after = (compressing.kernels(t) for t in (compressing.net(), pruned.tflite))
    went, stayed = [], []
    for name in PRUNED:
        scores = np.abs(before[name]) / before[name].std()
        went.append(scores[after[name] == 0].max())
        stayed.append(scores[after[name] != 0].min())
    assert max(went) <= min(stayed) * 1.0001


@pytest.mark.parametrize("schedule", ["auto", pytest.param("polynomial", marks=pytest.mark.slow)])
def test_a_count_of_multiply_accumulates_is_reached(schedule: str) -> None:
    pruned = prune(macs=0.4, schedule=schedule, learning_rate=1e-6)
    zeros, graph = compressing.zeros(pruned.tflite), read(pruned.tflite)
    names = [graph.tensors[op.outputs[0]].name for op in graph.ops]
    macs = dict(zip(names, layer_macs(graph), strict=True))
    left = sum(macs[name] * (1 - zeros[name]) for name in zeros)
    assert left / sum(macs.values()) == pytest.approx(0.4, abs=0.01)
    assert zeros[DEPTHWISE] == 0


def test_splicing_reaches_its_share_and_lets_weights_come_back() -> None:
    """Constant pruning of the same net keeps the largest from the first step on."""
    options: dict[str, Any] = {"sparsity": 0.5, "allocate": "uniform", "learning_rate": 0.3}
    spliced = prune(schedule="splicing", end=0.9, frequency=1, margin=0, **options)
    assert [compressing.zeros(spliced.tflite)[name] for name in PRUNED] == [0.5] * 3
    assert compressing.zeros(spliced.tflite)[DEPTHWISE] == 0
    before, after = (compressing.kernels(t)[DENSE] for t in (compressing.net(), spliced.tflite))
    small = np.abs(before) < np.median(np.abs(before))
    assert (after[small] != 0).any()
    assert same_biases(spliced)


@pytest.mark.slow
def test_a_wide_margin_lets_none_come_back() -> None:
    options: dict[str, Any] = {"sparsity": 0.5, "allocate": "uniform", "end": 0.9, "frequency": 1}
    spliced = prune(schedule="splicing", margin=1e9, initial=0.5, learning_rate=1e-4, **options)
    before, after = (compressing.kernels(t)[DENSE] for t in (compressing.net(), spliced.tflite))
    small = np.abs(before) < np.sort(np.abs(before).ravel())[30]
    assert (after[small] == 0).all()


def test_a_depthwise_layer_is_pruned_where_it_is_named() -> None:
    pruned = prune(sparsity=0.5, layers=[DEPTHWISE])
    zeros = compressing.zeros(pruned.tflite)
    assert zeros == {CONV: 0, DEPTHWISE: 0.5, POINTWISE: 0, DENSE: 0}
    again = compressing.run({"pass": "distill"}, pruned)
    before, after = (compressing.kernels(each.tflite)[DEPTHWISE] for each in (pruned, again))
    np.testing.assert_array_equal(before == 0, after == 0)


@pytest.mark.parametrize(
    ("layer", "block", "axes"),
    [
        pytest.param(CONV, "4x1", (3,), marks=pytest.mark.slow),
        (CONV, "0x1", (1, 2, 3)),
        pytest.param(DEPTHWISE, "0x1", (1, 2), marks=pytest.mark.slow),
    ],
    ids=["four inputs", "whole filters", "whole depthwise filters"],
)
def test_blocks_of_convolutions_go_as_a_whole(layer: str, block: str, axes: Any) -> None:
    pruned = prune(sparsity=0.5, layers=[layer], block=block)
    zero = compressing.kernels(pruned.tflite)[layer] == 0
    whole = zero.all(axis=axes)
    assert whole.mean() == zero.mean() == 0.5
    assert {promise.kind for promise in pruned.promises} == {"sparsity", "block"}


def test_each_layer_may_have_its_own_pruner() -> None:
    pruned = prune(
        sparsity=0.5,
        per_layer={
            CONV: {"schedule": "splicing", "sparsity": 0.25},
            DENSE: {"n_m": "1:4"},
            POINTWISE: {"block": "1x4", "sparsity": 0.75},
        },
    )
    zeros = compressing.zeros(pruned.tflite)
    assert zeros == {CONV: 0.25, DEPTHWISE: 0, POINTWISE: 0.75, DENSE: 0.75}
    assert {(p.layer, p.kind) for p in pruned.promises if p.kind != "sparsity"} == {
        (DENSE, "n_m"),
        (POINTWISE, "block"),
    }


@pytest.mark.parametrize("schedule", ["auto", pytest.param("splicing", marks=pytest.mark.slow)])
def test_rounds_prune_and_train_again_and_again(schedule: str) -> None:
    before = base.Candidate(compressing.net())
    spec = {"pass": "prune", "sparsity": 0.75, "rounds": 3, "schedule": schedule}
    pruned = compressing.run(spec, before, epochs=3)
    assert share(pruned) == pytest.approx(0.75, abs=0.02)
    (entry,) = pruned.log
    assert entry.trained["epochs"] == 3
    assert entry.options["fine_tune"]["epochs"] == 3
    assert len([note for note in pruned.problems if "leaves y1 as is" in note.message]) == 1


def test_rounds_end_before_too_much_is_lost() -> None:
    """Without training, nearly every decision of random weights has changed at 82 % zeros."""
    before = base.Candidate(compressing.net())
    spec: dict[str, Any] = {"pass": "prune", "sparsity": 0.9, "rounds": 4, "max_drop": 99.0}
    spec |= {"schedule": "constant", "allocate": "uniform"}
    pruned = compressing.run(spec, before, epochs=4, learning_rate=1e-9)
    assert 0.4 < share(pruned) < 0.85
    (note,) = [p for p in pruned.problems if "stopped after round" in p.message]
    assert "max_drop is 99" in note.message


def test_a_first_round_that_loses_too_much_is_refused() -> None:
    spec: dict[str, Any] = {"pass": "prune", "sparsity": 0.97, "rounds": 1, "max_drop": 0.001}
    spec |= {"schedule": "constant", "allocate": "uniform"}
    with pytest.raises(BudgetError, match="exceeded in the first round"):
        compressing.run(spec, base.Candidate(compressing.net()), learning_rate=1e-9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rounds": 9}, "rounds = 9 are more than the 2 epochs"),
        ({"macs": 0.05, "layers": [DENSE]}, "cannot be reached: .* have 1.00 of them"),
        ({"macs": 0.05, "layers": ["dense"]}, "'dense' matches no layer"),
        ({"threshold": 1e-9}, "0 of the weights are to be zero, 0 are already"),
        (
            {"allocate": "sensitivity", "sensitivity": "/nowhere.json"},
            "nowhere.json: cannot be read",
        ),
    ],
    ids=["too many rounds", "too few in reach", "no such layer", "too low", "no such file"],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prune(**values)


def test_weights_that_are_nan_are_refused() -> None:
    model = edit.unpack(compressing.net())
    tensor = next(t for t in model.subgraphs[0].tensors if list(t.shape) == [8, 8])
    values = edit.constant(model, tensor)
    assert values is not None
    values[0, 0] = np.nan
    edit.set_constant(model, tensor, values)
    with pytest.raises(ModelError, match="y4 hold NaN"):
        prune(base.Candidate(edit.pack(model)))


def fused(kernels: np.ndarray) -> bytes:
    """An LSTM of 4 units over 5 steps of 3 values, then a Dense; its gates are multiples."""
    tensors = [T("x", (1, 5, 3))]
    gates = [kernels[:, :3]] * 4 + [kernels[:, 3:]] * 4
    for number, gate in enumerate(gates):
        data = np.ascontiguousarray(gate * (1 + number)).astype(np.float32)
        tensors.append(T(f"w{number}", gate.shape, data=data))
    tensors += [T(f"b{n}", (4,), data=np.full(4, 0.1 * n, np.float32)) for n in range(1, 5)]
    states, output = len(tensors), len(tensors) + 2
    tensors += [T("h", (1, 4)), T("c", (1, 4)), T("y", (1, 5, 4))]
    inputs = (0, *range(1, 9), -1, -1, -1, *range(9, 13), -1, -1, states, states + 1)
    options = "UnidirectionalSequenceLSTMOptions", {"fusedActivationFunction": 4}
    ops = [O("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, (output,), options)]
    weights = np.random.default_rng(3).normal(size=(6, 4)).astype(np.float32)
    tensors += [T("wd", weights.shape, data=weights), T("z", (1, 5, 6))]
    dense = "FullyConnectedOptions", {"keepNumDims": True}
    ops.append(O("FULLY_CONNECTED", (output, output + 1, -1), (output + 2,), dense))
    model = edit.unpack(flatbuffer(tensors, ops, (0,), (output + 2,)))
    for index in (states, states + 1):
        model.subgraphs[0].tensors[index].isVariable = True
    return edit.pack(model)


def test_an_lstm_that_is_one_operator_is_pruned_where_it_is_named() -> None:
    tflite = fused(np.random.default_rng(0).normal(size=(4, 7)))
    pruned = prune(base.Candidate(tflite), sparsity=0.5, layers=["LSTM"])
    before, after = (read(each).tensors for each in (tflite, pruned.tflite))
    matrices = np.concatenate([np.asarray(after[n].data).ravel() for n in range(1, 9)])
    assert (matrices == 0).mean() == 0.5
    stays = np.concatenate([np.asarray(before[n].data).ravel() for n in range(1, 9)])
    np.testing.assert_array_equal(matrices[matrices != 0], stays[matrices != 0])
    for bias in range(9, 13):
        np.testing.assert_array_equal(after[bias].data, before[bias].data)
    assert list(pruned.log[0].layers.values()) == [{"sparsity": 0.5}]
    assert not [p for p in pruned.problems if "as is" in p.message and "LSTM" in p.message]
    with pytest.raises(UsageError, match="one operator, whose weights go one by one"):
        prune(base.Candidate(tflite), layers=["LSTM"], block="1x4")


def test_an_lstm_that_is_not_named_is_left_alone() -> None:
    tflite = fused(np.random.default_rng(0).normal(size=(4, 7)))
    pruned = prune(base.Candidate(tflite), sparsity=0.5)
    assert all((np.asarray(read(pruned.tflite).tensors[n].data) != 0).all() for n in range(1, 9))
    assert [p for p in pruned.problems if "leaves" in p.message and "LSTM" in p.message]
