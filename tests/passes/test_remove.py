"""Structured removal: what leaves, what stays, and what makes up for it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, POINTWISE
from hand_made import O, T, flatbuffer
from small_nets import NONE, Net

from edgekit.artifact import sha256
from edgekit.errors import EdgekitError, ModelError, UsageError
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.passes._importance import importance
from edgekit.passes._refit import Refit
from edgekit.passes._remove_options import RemoveOptions
from edgekit.passes._removed import _forgotten
from edgekit.passes._short import parse
from edgekit.runtimes.litert import LiteRT
from edgekit.sensitivities.result import Curve, Point, Sensitivity
from edgekit.structure.dependencies import dependencies
from edgekit.structure.groups import groups
from edgekit.training.options import FineTune
from edgekit.training.rows import Rows

BRIEF = {"epochs": 1, "rounds": 1}


def remove(before: base.Candidate | None = None, **values: Any) -> base.Candidate:
    start = before or base.Candidate(compressing.net())
    return compressing.run({"pass": "remove", **BRIEF, **values}, start)


def widths(tflite: bytes) -> dict[str, int]:
    """Layer -> its output channels."""
    graph = read(tflite)
    outputs = [graph.tensors[op.outputs[0]] for op in graph.ops if op.name != "MEAN"]
    return {tensor.name: tensor.shape[-1] for tensor in outputs}


def outputs(tflite: bytes) -> np.ndarray:
    rows = compressing.context(tflite).rows.inputs[0]
    with LiteRT(tflite) as runtime:
        return np.stack([runtime.run((row[None],))[0] for row in rows])


CHANGES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "half of every group": ({"share": 0.5}, {"y0": 4, "y1": 4, "y2": 4, "y4": 8}),
    "one layer alone": ({"share": 0.5, "layers": [POINTWISE]}, {"y0": 8, "y2": 4, "y4": 8}),
    "a share for one layer": (
        {"share": 0.25, "per_layer": {CONV: 0.75, POINTWISE: 0}},
        {"y0": 2, "y1": 2, "y2": 8},
    ),
    "a multiple of four": ({"share": 0.3, "multiple": 4}, {"y0": 4, "y1": 4, "y2": 4}),
    "at least three quarters": ({"share": 0.9, "least": 0.75}, {"y0": 6, "y2": 6}),
    "in three rounds": ({"share": 0.5, "rounds": 3}, {"y0": 4, "y2": 4}),
    "without solving": ({"share": 0.5, "refit": False}, {"y0": 4, "y2": 4}),
    "from scratch": ({"share": 0.5, "from_scratch": True}, {"y0": 4, "y2": 4}),
}


@pytest.mark.parametrize("case", CHANGES)
def test_it_becomes_smaller(case: str) -> None:
    values, wanted = CHANGES[case]
    small = remove(**values)
    assert wanted.items() <= widths(small.tflite).items()
    assert outputs(small.tflite).shape == outputs(compressing.net()).shape
    layers = small.log[-1].layers
    assert {name: layers[name]["channels"] for name in wanted if name in layers} == {
        name: size for name, size in wanted.items() if name in layers
    }
    assert small.log[-1].trained["epochs"] == 1


@pytest.mark.parametrize(
    "values", [{"macs": 0.5}, {"parameters": 0.5}, {"macs": 0.5, "multiple": 2}, {"macs": 7600}]
)
def test_a_budget_is_kept(values: dict[str, Any]) -> None:
    small = remove(**values).tflite
    before, after = read(compressing.net()), read(small)
    counted = count.macs if "macs" in values else count.parameters
    assert 0.3 * counted(before) < counted(after) <= 0.5 * counted(before)
    assert all(size % values.get("multiple", 1) == 0 for size in widths(small).values())


LAB = """
from edgekit.graph.read import read
from edgekit.graph.count import macs
def cost(tflite):
    graph = read(tflite)
    assert graph.input_tensors()[0].dtype == "int8"
    return macs(graph) / 1000
def broken(tflite):
    raise OSError("no board")
def nothing(tflite):
    return 0
"""


def test_what_is_measured_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "removal_lab.py").write_text(LAB)
    monkeypatch.chdir(tmp_path)
    whole = count.macs(read(compressing.net()))
    for values in ({"latency": 0.5}, {"latency_limit": whole / 2000}):
        small = remove(measure="python:removal_lab:cost", **values).tflite
        assert 0.3 * whole < count.macs(read(small)) <= 0.5 * whole
    for name, message in {
        "broken": "measure python:removal_lab:broken fails: OSError: no board",
        "nothing": "measure python:removal_lab:nothing gives 0",
    }.items():
        with pytest.raises(UsageError, match=message) as refused:
            remove(measure=f"python:removal_lab:{name}", latency=0.5)
        assert "bytes of an int8 .tflite" in refused.value.hint


def analysis(tflite: bytes, steep: tuple[str, ...], path: Path) -> None:
    """The file of an analysis that found the channels of `steep` dear, and others for nothing."""
    able = [group for group in groups(dependencies(read(tflite))) if not group.why]
    curves = [
        Curve("remove", group.layers[0], group.layers, "CONV_2D", 8, 8, (Point(0.9, loss, 50.0),))
        for group in able
        for loss in (9.0 if group.layers == steep else 0.001,)
    ]
    found = Sensitivity("net", sha256(tflite), "agreement", "higher", 100, 8, "", tuple(curves))
    path.write_text(json.dumps(found.to_json()))


def test_a_sensitivity_analysis_decides_where_channels_leave(tmp_path: Path) -> None:
    tflite, file = compressing.net(), tmp_path / "sensitivity.json"
    for steep, kept in (((CONV,), "y0"), ((POINTWISE,), "y2")):
        analysis(tflite, steep, file)
        small = remove(parameters=0.7, allocate="sensitivity", sensitivity=str(file)).tflite
        narrow = {"y0": "y2", "y2": "y0"}[kept]
        assert widths(small)[kept] > widths(small)[narrow]
    analysis(compressing.net(1), (CONV,), file)
    with pytest.raises(UsageError, match="is about another model"):
        remove(macs=0.5, allocate="sensitivity", sensitivity=str(file))


def test_sensitivity_is_measured_where_no_file_says_it() -> None:
    small = remove(macs=0.5, allocate="sensitivity").tflite
    assert count.macs(read(small)) <= 0.5 * count.macs(read(compressing.net()))


def test_what_is_left_alone() -> None:
    before = base.Candidate(compressing.net())
    small = remove(before, share=0.5, exclude=[CONV])
    assert widths(small.tflite) == {"y0": 8, "y1": 8, "y2": 4, "y4": 8}
    assert before.tflite == compressing.net()
    left, right = read(before.tflite), read(small.tflite)
    for side in ("inputs", "outputs"):
        shapes = [[g.tensors[i].shape for i in getattr(g, side)] for g in (left, right)]
        assert shapes[0] == shapes[1]
    assert [op.name for op in left.ops] == [op.name for op in right.ops]
    note = small.problems[-1]
    assert note.severity == "note"
    assert f"{DENSE} ('y4' is an output of the model)" in note.message


def test_the_original_is_asked_for_the_channels_that_are_left() -> None:
    small = remove(share=0.5)
    sizes = {index: len(channels) for index, channels in small.kept.items()}
    assert sizes == {read(small.tflite).ops[op].outputs[0]: 4 for op in (0, 1, 2)} | {
        read(small.tflite).outputs[0]: 8
    }
    options, tuning = base.from_mapping("remove", {"share": 0.5, **BRIEF}, "--compress")
    shared = compressing.context(compressing.net()).tuned(tuning)
    again = base.load("remove").run(small, options, shared)
    first, second = (next(iter(each.kept.values())) for each in (small, again))
    assert set(second) < set(first)


@pytest.mark.slow
def test_all_other_passes_may_follow() -> None:
    small = remove(share=0.5)
    original = compressing.net()
    for spec in ("prune:0.5", "cluster:4", "distill", "qat"):
        values = parse(spec)[0] | {"epochs": 1}
        options, tuning = base.from_mapping(values["pass"], values, "--compress")
        shared = compressing.context(original).tuned(tuning)
        small = base.load(values["pass"]).run(small, options, shared)
    assert widths(small.tflite)["y0"] == 4
    assert small.traits == {"sparse", "clustered", "qat"}


def embedding() -> bytes:
    """Eight numbers for each of ten words, their mean, and a dense layer."""
    random = np.random.default_rng(2)
    tensors = [
        T("words", (1, 6), "INT32"),
        T("table", (10, 8), data=random.normal(size=(10, 8)).astype(np.float32)),
        T("looked_up", (1, 6, 8)),
        T("axes", (1,), "INT32", np.array([1], np.int32)),
        T("mean", (1, 8)),
        T("w", (3, 8), data=random.normal(size=(3, 8)).astype(np.float32)),
        T("y", (1, 3)),
    ]
    ops = [
        O("GATHER", (1, 0), (2,), ("GatherOptions", {"axis": 0})),
        O("MEAN", (2, 3), (4,), ("ReducerOptions", {"keepDims": False})),
        O("FULLY_CONNECTED", (4, 5, -1), (6,), ("FullyConnectedOptions", {})),
    ]
    return flatbuffer(tensors, ops, (0,), (6,))


def test_columns_of_an_embedding_leave() -> None:
    tflite = embedding()
    words = np.random.default_rng(0).integers(0, 10, (16, 6)).astype(np.int32)
    rows = Rows((words,))
    options, tuning = base.from_mapping("remove", {"share": 0.5, **BRIEF}, "--compress")
    tuned = FineTune(epochs=1, batch=4, augment=("none",))
    context = base.Context(tflite, rows, rows, tuned).tuned(tuning)
    small = base.load("remove").run(base.Candidate(tflite), options, context)
    graph = read(small.tflite)
    assert [graph.tensors[index].shape for index in (1, 2, 4, 5)] == [
        *((10, 4), (1, 6, 4), (1, 4), (3, 4)),
    ]
    whole = np.asarray(read(tflite).tensors[1].data)
    table = np.asarray(graph.tensors[1].data)
    assert all((column == whole.T).all(axis=1).any() for column in table.T)
    assert not any("GATHER" in problem.message for problem in small.problems)


def test_a_fused_recurrent_layer_is_named_with_the_reason(real_models: Path) -> None:
    tflite = (real_models / "tflm_examples/mnist_lstm_float.tflite").read_bytes()
    with pytest.raises(ModelError, match="nothing of UNIDIRECTIONAL_SEQUENCE_LSTM can leave"):
        remove(base.Candidate(tflite), share=0.5)


# What the criteria are about


def twins() -> bytes:
    """Of four hidden neurons the third is the first again, the last is never above zero."""
    random = np.random.default_rng(3)
    first = random.normal(size=(4, 4))
    bias = np.array([0.1, 0.2, 0.1, -50])
    first[2] = first[0]
    net = Net(4).dense(first, bias, activation=1)
    return net.dense(random.normal(size=(3, 4)) + 2, np.zeros(3), NONE).tflite()


@pytest.mark.parametrize("criterion", ["taylor", "l1", "l2", "apoz", "redundancy"])
def test_the_least_worth_leaves_first(criterion: str) -> None:
    tflite = twins()
    if criterion in ("l1", "l2"):
        small = Net(4).dense(np.diag([3.0, 0.1, 2.0, 1.0]), activation=1)
        tflite = small.dense(np.ones((3, 4)), activation=NONE).tflite()
    known = dependencies(read(tflite))
    scores = importance(criterion, tflite, known, compressing.context(tflite))
    hidden = scores[known.made("rows")[0].units]
    wanted = {"l1": {1}, "l2": {1}, "redundancy": {0, 2}}.get(criterion, {3})
    assert int(hidden.argmin()) in wanted
    assert hidden.min() < 0.5 * np.median(hidden)


def test_a_twin_takes_over_without_a_loss() -> None:
    tflite = twins()
    known = dependencies(read(tflite))
    units = known.made("rows")[0].units
    keep = np.ones(known.count, bool)
    keep[units[[2, 3]]] = False
    made_up = Refit(tflite, known, compressing.context(tflite))(keep)
    np.testing.assert_allclose(outputs(made_up), outputs(tflite), rtol=0.02, atol=0.02)
    before, after = (np.asarray(read(each).tensors[4].data) for each in (tflite, made_up))
    np.testing.assert_allclose(after[:, 0], before[:, 0] + before[:, 2], rtol=0.02)
    assert not after[:, [2, 3]].any()


def test_solving_loses_less() -> None:
    tflite = compressing.net()
    values = {"share": 0.25, "learning_rate": 1e-9}
    solved, plain = (outputs(remove(refit=on, **values).tflite) for on in (True, False))
    wanted = outputs(tflite)
    assert np.square(solved - wanted).mean() < 0.8 * np.square(plain - wanted).mean()


def test_a_seed_decides_what_is_drawn() -> None:
    tflite = compressing.net()
    small = [
        compressing.run({"pass": "remove", **BRIEF, "macs": 0.6}, base.Candidate(tflite), seed)
        for seed in (0, 0)
    ]
    assert small[0].tflite == small[1].tflite


def test_dead_takes_what_changes_nothing_and_does_not_train() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(size=(6, 3, 3, 2)), random.normal(size=(5, 1, 1, 6))
    bias = random.normal(size=6)
    first[1], bias[1] = 0, -0.5  # nothing, and cut off
    second[:, :, :, 4] = 0  # nobody reads it
    second[3] = 0  # nothing but what no activation cuts off
    net = Net(5, 5, 2).conv(first, bias).conv(second, np.array([1, 1, 1, 1, 1.0]))
    tflite = net.mean().dense(random.normal(size=(3, 5))).tflite()
    small = remove(base.Candidate(tflite), share="dead")
    assert widths(small.tflite) == {"y0": 4, "y1": 5, "y3": 3}
    np.testing.assert_allclose(outputs(small.tflite), outputs(tflite), atol=1e-5)
    assert small.log[-1].trained == {}


def test_short_form() -> None:
    for text, wanted in {
        "remove:dead": RemoveOptions(share=0.0),
        "remove:0.4:criterion=l2": RemoveOptions(share=0.4, criterion="l2"),
        "remove:macs=0.5": RemoveOptions(macs=0.5),
        "remove:latency=0.5:measure=python:lab:cost:bytes=9000": RemoveOptions(
            latency=0.5, measure="python:lab:cost", bytes=9000.0
        ),
    }.items():
        spec = parse(text)[0]
        assert base.from_mapping("remove", spec, "--compress")[0] == wanted


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"share": 1.0}, UsageError, r"share = 1 is out of range"),
        ({"share": "half"}, UsageError, "share = 'half': neither a number nor dead"),
        ({"macs": -0.5}, UsageError, "macs = -0.5 is out of range"),
        ({"macs": 50}, UsageError, "macs = 50 is neither a share below 1 nor a count above 100"),
        ({"bytes": 101, "least": 0.7}, UsageError, r"bytes = 101 cannot be reached: \d+ stays"),
        ({"latency": 0.5}, UsageError, "latency needs something that measures it"),
        ({"measure": "python:lab:cost"}, UsageError, "measure has no effect: no budget"),
        ({"latency": 0.5, "measure": "lab.py"}, UsageError, "'lab.py': names no function"),
        (
            {"latency": 0.5, "measure": "python:no_such_lab:cost"},
            UsageError,
            "measure python:no_such_lab:cost cannot be loaded: No module named",
        ),
        ({"allocate": "uniform"}, UsageError, "allocate = uniform has no effect"),
        ({"macs": 0.5, "sensitivity": "s.json"}, UsageError, "allocate is not sensitivity"),
        (
            {"macs": 0.5, "allocate": "sensitivity", "sensitivity": "s.json"},
            UsageError,
            "s.json: cannot be read",
        ),
        ({"layers": ["y6"]}, UsageError, "layers: 'y6' matches no layer"),
        ({"share": 0.5, "learning_rate": 1e30}, ModelError, "the loss is NaN|infinite"),
        ({"macs": 0.001}, UsageError, "macs = 0.001 cannot be reached"),
        ({"layers": ["convolution"]}, UsageError, "layers: 'convolution' matches no layer"),
        ({"per_layer": {"nothing": 0.2}}, UsageError, "per_layer: 'nothing' matches no layer"),
        ({"per_layer": {"y0": {"macs": 0.2}}}, UsageError, "only a share can differ"),
        ({"layers": [DENSE]}, UsageError, "y4 cannot lose channels: 'y4' is an output"),
        ({"exclude": [CONV, POINTWISE]}, ModelError, "nothing to remove: y4: 'y4' is an output"),
        ({"share": 0.01}, UsageError, "nothing leaves"),
    ],
)
def test_what_cannot_be_is_refused(
    values: dict[str, Any], error: type[EdgekitError], message: str
) -> None:
    before = base.Candidate(compressing.net())
    with pytest.raises(error, match=message) as refused:
        remove(before, **values)
    assert refused.value.hint
    assert before.tflite == compressing.net()


def test_a_network_that_cannot_shrink_is_refused() -> None:
    with pytest.raises(ModelError, match="there is nothing to remove: "):
        remove(base.Candidate(compressing.depthwise_only()))


def test_a_network_that_gives_nan_is_refused() -> None:
    net = Net(6, 6, 4).conv(np.full((8, 3, 3, 4), np.nan)).mean().dense(np.ones((8, 8)))
    for criterion in ("taylor", "l2"):
        with pytest.raises(ModelError, match="the model gives NaN or infinity"):
            remove(base.Candidate(net.tflite()), criterion=criterion)


@pytest.mark.parametrize("trait", ["sparse", "clustered", "qat"])
def test_it_comes_first(trait: str) -> None:
    before = base.Candidate(compressing.net(), traits=frozenset({trait}))
    with pytest.raises(UsageError, match=f"remove cannot follow a pass that left it {trait}"):
        remove(before)


def test_a_network_that_forgot_can_learn_from_inputs_of_any_size() -> None:
    tflite = compressing.net()
    context = compressing.context(tflite)
    loud = Rows(tuple(array * 1000 for array in context.rows.inputs))
    fresh = _forgotten(tflite, dataclasses.replace(context, rows=loud))
    with LiteRT(fresh) as runtime:
        scores = np.stack([runtime.run((row[None],))[0] for row in loud.inputs[0]])
    assert 0.9 < scores.std() < 1.1
    before, after = (compressing.kernels(each) for each in (tflite, fresh))
    assert all(abs(np.corrcoef(before[n].ravel(), after[n].ravel())[0, 1]) < 0.5 for n in before)


# Whole layers


def deep() -> bytes:
    """Two layers that could leave: one that changes nearly nothing, one that stirs all up."""
    random = np.random.default_rng(1)
    net = Net(6).dense(random.normal(size=(4, 6)))
    net.dense(np.eye(4) + 0.01 * random.normal(size=(4, 4)))
    net.dense(random.normal(size=(4, 4)), activation=1)
    return net.dense(random.normal(size=(3, 4))).tflite()


def test_the_layer_that_adds_least_leaves() -> None:
    small = remove(base.Candidate(deep()), share=0, blocks=1)
    assert list(widths(small.tflite)) == ["y0", "y2", "y3"]
    assert small.log[-1].layers["y1"] == {"channels": 0.0, "of": 4.0}
    assert small.log[-1].trained["epochs"] == 1


def test_layers_and_then_channels_leave() -> None:
    small = remove(base.Candidate(deep()), share=0.5, blocks=1)
    assert widths(small.tflite) == {"y0": 2, "y2": 2, "y3": 3}


@pytest.mark.parametrize(("macs", "least"), [(0.8, 52), (0.5, 27)])
def test_shares_are_of_the_network_with_its_layers(macs: float, least: int) -> None:
    small = remove(base.Candidate(deep()), macs=macs, blocks=1)
    assert least <= count.macs(read(small.tflite)) <= macs * count.macs(read(deep()))


def test_a_layer_that_is_left_out_stays() -> None:
    small = remove(base.Candidate(deep()), share=0, blocks=1, exclude=["y1"])
    assert list(widths(small.tflite)) == ["y0", "y1", "y3"]


def test_more_layers_than_there_are_cannot_leave() -> None:
    with pytest.raises(UsageError, match="blocks = 3: after 2 no layers are left") as refused:
        remove(base.Candidate(deep()), share=0, blocks=3)
    assert refused.value.hint == "give blocks = 2"
