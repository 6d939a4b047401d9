"""Weights of few bits, of one and of two: the levels that were asked for, in integers too."""

from __future__ import annotations

import dataclasses
from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE
from small_nets import as_model, rows_of

from edgekit.compiler import compress_weights
from edgekit.compiler.compiled import compile_graph
from edgekit.compiler.cores import core_of
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.model import Learned
from edgekit.passes import base
from edgekit.passes._bits_options import Levels
from edgekit.passes._levels import first_steps
from edgekit.passes.promises import broken_in_integers
from edgekit.quantizers.base import QuantizeOptions, load

ALL = (CONV, DEPTHWISE, POINTWISE, DENSE)
BITS, BINARY = "quantize_bits", "binarize"


def made(name: str, before: base.Candidate | None = None, **values: Any) -> base.Candidate:
    before = before or base.Candidate(compressing.net())
    return compressing.run({"pass": name, **values}, before, epochs=1)


def integers(candidate: base.Candidate, layer: str) -> np.ndarray:
    """In units of the scales that the pass left."""
    found = compressing.codes(candidate, layer)
    np.testing.assert_allclose(found, np.round(found), atol=1e-4)
    return np.round(found)


@pytest.fixture(scope="module")
def four() -> base.Candidate:
    return made(BITS, bits=4, exclude=[DEPTHWISE], per_layer={DENSE: 3})


def test_weights_are_integers_of_so_many_bits(four: base.Candidate) -> None:
    for name, largest in ((CONV, 7), (POINTWISE, 7), (DENSE, 3)):
        found = integers(four, name)
        assert np.abs(found).max() == largest
        assert len(np.unique(found)) > largest
    assert four.traits == {"clustered"}


def test_what_is_excluded_stays_as_fine_as_it_was(four: base.Candidate) -> None:
    assert len(np.unique(compressing.kernels(four.tflite)[DEPTHWISE])) == 72


def test_it_is_promised_how_many_values_a_channel_has(four: base.Candidate) -> None:
    assert {p.layer: (p.kind, p.value, p.per) for p in four.promises} == {
        CONV: ("distinct", 15, "channel"),
        POINTWISE: ("distinct", 15, "channel"),
        DENSE: ("distinct", 7, "channel"),
    }


@pytest.fixture(scope="module")
def binary() -> base.Candidate:
    return made(BINARY, per_layer={DENSE: 3})


def test_weights_are_signs_or_signs_and_zeros(binary: base.Candidate) -> None:
    for name in (CONV, POINTWISE):
        assert set(np.unique(integers(binary, name))) == {-1, 1}
    assert set(np.unique(integers(binary, DENSE))) == {-1, 0, 1}
    assert {p.layer: p.value for p in binary.promises} == {CONV: 2, POINTWISE: 2, DENSE: 3}


def test_depthwise_layers_are_not_binarized_and_named(binary: base.Candidate) -> None:
    assert len(np.unique(compressing.kernels(binary.tflite)[DEPTHWISE])) == 72
    (note,) = binary.problems
    assert "binarize leaves y1 as is: a layer that has too few weights a channel" in note.message


@pytest.mark.slow
def test_other_layers_may_follow_and_the_first_ones_stay(binary: base.Candidate) -> None:
    both = made(BITS, binary, bits=4)
    for name in (CONV, POINTWISE, DENSE):
        np.testing.assert_array_equal(integers(both, name), integers(binary, name))
    assert max(len(np.unique(c)) for c in compressing.kernels(both.tflite)[DEPTHWISE][0].T) <= 15
    assert [p.value for p in both.promises if p.layer == DEPTHWISE] == [15]


@pytest.mark.slow
def test_zeros_of_a_pruned_model_stay() -> None:
    pruned = {"pass": "prune", "sparsity": 0.5, "allocate": "uniform"}
    before = compressing.run(pruned, base.Candidate(compressing.net()), epochs=1)
    after = compressing.kernels(made(BITS, before, bits=3).tflite)
    for name, kernel in compressing.kernels(before.tflite).items():
        assert (after[name][kernel == 0] == 0).all()
    with pytest.raises(ModelError, match=r"nothing for binarize to do: y0 .* signs have none"):
        made(BINARY, before)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (BITS, {"bits": 1}, "bits = 1 is out of range"),
        (BITS, {"per_layer": {DENSE: 9}}, "per_layer 'y4': bits = 9 is out of range"),
        (BINARY, {"levels": 4}, "levels = 4 is out of range"),
        (BINARY, {"layers": [DEPTHWISE]}, "layers: y1 .* too few weights a channel"),
    ],
    ids=["one bit", "nine bits", "four levels", "a depthwise layer by name"],
)
def test_what_cannot_be_is_refused(name: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(name, **values)


def test_nothing_follows_the_ranges_of_int8() -> None:
    with pytest.raises(UsageError, match="quantize_bits cannot follow a pass that left it qat"):
        base.refuse_order(["qat", BITS])


def test_scales_of_signs_begin_at_the_mean_magnitude() -> None:
    flat = np.array([[0.5, 0.0], [-1.0, 0.0], [0.1, 0.0], [0.4, 0.0]], np.float32)
    assert first_steps(flat, Levels(1, "sign")).tolist() == [0.5, 0.0]
    ternary = first_steps(flat, Levels(1, "threshold"))  # of those above 0.7 * 0.5
    assert ternary[0] == pytest.approx(1.9 / 3)
    assert first_steps(flat, Levels(7)).tolist() == [pytest.approx(1 / 7, rel=0.05), 1.0]


def built(candidate: base.Candidate, scheme: str = "int8") -> bytes:
    """The candidate in integers, checked for what was promised of it."""
    shown = dataclasses.replace(
        as_model(candidate.tflite), learned=Learned(candidate.ranges, candidate.weight_scales)
    )
    rows = rows_of(np.random.default_rng(2).normal(size=(8, 6, 6, 4)))
    found = load(scheme).quantize(shown, rows, QuantizeOptions()).tflite
    assert not broken_in_integers(candidate.promises, candidate.tflite, found)
    return found


@pytest.mark.parametrize("scheme", ["int8", "int4"])
def test_files_of_integers_hold_what_was_trained(four: base.Candidate, scheme: str) -> None:
    kernels = compressing.kernels(built(four, scheme))
    for (name, kernel), layer in zip(kernels.items(), ALL, strict=True):
        if layer != DEPTHWISE:
            np.testing.assert_array_equal(kernel, integers(four, layer), err_msg=name)


def test_the_c_of_a_microcontroller_has_a_bit_for_a_sign(
    binary: base.Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress_weights, "_saved", lambda layer, code, core: 9999 - code.nbytes)
    stored = compile_graph(read(built(binary)), core_of("cortex-m4", "size"), "m").weights
    forms = ["2 values a tensor", "2 values a tensor", "4 values a tensor"]
    assert [each.form for each in stored] == forms
    assert stored[0].bytes_stored == 8 * 36 // 8 + 2 + 16


@pytest.mark.slow
def test_training_with_ranges_keeps_the_levels(four: base.Candidate) -> None:
    after = compressing.run({"pass": "qat"}, four, epochs=1)
    for name, largest in ((CONV, 7), (POINTWISE, 7), (DENSE, 3)):
        np.testing.assert_array_equal(integers(after, name), integers(four, name))
        assert np.abs(integers(after, name)).max() == largest
