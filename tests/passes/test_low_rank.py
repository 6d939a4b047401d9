"""Low rank: what is split, at which rank, what is left, and what it computes then."""

from __future__ import annotations

import dataclasses
from typing import Any

import compressing
import numpy as np
import pytest
from small_nets import RELU, Net

from edgekit.bridge.names import layer_names
from edgekit.errors import EdgekitError, ModelError, UsageError
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.passes._low_rank_options import LowRankOptions
from edgekit.passes._low_ranked import split_layers
from edgekit.passes._short import parse
from edgekit.runtimes.litert import LiteRT

STILL = {"epochs": 1, "learning_rate": 1e-9}
CONV, MIDDLE, POINT, DENSE = "y0", "y1", "y3", "y5"


def net(seed: int = 0) -> bytes:
    """conv 3x3 (4 -> 24), conv 3x3 (24 -> 24), depthwise, conv 1x1 (24 -> 24), mean, dense."""
    random = np.random.default_rng(seed)
    made = Net(6, 6, 4)
    for shape in ((24, 3, 3, 4), (24, 3, 3, 24)):
        made.conv(random.normal(size=shape) / np.sqrt(9 * shape[3]), random.normal(size=24) / 4)
    made.depthwise(random.normal(size=(1, 3, 3, 24)) / 3, random.normal(size=24) / 4)
    made.conv(random.normal(size=(24, 1, 1, 24)) / 5, random.normal(size=24) / 4)
    return made.mean().dense(random.normal(size=(8, 24)), random.normal(size=8)).tflite()


def low_rank(tflite: bytes | None = None, **values: Any) -> base.Candidate:
    return compressing.run({"pass": "low_rank", **values}, base.Candidate(tflite or net()))


def only_split(tflite: bytes | None = None, **values: Any) -> tuple[base.Candidate, Any]:
    """Before any training, and what is told of each layer."""
    given = tflite or net()
    options = LowRankOptions(**values)
    return split_layers(base.Candidate(given), options, compressing.context(given))


def names(tflite: bytes) -> list[str]:
    return list(layer_names(read(tflite)).values())


def outputs(tflite: bytes) -> np.ndarray:
    rows = compressing.context(tflite).rows.inputs[0]
    with LiteRT(tflite) as runtime:
        return np.stack([runtime.run((row[None],))[0] for row in rows])


def lost(tflite: bytes, small: bytes) -> float:
    wanted = outputs(tflite)
    return float(np.square(outputs(small) - wanted).mean() / wanted.var())


CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "what an energy allows": ({"energy": 0.8}, {CONV, MIDDLE, POINT, DENSE}),
    "one layer": ({"energy": 0.8, "layers": [MIDDLE]}, {MIDDLE}),
    "a rank": ({"rank": 4}, {CONV, MIDDLE, POINT}),
    "a rank for one layer": ({"layers": [MIDDLE, POINT], "per_layer": {POINT: {"rank": 2}},
                              "energy": 0.8}, {MIDDLE, POINT}),
    "k x 1, then 1 x k": ({"method": "spatial", "rank": 4}, {CONV, MIDDLE, POINT}),
    "1 x 1, then k x k": ({"method": "input", "rank": 4}, {MIDDLE, POINT}),
    "by weights alone": ({"rank": 4, "weighted": False}, {CONV, MIDDLE, POINT}),
    "ranks in fours": ({"energy": 0.8, "multiple": 4}, {CONV, MIDDLE, POINT}),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_split(case: str) -> None:
    values, wanted = CHANGES[case]
    tflite = net()
    small, told = only_split(tflite, **values)
    graph, before = read(small.tflite), read(tflite)
    found = {name.removesuffix("_first") for name in names(small.tflite) if "_first" in name}
    assert found == wanted
    assert {name for name, each in told.items() if each["parameters"] < each["parameters_before"]
            } == wanted  # fmt: skip
    saved = sum(each["parameters_before"] - each["parameters"] for each in told.values())
    assert count.parameters(graph) == count.parameters(before) - saved
    assert count.macs(graph) == count.macs(before) - sum(
        each["macs_before"] - each["macs"] for each in told.values()
    )
    ranks = {p.layer.removesuffix("_first"): p.value for p in small.promises}
    assert ranks == {name: told[name]["rank"] for name in wanted}
    assert all(rank % values.get("multiple", 1) == 0 for rank in ranks.values())


def test_a_network_of_low_rank_loses_nothing() -> None:
    random = np.random.default_rng(3)

    def thin(*shape: int, rank: int) -> np.ndarray:
        parts = random.normal(size=(shape[0], rank)), random.normal(size=(rank, *shape[1:]))
        return np.tensordot(*parts, axes=1) / np.sqrt(rank * np.prod(shape[1:]))

    made = Net(6, 6, 4).conv(thin(24, 3, 3, 4, rank=3), random.normal(size=24), RELU)
    tflite = made.mean().dense(thin(20, 24, rank=2), random.normal(size=20)).tflite()
    small, told = only_split(tflite, energy=0.999)
    assert {name: each["rank"] for name, each in told.items()} == {"y0": 3, "y2": 2}
    assert lost(tflite, small.tflite) < 1e-4


@pytest.mark.parametrize("values", [{"macs": 0.5}, {"parameters": 0.5}])
def test_a_budget_is_kept(values: dict[str, float]) -> None:
    tflite = net()
    small = only_split(tflite, **values)[0].tflite
    counted = count.macs if "macs" in values else count.parameters
    assert 0.4 * counted(read(tflite)) < counted(read(small)) <= 0.5 * counted(read(tflite))


def test_what_is_given_to_a_layer_counts() -> None:
    """Inputs of which only some move: weights that read the others are no loss."""
    random = np.random.default_rng(0)
    calm = np.diag(np.r_[np.ones(4), np.full(20, 1e-3)])
    net = Net(24).dense(calm).dense(random.normal(size=(24, 24)))
    tflite = net.tflite()
    weighed, plain = (
        only_split(tflite, rank=4, layers=("y1",), weighted=on)[0].tflite for on in (True, False)
    )
    assert lost(tflite, weighed) < 1e-3 < 0.1 < lost(tflite, plain)


def test_what_lies_beside_keeps_its_zeros() -> None:
    tflite = net()
    small = low_rank(tflite, energy=0.8, layers=[MIDDLE], sparse=0.05, learning_rate=1e-3)
    assert {"y1_first", "y1_second", "y1_beside", "y1"} <= set(names(small.tflite))
    graph = read(small.tflite)
    beside = next(op for op in graph.ops if graph.tensors[op.outputs[0]].name == "y1_beside")
    share = float((np.asarray(graph.tensors[beside.inputs[1]].data) == 0).mean())
    assert share == pytest.approx(0.95, abs=0.01)
    assert small.traits == {"sparse"}
    assert {p.kind for p in small.promises} == {"rank", "sparsity"}


@pytest.mark.slow
def test_what_lies_beside_comes_nearer() -> None:
    tflite = net()
    still, told = only_split(tflite, energy=0.8, layers=(MIDDLE,), sparse=0.05)
    alone, _ = only_split(tflite, layers=(MIDDLE,), rank=int(told[MIDDLE]["rank"]))
    assert lost(tflite, still.tflite) < 0.9 * lost(tflite, alone.tflite)


def test_training_wins_some_of_it_back() -> None:
    tflite = net()
    small = low_rank(tflite, rank=3, weighted=False, epochs=8)
    losses = small.log[-1].trained["guard_loss"]
    assert min(losses) < 0.9 * losses[0]
    told = small.log[-1].layers[MIDDLE]
    assert told["rank"] == 3
    assert told["parameters"] < told["parameters_before"] == 24 * 24 * 9 + 24


def test_what_is_left_alone_is_named() -> None:
    tflite = net()
    small, _ = only_split(tflite, rank=4, exclude=(POINT,))
    assert POINT in names(small.tflite)
    assert f"{POINT}_first" not in names(small.tflite)
    messages = " ".join(problem.message for problem in small.problems)
    assert "low_rank leaves y2 as is: a layer that has a kernel of one input a channel" in messages
    assert "low_rank leaves y5 as is: a layer that costs less whole" in messages
    left, right = read(tflite), read(small.tflite)
    for op in left.ops:
        assert left.tensors[op.outputs[0]].name == right.tensors[op.outputs[0]].name
    assert [right.tensors[i].shape for i in right.outputs] == [(1, 8)]


@pytest.mark.slow
def test_all_other_passes_may_follow() -> None:
    original = net()
    small = low_rank(original, energy=0.8)
    for spec in ("prune:0.5", "cluster:4", "distill", "qat"):
        values = parse(spec)[0] | {"epochs": 1}
        options, tuning = base.from_mapping(values["pass"], values, "--compress")
        shared = compressing.context(original).tuned(tuning)
        small = base.load(values["pass"]).run(small, options, shared)
    assert "y1_first" in names(small.tflite)
    assert small.traits == {"sparse", "clustered", "qat"}
    assert "rank" in {promise.kind for promise in small.promises}


@pytest.mark.slow
def test_it_may_follow_removal_and_itself() -> None:
    original = net()
    small = base.Candidate(original)
    for values in (
        {"pass": "remove", "share": 0.25, "epochs": 1, "rounds": 1},
        {"pass": "low_rank", "rank": 5, **STILL},
        {"pass": "low_rank", "rank": 2, "layers": ["y1_first"], **STILL},
    ):
        options, tuning = base.from_mapping(str(values["pass"]), values, "--compress")
        shared = compressing.context(original).tuned(tuning)
        small = base.load(str(values["pass"])).run(small, options, shared)
    assert {"y1_first", "y1_first_first", "y1"} <= set(names(small.tflite))
    assert outputs(small.tflite).shape == outputs(original).shape


def test_a_seed_decides() -> None:
    first, second = (only_split(energy=0.8)[0].tflite for _ in range(2))
    assert first == second


def test_a_rank_is_promised() -> None:
    from edgekit.passes.promises import broken

    small, _ = only_split(rank=4)
    assert not broken(small.promises, small.tflite)
    wrong = [dataclasses.replace(p, value=p.value - 1) for p in small.promises]
    assert "4 channels, a rank of 3 promised" in broken(wrong, small.tflite)[0].message


def test_short_form() -> None:
    for text, wanted in {
        "low_rank:0.9": LowRankOptions(energy=0.9),
        "low_rank:macs=0.5:method=spatial": LowRankOptions(macs=0.5, method="spatial"),
        "low_rank:rank=4:layers=Dense": LowRankOptions(rank=4, layers=("Dense",)),
    }.items():
        assert base.from_mapping("low_rank", parse(text)[0], "--compress")[0] == wanted


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"energy": 1.0}, UsageError, "energy = 1 is out of range"),
        ({"macs": 1.5}, UsageError, "macs = 1.5 is out of range"),
        ({"macs": 0.01}, UsageError, "macs = 0.01 cannot be reached: with ranks of 1 0"),
        ({"method": "tucker"}, UsageError, "method"),
        ({"layers": ["convolution"]}, UsageError, "layers: 'convolution' matches no layer"),
        ({"per_layer": {"y1": {"macs": 0.2}}}, UsageError, "macs cannot differ from layer to"),
        ({"macs": 0.5, "sparse": 0.1}, UsageError, "macs and sparse stand side by side"),
        ({"layers": [DENSE]}, UsageError, "no layer is split: two thin ones would cost more"),
        ({"layers": ["y2"]}, UsageError, r"layers: y2 \(DepthwiseConv2D\) has a kernel of one"),
    ],
)
def test_what_cannot_be_is_refused(
    values: dict[str, Any], error: type[EdgekitError], message: str
) -> None:
    with pytest.raises(error, match=message) as refused:
        low_rank(**values)
    assert refused.value.hint


def test_a_network_without_such_layers_is_refused() -> None:
    with pytest.raises(ModelError, match="there is nothing to split: y0 has a kernel of one input"):
        low_rank(compressing.depthwise_only())


def test_a_network_that_gives_nan_is_refused() -> None:
    net = Net(6, 6, 4).conv(np.full((24, 3, 3, 4), np.nan)).mean().dense(np.ones((8, 24)))
    with pytest.raises(ModelError, match="the model gives NaN or infinity"):
        low_rank(net.tflite())


@pytest.mark.parametrize("trait", ["sparse", "clustered", "qat"])
def test_it_comes_before_what_is_promised_of_kernels(trait: str) -> None:
    before = base.Candidate(net(), traits=frozenset({trait}))
    with pytest.raises(UsageError, match=f"low_rank cannot follow a pass that left it {trait}"):
        compressing.run({"pass": "low_rank", **STILL}, before)
