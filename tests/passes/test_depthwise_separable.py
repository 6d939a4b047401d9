"""Convolutions that become depthwise and 1 x 1: which, at what cost, and what they compute."""

from __future__ import annotations

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
from edgekit.passes._depthwise_options import DepthwiseOptions
from edgekit.passes._separated import separate_layers
from edgekit.passes._short import parse
from edgekit.runtimes.litert import LiteRT

STILL = {"epochs": 1, "learning_rate": 1e-9}
FIRST, SECOND, POINT, DENSE = "y0", "y1", "y2", "y4"


def net(seed: int = 0, separable: bool = False) -> bytes:
    """conv 3x3 (4 -> 12), conv 3x3 (12 -> 12), conv 1x1 (12 -> 12), mean, dense (12 -> 5)."""
    random = np.random.default_rng(seed)

    def kernel(outputs: int, inputs: int) -> np.ndarray:
        whole = random.normal(size=(outputs, 3, 3, inputs)) / np.sqrt(9 * inputs)
        if separable:
            whole = random.normal(size=(1, 3, 3, inputs)) * random.normal(
                size=(outputs, 1, 1, inputs)
            )
        return whole

    made = Net(6, 6, 4)
    made.conv(kernel(12, 4), random.normal(size=12) / 4, RELU)
    made.conv(kernel(12, 12), random.normal(size=12) / 4, RELU)
    made.conv(random.normal(size=(12, 1, 1, 12)) / 4, random.normal(size=12) / 4, RELU)
    return made.mean().dense(random.normal(size=(5, 12)), random.normal(size=5)).tflite()


def only_separate(tflite: bytes | None = None, **values: Any) -> tuple[base.Candidate, Any]:
    given = tflite or net()
    options = DepthwiseOptions(**values)
    return separate_layers(base.Candidate(given), options, compressing.context(given))


def ops(tflite: bytes) -> list[str]:
    return [op.name for op in read(tflite).ops]


def outputs(tflite: bytes) -> np.ndarray:
    rows = compressing.context(tflite).rows.inputs[0]
    with LiteRT(tflite) as runtime:
        return np.stack([runtime.run((row[None],))[0] for row in rows])


CHANGES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "all that can be": ({}, {FIRST: 1, SECOND: 1}),
    "two channels of each": ({"multiplier": 2}, {FIRST: 2, SECOND: 2}),
    "one layer": ({"layers": [SECOND]}, {SECOND: 1}),
    "all but one": ({"exclude": [SECOND]}, {FIRST: 1}),
    "one otherwise": ({"per_layer": {SECOND: 2}}, {FIRST: 1, SECOND: 2}),
    "by weights alone": ({"weighted": False}, {FIRST: 1, SECOND: 1}),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_replaced(case: str) -> None:
    values, wanted = CHANGES[case]
    tflite = net()
    small, told = only_separate(tflite, **values)
    assert {name: each["multiplier"] for name, each in told.items() if each["multiplier"]} == wanted
    graph, before = read(small.tflite), read(tflite)
    assert ops(small.tflite).count("DEPTHWISE_CONV_2D") == len(wanted)
    names = layer_names(graph).values()
    assert {name.removesuffix("_depthwise") for name in names if "_depthwise" in name} == set(
        wanted
    )
    for counted, key in ((count.parameters, "parameters"), (count.macs, "macs")):
        saved = sum(each[f"{key}_before"] - each[key] for each in told.values())
        assert saved > 0
        assert counted(graph) == counted(before) - saved
    assert np.isfinite(outputs(small.tflite)).all()


def test_a_separable_network_loses_nothing() -> None:
    tflite = net(separable=True)
    small, told = only_separate(tflite)
    np.testing.assert_allclose(outputs(small.tflite), outputs(tflite), rtol=1e-3, atol=1e-3)
    assert told[SECOND]["energy"] == pytest.approx(1.0, abs=1e-3)


def test_layers_make_up_for_those_before_them() -> None:
    tflite = net()
    wanted = outputs(tflite)
    lost = [
        float(np.square(outputs(only_separate(tflite, weighted=how)[0].tflite) - wanted).mean())
        for how in (True, False)
    ]
    assert lost[0] < 0.7 * lost[1]


def test_a_budget_spends_where_it_helps() -> None:
    tflite = net()
    whole = count.macs(read(tflite))
    lost = []
    for share in (0.3, 0.6):
        small, _ = only_separate(tflite, macs=share)
        assert 0.5 * share * whole < count.macs(read(small.tflite)) <= share * whole
        lost.append(float(np.square(outputs(small.tflite) - outputs(tflite)).mean()))
    assert lost[1] < lost[0]


def test_it_trains_what_it_replaced() -> None:
    original = net()
    values = {"pass": "depthwise_separable", "epochs": 12, "learning_rate": 0.02}
    small = compressing.run(values, base.Candidate(original))
    losses = small.log[-1].trained["guard_loss"]
    assert min(losses) < losses[0]
    assert small.log[-1].name == "depthwise_separable"
    assert small.log[-1].layers[SECOND]["multiplier"] == 1
    assert [problem.message for problem in small.problems] == [
        "depthwise_separable leaves y2 as is: a layer that has a window of 1 x 1",
        "depthwise_separable leaves y4 as is: a layer that is a Dense",
    ]


def test_a_seed_decides() -> None:
    assert only_separate()[0].tflite == only_separate()[0].tflite


def test_short_form() -> None:
    for text, wanted in {
        "depthwise_separable": DepthwiseOptions(),
        "depthwise_separable:2": DepthwiseOptions(multiplier=2),
        "depthwise_separable:macs=0.3:exclude=conv1": DepthwiseOptions(
            macs=0.3, exclude=("conv1",)
        ),
    }.items():
        given = base.from_mapping("depthwise_separable", parse(text)[0], "--compress")[0]
        assert given == wanted


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"multiplier": 0}, UsageError, "multiplier = 0 is out of range"),
        ({"macs": 0.01}, UsageError, "macs = 0.01 cannot be reached: with a multiplier of 1"),
        ({"layers": [POINT]}, UsageError, r"layers: y2 \(Conv2D\) has a window of 1 x 1"),
        ({"layers": [DENSE]}, UsageError, r"layers: y4 \(Dense\) is a Dense"),
        ({"layers": ["conv"]}, UsageError, "layers: 'conv' matches no layer"),
        ({"multiplier": 9}, UsageError, "no layer is replaced: y0 and the others would cost more"),
        ({"per_layer": {"y1": {"macs": 0.2}}}, UsageError, "macs cannot differ from layer to"),
        ({"per_layer": {"y1": 2}, "macs": 0.5}, UsageError, "macs and per_layer stand side by"),
    ],
)
def test_what_cannot_be_is_refused(
    values: dict[str, Any], error: type[EdgekitError], message: str
) -> None:
    with pytest.raises(error, match=message) as refused:
        compressing.run({"pass": "depthwise_separable", **STILL, **values}, base.Candidate(net()))
    assert refused.value.hint


def test_a_network_without_such_layers_is_refused() -> None:
    with pytest.raises(ModelError, match="there is nothing to replace: y0 is a DepthwiseConv2D"):
        only_separate(compressing.depthwise_only())


@pytest.mark.parametrize("trait", ["sparse", "clustered", "qat"])
def test_it_comes_before_what_is_promised_of_kernels(trait: str) -> None:
    before = base.Candidate(net(), traits=frozenset({trait}))
    with pytest.raises(UsageError, match="cannot follow a pass that left it " + trait):
        compressing.run({"pass": "depthwise_separable", **STILL}, before)


@pytest.mark.slow
def test_all_other_passes_may_follow() -> None:
    original = net()
    small, _ = only_separate(original)
    for spec in ("remove:0.25:rounds=1", "low_rank:0.9:layers=y2", "prune:0.5", "cluster:4", "qat"):
        values = parse(spec)[0] | {"epochs": 1}
        options, tuning = base.from_mapping(values["pass"], values, "--compress")
        shared = compressing.context(original).tuned(tuning)
        small = base.load(values["pass"]).run(small, options, shared)
    assert "DEPTHWISE_CONV_2D" in ops(small.tflite)
    assert small.traits == {"sparse", "clustered", "qat"}
