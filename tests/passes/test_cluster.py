"""Clustering: a layer's weights share as many values as were asked for, in integers too."""

from __future__ import annotations

from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE

from edgekit.bridge.lift import lift
from edgekit.errors import EdgekitError, ModelError, UsageError
from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.passes._code_book import CodeBook, k_means
from edgekit.passes._keep import keep
from edgekit.quantizers._steps import even_step

CLUSTERED = (CONV, POINTWISE, DENSE)


def cluster(before: base.Candidate | None = None, **values: Any) -> base.Candidate:
    before = before or base.Candidate(compressing.net())
    return compressing.run({"pass": "cluster", **values}, before, epochs=1)


@pytest.fixture(scope="module")
def pruned() -> base.Candidate:
    before = base.Candidate(compressing.net())
    return compressing.run(
        {"pass": "prune", "sparsity": 0.5, "allocate": "uniform"}, before, epochs=1
    )


@pytest.fixture(scope="module")
def six() -> base.Candidate:
    return cluster(clusters=6, per_layer={DENSE: 4})


def test_layers_share_one_integer_code_book_over_all_channels(six: base.Candidate) -> None:
    for name, count in ((CONV, 6), (POINTWISE, 6), (DENSE, 4)):
        codes = compressing.codes(six, name)
        assert len(np.unique(np.round(codes))) == count
        assert np.abs(codes).max() == pytest.approx(127, abs=1e-3)
        assert len(np.unique(np.round(codes, 2))) == count
    assert six.traits == {"clustered"}


def test_float_channels_have_no_more_values_than_promised(six: base.Candidate) -> None:
    kernels = compressing.kernels(six.tflite)
    assert {promise.layer: promise.value for promise in six.promises} == {
        CONV: 6,
        POINTWISE: 6,
        DENSE: 4,
    }
    for promise in six.promises:
        assert max(len(np.unique(c)) for c in kernels[promise.layer]) <= promise.value


def test_depthwise_kernels_are_left_and_named(six: base.Candidate) -> None:
    assert len(np.unique(compressing.kernels(six.tflite)[DEPTHWISE])) == 72
    (note,) = six.problems
    assert "cluster leaves y1 as is" in note.message


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(six: base.Candidate) -> None:
    assert cluster(clusters=6, per_layer={DENSE: 4}).tflite == six.tflite


@pytest.mark.parametrize(
    "init", ["density", *(pytest.param(i, marks=pytest.mark.slow) for i in ("linear", "random"))]
)
def test_values_may_begin_elsewhere(init: str) -> None:
    made = cluster(clusters=5, init=init, layers=[DENSE])
    assert len(np.unique(np.round(compressing.codes(made, DENSE)))) <= 5


def test_zeros_of_a_pruned_model_stay(pruned: base.Candidate) -> None:
    both = cluster(pruned, clusters=6)
    before, after = compressing.kernels(pruned.tflite), compressing.kernels(both.tflite)
    for name in CLUSTERED:
        assert (after[name][before[name] == 0] == 0).all()
        assert len(np.unique(np.round(compressing.codes(both, name)))) <= 6
    assert both.traits == {"sparse", "clustered"}
    assert {promise.kind for promise in both.promises} == {"sparsity", "distinct"}


def test_a_pruned_layer_that_is_not_clustered_keeps_its_zeros(pruned: base.Candidate) -> None:
    both = cluster(pruned, clusters=6, layers=[DENSE])
    assert compressing.zeros(both.tflite)[CONV] == 0.5
    assert [each.layer for each in both.promises if each.kind == "distinct"] == [DENSE]


def test_channels_may_have_values_of_their_own() -> None:
    made = cluster(clusters=5, per_channel=True, layers=[CONV, DENSE])
    kernel = compressing.kernels(made.tflite)[CONV]
    assert max(len(np.unique(channel)) for channel in kernel) <= 5
    assert (
        len(np.unique(np.round(kernel / np.abs(kernel).max(axis=(1, 2, 3), keepdims=True), 4))) > 5
    )
    assert len(made.weight_scales) == 1  # of the Dense layer, which has one code book
    assert any("cluster gives y4 one set of values" in each.message for each in made.problems)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"layers": ["convolution"]}, UsageError, "layers: 'convolution' matches no layer"),
        ({"layers": [DEPTHWISE]}, UsageError, "layers: y1 .* TFMOT clusters no Depthwise"),
        ({"layers": [DENSE], "clusters": 64}, UsageError, "layers: y4 .* 64 weights for 64"),
        ({"per_layer": {"Dense": 300}}, UsageError, "per_layer: y4 .* 64 weights for 300"),
        ({"clusters": 300}, ModelError, "nothing to cluster: y0 .* 288 weights for 300"),
    ],
    ids=[
        "a pattern that matches nothing",
        "a depthwise layer by name",
        "as many clusters as the named layer has weights",
        "more clusters than an exception has weights",
        "more clusters than any layer has weights",
    ],
)
def test_what_cannot_be_clustered_is_refused(
    values: dict[str, Any], error: type[EdgekitError], message: str
) -> None:
    with pytest.raises(error, match=message):
        cluster(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preserve_sparsity": "off"}, "would undo the zeros that were promised of y0"),
        ({"clusters": 2}, "clusters = 2 is too few for y0, whose zeros are one of them"),
    ],
    ids=["zeros given up", "no room for zero"],
)
def test_a_code_book_without_zero_is_refused_for_a_pruned_model(
    pruned: base.Candidate, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        cluster(pruned, **values)


def test_values_that_do_best_together_lose_less_than_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = compressing.net()
    inputs = np.random.default_rng(5).normal(size=(64, 6, 6, 4)).astype(np.float32)
    wanted = np.asarray(lift(original).scores(inputs))

    def lost() -> float:
        found = cluster(clusters=6, learning_rate=1e-9)
        return float(np.mean((np.asarray(lift(found.tflite).scores(inputs)) - wanted) ** 2))

    together = lost()
    monkeypatch.setattr(CodeBook, "snap", lambda *_: None)
    assert together < 0.6 * lost()


def test_k_means_finds_the_groups() -> None:
    values = np.array([-1.1, -0.9, 0.1, -0.1, 2.0, 2.2])
    found = k_means(values, np.array([2.0, 0.2, -0.9]), zeros=False)
    np.testing.assert_allclose(found, [-1, 0, 2.1], atol=1e-6)


def test_k_means_leaves_zero_where_it_is_and_values_without_weights_too() -> None:
    values = np.array([0.0, 0.0, 0.3, 0.3, 5.0])
    found = k_means(values, np.array([-9.0, 0.05, 4.0]), zeros=True)
    np.testing.assert_allclose(found, [-9, 0, 5], atol=1e-6)


def test_without_factors_of_channels_the_file_has_one_scale_a_layer() -> None:
    flat = cluster(base.Candidate(compressing.net()), clusters=6, factors="layer")
    for scales in flat.weight_scales.values():
        assert len(np.unique(scales)) == 1
    for name in (CONV, POINTWISE, DENSE):
        assert len(np.unique(compressing.kernels(flat.tflite)[name])) <= 6


def test_few_bits_make_codes_of_small_integers_that_later_passes_keep() -> None:
    few = cluster(base.Candidate(compressing.net()), clusters=6, factors="layer", code_bits=4)
    after = compressing.run({"pass": "distill"}, few, epochs=1)
    for candidate in (few, after):
        for layer in candidate.promises:
            scales = candidate.weight_scales[layer.tensor]
            kernel = compressing.kernels(candidate.tflite)[layer.layer]
            codes = kernel / scales.reshape(-1, *[1] * (kernel.ndim - 1))
            np.testing.assert_allclose(codes, np.round(codes), atol=1e-3)
            assert np.abs(codes).max() == pytest.approx(7, abs=1e-3)


def octaves_apart(scales: np.ndarray) -> bool:
    steps = np.log2(scales / scales.max())
    return bool(np.allclose(steps, np.round(steps), atol=1e-4))


def test_factors_are_octaves_apart_in_all_layers_and_qat_keeps_that() -> None:
    """Few different scales are what packs; a depthwise kernel has nothing else to share."""
    made = cluster(base.Candidate(compressing.net()), clusters=6, factors="octave")
    trained = compressing.run({"pass": "qat"}, made, epochs=1)
    for candidate in (made, trained):
        kernels = {op.inputs[1]: op.name for op in read(candidate.tflite).ops if op.name != "MEAN"}
        assert set(candidate.weight_scales) == set(kernels)
        assert all(octaves_apart(scales) for scales in candidate.weight_scales.values())
        assert any(len(set(scales)) > 1 for scales in candidate.weight_scales.values())
        largest = np.abs(compressing.codes(candidate, CONV)).max(axis=(1, 2, 3))
        assert np.abs(largest).max() == pytest.approx(127, abs=0.1)


def test_training_does_not_move_octaves_apart() -> None:
    made = cluster(base.Candidate(compressing.net()), clusters=6, factors="octave")
    lifted = lift(made.tflite)
    held = keep(made, lifted)
    factors = [layer.scale.scale for layer in lifted.layers if layer.name in CLUSTERED]
    before = [np.asarray(each) for each in factors]
    for each in factors:
        each.assign(each * np.linspace(1, 1.5, 8))
    held.on_train_batch_end(0)
    np.testing.assert_allclose([np.asarray(each) for each in factors], before)


def test_as_many_values_as_integers_are_evenly_spaced_while_they_train() -> None:
    """Rounded only afterwards, the values would be others than those that were trained."""
    many = {"clusters": 16, "factors": "octave", "code_bits": 4}
    made = cluster(base.Candidate(compressing.net()), **many)
    for name in (CONV, POINTWISE, DENSE):
        codes = compressing.codes(made, name)
        np.testing.assert_allclose(codes, np.round(codes), atol=1e-3)
        assert np.abs(codes).max() == pytest.approx(7, abs=1e-3)


def test_the_step_is_the_one_nearest_to_the_values() -> None:
    values = np.array([0, -3, 2, 1, 7, 0.02], np.float32) * 0.25
    assert even_step(values, 7) == pytest.approx(0.25, rel=0.01)
    spread = np.append(np.linspace(-1, 1, 400), 2.0)  # what is far away is clipped, not followed
    assert even_step(spread, 3) < 0.6 * 2 / 3
