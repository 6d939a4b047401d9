"""Pruning: as many zeros as were asked for, where they were asked for, and nowhere else."""

from __future__ import annotations

from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE

from edgekit.errors import EdgekitError, ModelError, UsageError
from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.passes._masks import zero_blocks
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes._prune_steps import Steps


def prune(before: base.Candidate | None = None, seed: int = 0, **values: Any) -> base.Candidate:
    """The same share in every layer, unless `allocate` says otherwise."""
    before = before or base.Candidate(compressing.net())
    return compressing.run({"pass": "prune", "allocate": "uniform", **values}, before, seed)


@pytest.fixture(scope="module")
def half() -> base.Candidate:
    return prune(sparsity=0.5)


def test_the_model_has_its_share_of_zeros_and_layers_have_theirs() -> None:
    pruned = prune(sparsity=0.5, allocate="lamp")
    kernels = compressing.kernels(pruned.tflite)
    parts = [kernels[name] for name in (CONV, POINTWISE, DENSE)]
    zeros = sum(int((part == 0).sum()) for part in parts)
    assert zeros == pytest.approx(0.5 * sum(part.size for part in parts), abs=2)
    assert len({float((part == 0).mean()) for part in parts}) == 3


def test_all_that_can_be_pruned_is_and_nothing_else(half: base.Candidate) -> None:
    original = compressing.net()
    assert compressing.zeros(half.tflite) == {CONV: 0.5, DEPTHWISE: 0.0, POINTWISE: 0.5, DENSE: 0.5}
    assert all((bias != 0).all() for bias in compressing.constants(half.tflite, 2).values())
    assert [op.inputs for op in read(half.tflite).ops] == [op.inputs for op in read(original).ops]
    assert half.traits == {"sparse"}
    (note,) = half.problems
    assert note.severity == "note"
    assert "leaves y1 as is" in note.message
    assert "DepthwiseConv2D" in note.message


def test_the_log_holds_what_was_reached_and_every_option(half: base.Candidate) -> None:
    (entry,) = half.log
    content = entry.to_json()
    assert content["name"] == "prune"
    assert content["layers"][CONV] == {"sparsity": 0.5}
    assert content["options"]["end"] == 0.3
    assert content["options"]["fine_tune"]["epochs"] == 2
    assert len(content["trained"]["loss"]) == 2


def test_zeros_are_promised_of_the_kernels(half: base.Candidate) -> None:
    kinds = {(promise.layer, promise.kind, promise.value) for promise in half.promises}
    assert kinds == {(name, "sparsity", 0.5) for name in (CONV, POINTWISE, DENSE)}


def test_the_same_seed_gives_the_same_bytes(half: base.Candidate) -> None:
    assert prune(sparsity=0.5).tflite == half.tflite


@pytest.mark.slow
def test_another_seed_gives_other_bytes(half: base.Candidate) -> None:
    assert prune(sparsity=0.5, seed=1).tflite != half.tflite


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        pytest.param(
            *({"sparsity": 0.75, "schedule": "constant", "end": 1.0}, (0.75, 0.75, 0.75)),
            marks=pytest.mark.slow,
        ),
        ({"sparsity": 0.75, "initial": 0.5, "begin": 0.2, "end": 0.9}, (0.75, 0.75, 0.75)),
        pytest.param(
            *({"sparsity": 0.25, "layers": ["Conv2D"]}, (0.25, 0.25, 0)), marks=pytest.mark.slow
        ),
        pytest.param(
            *({"sparsity": 0.25, "exclude": [CONV], "per_layer": {"Dense": 0.5}}, (0, 0.25, 0.5)),
            marks=pytest.mark.slow,
        ),
        ({"sparsity": 0.25, "per_layer": {POINTWISE: 0, "Dense": 0.75}}, (0.25, 0, 0.75)),
    ],
    ids=["constant", "part of the training", "a type", "exceptions", "a layer left alone"],
)
def test_options_reach_the_layers(values: dict[str, Any], wanted: tuple[float, ...]) -> None:
    found = compressing.zeros(prune(**values).tflite)
    assert (found[CONV], found[POINTWISE], found[DENSE]) == wanted


def test_blocks_of_a_dense_layer() -> None:
    pruned = prune(sparsity=0.5, layers=["Dense"], block="1x3")
    kernel = compressing.kernels(pruned.tflite)[DENSE].T
    assert zero_blocks(kernel, (1, 3)) == 0.5
    assert {promise.kind for promise in pruned.promises} == {"sparsity", "block"}


def test_two_of_four_inputs_stay() -> None:
    pruned = prune(n_m="2:4")
    for name in (CONV, POINTWISE, DENSE):
        kernel = compressing.kernels(pruned.tflite)[name]
        assert ((kernel.reshape(-1, 4) != 0).sum(axis=1) == 2).all()
    assert {promise.kind for promise in pruned.promises} == {"sparsity", "n_m"}


def test_pruning_on_keeps_the_zeros_there_are(half: base.Candidate) -> None:
    more = prune(half, sparsity=0.75)
    before, after = compressing.kernels(half.tflite), compressing.kernels(more.tflite)
    for name in (CONV, POINTWISE, DENSE):
        assert (after[name][before[name] == 0] == 0).all()
    assert compressing.zeros(more.tflite)[CONV] == 0.75
    assert {promise.value for promise in more.promises} == {0.75}
    assert len(more.log) == 2


def test_another_layer_is_pruned_and_the_first_keeps_its_zeros() -> None:
    first = prune(sparsity=0.75, layers=[DENSE])
    both = prune(first, sparsity=0.25, layers=[CONV])
    zeros = compressing.zeros(both.tflite)
    assert (zeros[CONV], zeros[POINTWISE], zeros[DENSE]) == (0.25, 0, 0.75)
    assert {(promise.layer, promise.value) for promise in both.promises} == {
        (CONV, 0.25),
        (DENSE, 0.75),
    }


def test_when_time_is_up_the_zeros_are_made_at_once_and_a_warning_says_so() -> None:
    cut = prune(sparsity=0.75, end=1.0, max_minutes=1e-6)
    assert compressing.zeros(cut.tflite)[CONV] == 0.75
    (warning,) = [problem for problem in cut.problems if problem.severity == "warning"]
    assert "zeroed at once" in warning.message


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"layers": ["convolution"]}, UsageError, "layers: 'convolution' matches no layer"),
        ({"layers": [DEPTHWISE], "n_m": "2:4"}, UsageError, "N:M: that is for Conv2D and Dense"),
        ({"layers": ["y[1]"]}, ModelError, "nothing to prune: y1 .* not named"),
        ({"layers": [DENSE], "heads": True}, UsageError, "reads no attention heads"),
        ({"layers": [CONV], "n_m": "2:8"}, UsageError, "fewer than 8 inputs"),
        ({"exclude": ["*"]}, UsageError, "exclude leaves no layer over"),
        ({"sparsity": 0}, ModelError, "nothing to prune: sparsity is 0"),
        ({"frequency": 100}, UsageError, "longer than the training, which has 8 steps, 1"),
    ],
    ids=[
        "a pattern that matches nothing",
        "a depthwise layer N:M",
        "a depthwise layer that a pattern fits",
        "heads where there are none",
        "more inputs in a row than there are",
        "nothing left over",
        "no zeros wanted",
        "a frequency beyond the schedule",
    ],
)
def test_what_cannot_be_pruned_is_refused(
    values: dict[str, Any], error: type[EdgekitError], message: str
) -> None:
    with pytest.raises(error, match=message):
        prune(**values)


def test_a_model_with_nothing_to_prune_is_refused() -> None:
    with pytest.raises(ModelError, match=r"nothing to prune: y0 \(DepthwiseConv2D"):
        prune(base.Candidate(compressing.depthwise_only()))


def test_fewer_zeros_than_there_are_is_refused(half: base.Candidate) -> None:
    with pytest.raises(UsageError, match=r"0\.25 of the weights are to be zero, 0\.5 are already"):
        prune(half, sparsity=0.25)


@pytest.mark.parametrize("trait", ["clustered", "qat"])
def test_what_later_passes_left_is_not_pruned(trait: str) -> None:
    before = base.Candidate(compressing.net(), traits=frozenset({trait}))
    with pytest.raises(UsageError, match=f"prune cannot follow a pass that left it {trait}"):
        prune(before)


@pytest.mark.parametrize("total", [1, 2, 7, 100, 1999])
@pytest.mark.parametrize(
    "values", [{}, {"end": 1.0}, {"begin": 0.3, "end": 0.35}, {"begin": 0.99, "end": 1.0}]
)
def test_the_last_choice_of_zeros_is_within_the_training(
    total: int, values: dict[str, float]
) -> None:
    steps = Steps.of(PruneOptions(**values), total)
    assert 1 <= steps.begin <= steps.end <= total
    assert (steps.end - steps.begin) % steps.frequency == 0


def test_a_layer_that_is_called_twice_is_pruned_at_the_same_steps() -> None:
    """TFMOT counts calls: its schedule would be over in half of the steps."""
    assert Steps(3, 11, 4).counted(2) == Steps(5, 21, 8)
    tflite = compressing.shared_dense()
    pruned = prune(base.Candidate(tflite), sparsity=0.5)
    assert set(compressing.zeros(pruned.tflite).values()) == {0.5}
    assert len(pruned.promises) == 1


def test_a_larger_channel_keeps_more_of_its_weights() -> None:
    """Magnitudes are compared as the flatbuffer has them, not channel by channel."""
    tflite = compressing.net()
    tuning = {"epochs": 1, "learning_rate": 1e-9, "schedule": "polynomial"}
    pruned = prune(base.Candidate(tflite), sparsity=0.5, layers=[DENSE], **tuning)
    before, after = (compressing.kernels(data)[DENSE] for data in (tflite, pruned.tflite))
    largest = np.abs(before) >= np.sort(np.abs(before).ravel())[32]
    np.testing.assert_array_equal(after != 0, largest)


def test_shares_rise_as_zhu_and_gupta_have_it() -> None:
    """s = s_f + (s_i - s_f) (1 - t/n)^3, arXiv:1710.01878: half of the way is 7/8 of the rise."""
    steps = Steps(begin=1, end=101, frequency=10)
    assert steps.share(1, 0.2, 0.8) == pytest.approx(0.2)
    assert steps.share(51, 0.2, 0.8) == pytest.approx(0.2 + 0.6 * 7 / 8)
    assert steps.share(101, 0.2, 0.8) == pytest.approx(0.8)
    assert [step for step in range(1, 35) if steps.choose(step)] == [1, 11, 21, 31]
