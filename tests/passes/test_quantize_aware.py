"""Quantization-aware training: what it learns, and what it leaves as earlier passes left it."""

from __future__ import annotations

import dataclasses
from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE
from small_nets import Net, as_model, rows_of, sqnr

from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.calibrate.ranges import calibrate
from edgekit.calibrate.ranges import read as ranges_of
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.model import Learned
from edgekit.passes import base
from edgekit.passes.promises import broken_in_integers, ranges_kept
from edgekit.problem import Problem
from edgekit.quantizers.base import Quantized, QuantizeOptions, load


def shaken() -> base.Candidate:
    """The net with other kernels: there is something to learn from the net as it was."""
    lifted, random = lift(compressing.net(), form="folded"), np.random.default_rng(5)
    kernels = {layer.name: layer.kernel_array() for layer in lifted.layers}
    return base.Candidate(
        lower(lifted, {name: k * random.uniform(0.5, 1.5, k.shape) for name, k in kernels.items()})
    )


def qat(before: base.Candidate | None = None, seed: int = 0, **values: Any) -> base.Candidate:
    """Training on a few rows, from the net as it was."""
    options, tuning = base.from_mapping("qat", values, "edgekit.toml")
    context = compressing.context(compressing.net(), seed).tuned(tuning)
    return base.load("qat").run(before or shaken(), options, context)


def learned(candidate: base.Candidate) -> Any:
    """The model that a chain hands to the quantizers."""
    decided = Learned(candidate.ranges, candidate.weight_scales)
    return dataclasses.replace(as_model(candidate.tflite), learned=decided)


def built(candidate: base.Candidate, scheme: str = "int8", **options: Any) -> Quantized:
    values = np.random.default_rng(2).normal(size=(10, 6, 6, 4))
    return load(scheme).quantize(learned(candidate), rows_of(values), QuantizeOptions(**options))


def unkept(candidate: base.Candidate, file: bytes) -> list[Problem]:
    """What of the candidate's promises and ranges is not in the file."""
    return [
        *broken_in_integers(candidate.promises, candidate.tflite, file),
        *ranges_kept(candidate.ranges, candidate.tflite, file),
    ]


@pytest.fixture(scope="module")
def trained() -> base.Candidate:
    return qat()


@pytest.fixture(scope="module")
def pruned() -> base.Candidate:
    return compressing.run(
        {"pass": "prune", "sparsity": 0.5, "allocate": "uniform", "schedule": "polynomial"},
        base.Candidate(compressing.net()),
    )


@pytest.fixture(scope="module")
def both(pruned: base.Candidate) -> base.Candidate:
    return compressing.run({"pass": "cluster", "clusters": 6}, pruned)


def test_ranges_are_learned_of_every_activation_and_are_those_of_the_file(
    trained: base.Candidate,
) -> None:
    graph = read(trained.tflite)
    activations = {*graph.inputs, *(index for op in graph.ops for index in op.outputs)}
    assert set(trained.ranges) == activations
    assert trained.traits == {"qat"}
    assert trained.tflite != shaken().tflite
    assert unkept(trained, built(trained).tflite) == []
    (entry,) = trained.log
    assert entry.options["decay"] == 0.99
    assert entry.options["fine_tune"]["learning_rate"] > 0


def test_plain_calibration_would_give_other_ranges(trained: base.Candidate) -> None:
    plain = dataclasses.replace(trained, ranges={})
    assert ranges_kept(trained.ranges, trained.tflite, built(plain).tflite)


def test_one_short_epoch_does_not_harm_the_model() -> None:
    values = np.random.default_rng(2).normal(size=(10, 6, 6, 4))
    after = qat(base.Candidate(compressing.net()), epochs=1)
    assert sqnr(compressing.net(), built(after).tflite, rows_of(values)) > 25


def test_training_lowers_the_loss_of_the_rounded_model() -> None:
    (entry,) = qat(epochs=4, learning_rate=0.01).log
    assert entry.trained["guard_loss"][-1] < 0.5 * entry.trained["guard_loss"][0]


def test_ranges_frozen_at_once_are_those_of_calibration() -> None:
    tflite = shaken().tflite
    rows = rows_of(compressing.context(tflite).rows.inputs[0])
    calibrated = ranges_of(calibrate(tflite, as_model(tflite).inputs, rows))
    after = qat(freeze_ranges_after=0.0)
    for index, (low, high) in after.ranges.items():
        wanted = min(0.0, calibrated[index][0]), max(0.0, calibrated[index][1])
        assert (low, high) == pytest.approx(wanted, rel=1e-5)


def test_zeros_stay_zeros(pruned: base.Candidate) -> None:
    after = qat(pruned, learning_rate=0.01)
    assert after.traits == {"sparse", "qat"}
    was, now = compressing.kernels(pruned.tflite), compressing.kernels(after.tflite)
    for name in (CONV, POINTWISE, DENSE):
        assert np.array_equal(now[name] == 0, was[name] == 0)
        assert not np.allclose(now[name], was[name])
    assert unkept(after, built(after).tflite) == []


def test_code_books_stay_and_zeros_with_them(both: base.Candidate) -> None:
    after = qat(both, learning_rate=0.01)
    assert after.traits == {"sparse", "clustered", "qat"}
    assert unkept(after, built(after).tflite) == []
    was, now = compressing.kernels(both.tflite), compressing.kernels(after.tflite)
    integers = compressing.kernels(built(after).tflite)
    for name in (CONV, POINTWISE, DENSE):
        assert np.array_equal(now[name] == 0, was[name] == 0)
        assert len(np.unique(integers[name])) <= 6
        before, codes = compressing.codes(both, name), compressing.codes(after, name)
        assert len(np.unique(np.round(codes, 2))) <= 6
        assert np.abs(codes - before).max() > 0.05, "the code book itself is trained"
    assert len(np.unique(integers[DEPTHWISE])) > 20


def test_shared_values_move_less_at_a_step_than_weights_of_their_own(
    pruned: base.Candidate, both: base.Candidate
) -> None:
    rates = {
        name: qat(each).log[-1].options["fine_tune"]["learning_rate"]
        for name, each in {"pruned": pruned, "both": both}.items()
    }
    assert rates == {"pruned": 2e-3, "both": 2e-4}
    book, moved = (compressing.codes(each, CONV) for each in (both, qat(both)))
    assert 0 < np.abs(moved - book).max() < 0.5, "no code is rounded to another integer"


def test_a_code_book_for_each_channel_stays_too() -> None:
    spec = {"pass": "cluster", "clusters": 3, "per_channel": True, "layers": [CONV]}
    clustered = compressing.run(spec, base.Candidate(compressing.net()))
    after = qat(clustered, learning_rate=0.01)
    kernel = compressing.kernels(built(after).tflite)[CONV]
    assert {len(np.unique(channel)) for channel in kernel} <= {2, 3}
    assert not after.weight_scales
    assert unkept(after, built(after).tflite) == []


def test_layers_left_out_are_named_and_keep_their_promises(both: base.Candidate) -> None:
    after = qat(both, exclude=[CONV], learning_rate=0.01)
    assert read(after.tflite).ops[0].outputs[0] not in after.ranges
    graph = read(after.tflite)
    assert len(after.ranges) == len(graph.inputs) + len(graph.ops) - 1
    note = after.problems[-1]
    assert note.severity == "note"
    assert CONV in note.message
    assert unkept(after, built(after).tflite) == []
    assert len(np.unique(compressing.kernels(built(after).tflite)[CONV])) <= 6


def test_the_same_seed_gives_the_same_bytes(trained: base.Candidate) -> None:
    again = qat()
    assert again.tflite == trained.tflite
    assert again.ranges == trained.ranges


def test_a_pattern_that_matches_nothing_names_the_layers() -> None:
    with pytest.raises(UsageError, match="'nose' matches no layer") as caught:
        qat(layers=["nose"])
    assert CONV in caught.value.hint


@pytest.mark.parametrize(
    ("before", "options"),
    [
        pytest.param(compressing.net(), {"exclude": ["*"]}, id="all left out"),
        pytest.param(Net(6, 6, 4).op("EXP", (1, 6, 6, 4)).tflite(), {}, id="no weights"),
    ],
)
def test_nothing_to_round_is_refused(before: bytes, options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="no layer that qat may round becomes int8") as caught:
        qat(base.Candidate(before), **options)
    assert "leave qat out" in caught.value.hint


@pytest.mark.parametrize("scheme", ["float32", "float16", "dynamic", "int16x8"])
def test_other_number_formats_warn_that_ranges_are_for_int8(
    trained: base.Candidate, scheme: str
) -> None:
    (problem,) = [p for p in built(trained, scheme).problems if p.severity == "warning"]
    assert "ranges" in problem.message
    assert scheme in problem.message


def test_corrections_asked_for_are_refused_in_words(trained: base.Candidate) -> None:
    made = built(trained, equalise="on", bias_correct="on", estimator="mse")
    (problem,) = made.problems
    assert "equalise, bias_correct, estimator mse not applied" in problem.message
    assert unkept(trained, made.tflite) == []


def test_code_books_of_few_bits_stay_so_in_the_file() -> None:
    clusters = {"pass": "cluster", "clusters": 6, "factors": "layer", "code_bits": 4}
    after = qat(compressing.run(clusters, base.Candidate(compressing.net())), learning_rate=0.01)
    assert unkept(after, built(after).tflite) == []
    names = {"CONV_2D", "FULLY_CONNECTED"}
    graph = read(built(after).tflite)
    kernels = [graph.tensors[op.inputs[1]].data for op in graph.ops if op.name in names]
    assert kernels
    for kernel in kernels:
        assert kernel is not None
        assert np.abs(kernel).max() == 7
