"""A network of the user's that learns in place of the model, and models that it learns from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import compressing
import numpy as np
import pytest
from small_nets import NONE, RELU, Net

from edgekit.bridge.lift import lift
from edgekit.errors import EdgekitError, ModelError, UsageError
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.passes._distill_options import DistillOptions
from edgekit.passes._short import parse
from edgekit.passes._teachers import named, together
from edgekit.runtimes.litert import LiteRT

BRIEF = {"epochs": 1}
LONG = {"epochs": 30, "learning_rate": 0.1}


def big(seed: int = 0, softmax: bool = False, hidden: int = 16) -> bytes:
    """dense (6 -> hidden), dense (hidden -> hidden), dense (hidden -> 3)."""
    random = np.random.default_rng(seed)
    net = Net(6)
    for width in (hidden, hidden):
        net.dense(random.normal(size=(width, net.shape[-1])) / 2, random.normal(size=width), RELU)
    net.dense(random.normal(size=(3, hidden)), random.normal(size=3), NONE)
    return ended(net, softmax)


def small(seed: int = 1, hidden: int = 4, softmax: bool = False) -> bytes:
    """dense (6 -> hidden), dense (hidden -> 3)."""
    random = np.random.default_rng(seed)
    net = Net(6).dense(random.normal(size=(hidden, 6)), random.normal(size=hidden), RELU)
    net.dense(random.normal(size=(3, hidden)), random.normal(size=3), NONE)
    return ended(net, softmax)


def ended(net: Net, softmax: bool) -> bytes:
    if softmax:
        net.op("SOFTMAX", (1, 3), ("SoftmaxOptions", {"beta": 1.0}))
    return net.tflite()


def context(original: bytes, root: Path, **fine_tune: Any) -> base.Context:
    return dataclasses.replace(compressing.context(original, **fine_tune), root=root)


def run(
    values: dict[str, Any], root: Path, original: bytes, before: base.Candidate | None = None
) -> base.Candidate:
    given = {"pass": "distill", **BRIEF, **values}
    options, tuning = base.from_mapping(str(given["pass"]), given, "--compress")
    shared = context(original, root).tuned(tuning)
    start = before or base.Candidate(original)
    return base.load(str(given["pass"])).run(start, options, shared)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.tflite").write_bytes(small())
    (tmp_path / "other.tflite").write_bytes(big(5))
    return tmp_path


def test_the_student_takes_the_place_of_the_model(folder: Path) -> None:
    original = big()
    learned = run({"student": "small.tflite", **LONG}, folder, original)
    assert count.parameters(read(learned.tflite)) == count.parameters(read(small()))
    losses = learned.log[-1].trained["guard_loss"]
    assert min(losses) < 0.5 * losses[0]
    assert learned.log[-1].options["student"] == "small.tflite"
    assert {name: each["parameters"] for name, each in learned.log[-1].layers.items()} == {
        "y0": 28,
        "y1": 15,
    }
    assert learned.kept == {}


def test_layers_of_other_shapes_are_not_taken_for_the_originals(folder: Path) -> None:
    learned = run({"student": "small.tflite"}, folder, big())
    assert learned.mates == {}
    (folder / "small.tflite").write_bytes(small(hidden=16))
    learned = run({"student": "small.tflite"}, folder, big())
    (pair,) = learned.mates.items() if learned.mates else ()
    graphs = read(learned.tflite), read(big())
    names = [graph.tensors[index].name for graph, index in zip(graphs, pair, strict=True)]
    assert names == ["y0", "y0"]


def test_more_epochs_are_the_default_for_a_student(folder: Path) -> None:
    options, _ = base.from_mapping("distill", {"student": "small.tflite"}, "--compress")
    shared = context(big(), folder, epochs=0, max_minutes=1e-6)
    learned = base.load("distill").run(base.Candidate(big()), options, shared)
    assert learned.log[-1].options["fine_tune"]["epochs"] == 1000


def test_rounding_that_follows_learns_from_the_original(folder: Path) -> None:
    """Apprentice: the teacher is the model that was given, not the student."""
    original = big()
    learned = run({"student": "small.tflite", "epochs": 6}, folder, original)
    rounded = run({"pass": "quantize_aware"}, folder, original, learned)
    assert rounded.traits == {"qat"}
    assert rounded.ranges
    assert rounded.mates == learned.mates
    rows = compressing.context(original).guard.inputs[0]
    apart = np.square(outputs(learned.tflite, rows) - outputs(original, rows)).mean()
    told = rounded.log[-1].trained["guard_loss"][0]
    assert told > 0.1 * apart / outputs(original, rows).var()


def outputs(tflite: bytes, rows: np.ndarray) -> np.ndarray:
    with LiteRT(tflite) as runtime:
        return np.stack([runtime.run((row[None],))[0][0] for row in rows])


FEATURES = {
    "alike": {"student": "wide.tflite", "features": {"y0": "y1"}},
    "other channels": {"student": "small.tflite", "features": {"y0": "y1"}},
    "the model itself": {"features": {"y0": "y0"}},
}


@pytest.mark.parametrize("case", FEATURES)
def test_named_layers_are_followed(case: str, folder: Path) -> None:
    (folder / "wide.tflite").write_bytes(small(hidden=16))
    learned = run({"feature_share": 5.0, **FEATURES[case]}, folder, big())
    assert np.isfinite(learned.log[-1].trained["loss"]).all()
    assert learned.log[-1].options["features"] == FEATURES[case]["features"]
    assert learned.log[-1].options["fine_tune"]["feature_weight"] == 5.0
    graph = read(learned.tflite)
    assert len(graph.ops) == (2 if "student" in FEATURES[case] else 3)


@pytest.mark.slow
def test_what_turns_channels_trains_along(folder: Path) -> None:
    """A hidden layer that follows two of the teacher's comes closer to what can be told of it."""
    original, values = big(), {"student": "small.tflite", "features": {"y0": "y1"}}
    near, far = (
        run({**values, "feature_share": share, "epochs": 30}, folder, original).tflite
        for share in (20.0, 0.0)
    )
    rows = compressing.context(original).rows.inputs[0]
    assert unexplained(near, original, rows) < unexplained(far, original, rows)


def unexplained(tflite: bytes, original: bytes, rows: np.ndarray) -> float:
    """What a linear map of the student's hidden layer leaves of the teacher's second."""
    mine, theirs = hidden(tflite, 0, rows), hidden(original, 1, rows)
    mine = np.c_[mine, np.ones(len(mine))]
    solved = np.linalg.lstsq(mine, theirs, rcond=None)[0]
    return float(np.square(theirs - mine @ solved).mean() / theirs.var())


def hidden(tflite: bytes, number: int, rows: np.ndarray) -> np.ndarray:
    from edgekit import _tf

    lifted = lift(tflite, form="folded")
    output = lifted.activations[lifted.layers[number].op.outputs[0]]
    return np.asarray(_tf.tf_keras().Model(lifted.model.inputs, output)(rows, training=False))


@pytest.mark.parametrize("how", ["probabilities", "scores"])
def test_an_ensemble_gives_the_mean(how: str) -> None:
    teachers = [lift(big(seed, softmax=True), form="folded") for seed in (0, 5)]
    scores = together(teachers, (), how, 2.0).scores
    rows = np.random.default_rng(0).normal(size=(7, 6)).astype(np.float32)
    given = [np.asarray(each.scores(rows), np.float64) for each in teachers]
    found = np.asarray(scores(rows), np.float64)
    if how == "scores":
        np.testing.assert_allclose(found, sum(given) / 2, rtol=1e-5, atol=1e-5)
        return
    softened = [np.exp(z / 2) / np.exp(z / 2).sum(axis=1, keepdims=True) for z in given]
    again = np.exp(found / 2) / np.exp(found / 2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(again, sum(softened) / 2, rtol=1e-4, atol=1e-6)


def test_it_learns_from_other_teachers(folder: Path) -> None:
    """Alone it would stay as it is: it is the original."""
    original = big()
    rows = compressing.context(original).rows.inputs[0]
    learned = run({"teachers": ["other.tflite"], **LONG}, folder, original)
    goal = outputs(big(5), rows)
    before, after = (np.square(outputs(t, rows) - goal).mean() for t in (original, learned.tflite))
    assert after < 0.7 * before


def test_layers_of_one_name_and_shape_are_mates() -> None:
    pairs = named(lift(small(hidden=16), form="folded"), lift(big(), form="folded"))
    assert [(pair.channels, pair.alike) for pair in pairs] == [(16, True)]


def test_short_form_and_table() -> None:
    spec = parse('distill:student=nets/small.keras:teachers=a.keras+"b.h5"')[0]
    options, _ = base.from_mapping("distill", spec, "--compress")
    assert options == DistillOptions(student="nets/small.keras", teachers=("a.keras", "b.h5"))
    assert options.files == ("nets/small.keras", "a.keras", "b.h5")
    table = {"student": "s.keras", "features": {"conv2": "conv5"}}
    options, _ = base.from_mapping("distill", table, "edgekit.toml")
    assert options.to_json()["features"] == {"conv2": "conv5"}
    again, _ = base.from_mapping("distill", options.to_json(), "edgekit.toml")
    assert again == options


WRONG = {
    "no such file": ({"student": "none.keras"}, ModelError, "no such file"),
    "other inputs": ({"student": "wrong.tflite"}, UsageError, r"takes \[1, 5\] float32, and the"),
    "another head": ({"student": "soft.tflite"}, UsageError, r"gives probabilities \(softmax\)"),
    "a teacher of another kind": ({"teachers": ["soft.tflite"]}, UsageError, "teachers: soft"),
    "a layer that is not there": (
        {"student": "small.tflite", "features": {"y7": "y1"}},
        UsageError,
        "features: the student has no layer 'y7'",
    ),
    "one teacher twice": ({"teachers": ["a", "a"]}, UsageError, "one is named twice"),
    "no table": ({"features": "conv"}, UsageError, "features = 'conv': not a table"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_refused(case: str, folder: Path) -> None:
    values, error, message = WRONG[case]
    (folder / "wrong.tflite").write_bytes(Net(5).dense(np.ones((3, 5))).tflite())
    (folder / "soft.tflite").write_bytes(small(softmax=True))
    kind: type[EdgekitError] = error
    with pytest.raises(kind, match=message) as refused:
        run(values, folder, big())
    assert refused.value.hint


def test_a_student_comes_first(folder: Path) -> None:
    pruned = run({"pass": "prune"}, folder, big())
    with pytest.raises(UsageError, match="begins with another network, and prune is in front"):
        run({"student": "small.tflite"}, folder, big(), pruned)
