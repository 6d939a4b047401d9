"""Product quantization: as many blocks as were asked for, in float, in integers and as stored."""

from __future__ import annotations

import dataclasses
from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE
from small_nets import Net, as_model, rows_of

from edgekit.errors import EdgekitError, ModelError, UsageError
from edgekit.evaluate.weights import find
from edgekit.graph.read import read
from edgekit.model import Learned
from edgekit.passes import base
from edgekit.passes.promises import broken, broken_in_integers
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.storage.files import pack_model

LAYERS = {CONV: 12, POINTWISE: 4, DENSE: 4}
"""Codes: 12 are asked for, a quarter of a layer's blocks are the most."""


def product(before: base.Candidate | None = None, **values: Any) -> base.Candidate:
    before = before or base.Candidate(compressing.net())
    return compressing.run({"pass": "product_quantize", **values}, before, epochs=1)


@pytest.fixture(scope="module")
def twelve() -> base.Candidate:
    return product(codes=12)


def kinds(values: np.ndarray, length: int = 4) -> int:
    """Different blocks in a kernel [outputs, ...]."""
    return len(np.unique(values.reshape(-1, length), axis=0))


def built(candidate: base.Candidate) -> bytes:
    values = np.random.default_rng(2).normal(size=(10, 6, 6, 4))
    learned = Learned(candidate.ranges, candidate.weight_scales)
    model = dataclasses.replace(as_model(candidate.tflite), learned=learned)
    return bytes(load("int8").quantize(model, rows_of(values), QuantizeOptions()).tflite)


def test_channels_share_the_blocks_of_a_layer(twelve: base.Candidate) -> None:
    for name, count in LAYERS.items():
        codes = np.round(compressing.codes(twelve, name))
        assert kinds(codes) <= count
        assert np.abs(codes).max() == 127
        assert kinds(compressing.kernels(twelve.tflite)[name]) > count  # each times its factor
    assert {each.layer: each.value for each in twelve.promises} == LAYERS
    assert {each.kind for each in twelve.promises} == {"blocks"}
    assert twelve.traits == {"clustered"}


def test_the_int8_file_has_the_blocks_and_is_stored_so(twelve: base.Candidate) -> None:
    file = built(twelve)
    assert broken_in_integers(twelve.promises, twelve.tflite, file) == []
    stored = {each["name"]: each for each in pack_model(file).to_json()["constants"]}
    (kernel,) = [e.tensor for e in find(read(file)) if e.tensor.elements == 288]
    assert stored[kernel.name]["values"] in ("block_book", "block_huffman")
    assert stored[kernel.name]["packed_bytes"] <= 72 * 4 / 8 + 12 * 4 + 12


def test_a_block_too_many_breaks_the_promise(twelve: base.Candidate) -> None:
    fewer = [dataclasses.replace(each, value=3) for each in twelve.promises]
    assert len(broken_in_integers(fewer, twelve.tflite, built(twelve))) == 3
    (conv,) = [each for each in twelve.promises if each.layer == CONV]
    one = dataclasses.replace(conv, value=1)
    (problem,) = broken([one], twelve.tflite)
    assert "different blocks of 4, 1 promised" in problem.message


def test_depthwise_kernels_are_left_and_named(twelve: base.Candidate) -> None:
    assert kinds(compressing.kernels(twelve.tflite)[DEPTHWISE], 9) == 8
    (note,) = twelve.problems
    assert "product_quantize leaves y1 as is" in note.message


def test_the_log_says_what_a_weight_takes(twelve: base.Candidate) -> None:
    told = twelve.log[-1].layers[CONV]
    assert told == {"codes": 12.0, "block": 4.0, "bits": round((72 * 4 + 12 * 32) / 288, 3)}


@pytest.mark.slow
def test_qat_keeps_the_blocks(twelve: base.Candidate) -> None:
    trained = compressing.run({"pass": "qat"}, twelve, epochs=1)
    assert broken_in_integers(trained.promises, trained.tflite, built(trained)) == []
    assert kinds(np.round(compressing.codes(trained, CONV))) <= 12


@pytest.mark.slow
def test_without_factors_a_float_file_has_the_blocks() -> None:
    flat = product(codes=8, factors="layer", per_layer={DENSE: {"block": 8}}, layers=[CONV, DENSE])
    kernels = compressing.kernels(flat.tflite)
    assert kinds(kernels[CONV]) <= 8
    assert kinds(kernels[DENSE], 8) <= 2
    packed = {each["name"]: each for each in pack_model(flat.tflite).to_json()["constants"]}
    assert any(each["values"].startswith("block") for each in packed.values())


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(twelve: base.Candidate) -> None:
    assert product(codes=12).tflite == twelve.tflite


@pytest.mark.slow
def test_more_codes_lose_less() -> None:
    """Before any training, as the guard rows have it."""
    few, many = (
        product(codes=codes, learning_rate=1e-9).log[-1].trained["guard_loss"][0]
        for codes in (2, 16)
    )
    assert many < 0.7 * few


def odd() -> bytes:
    """A dense layer of 7 inputs, which no block of 2 to 6 fits."""
    return Net(7).dense(np.random.default_rng(0).normal(size=(9, 7)), np.zeros(9)).tflite()


@pytest.mark.parametrize(
    ("tflite", "values", "error", "message"),
    [
        (None, {"layers": [DEPTHWISE]}, UsageError, "layers: y1 .* is no matrix times patches"),
        (odd(), {}, ModelError, "y0 .* has inputs that cannot be parted into blocks of 4 or fewer"),
        (None, {"codes": 1}, UsageError, "codes = 1 is out of range"),
        (None, {"per_layer": {"y0": {"block": 1}}}, UsageError, "per_layer 'y0': block = 1 is out"),
        (compressing.depthwise_only(), {}, ModelError, "no layer can have a code book of blocks"),
    ],
    ids=["a depthwise layer", "odd inputs", "one code", "blocks of one", "nothing to work on"],
)
def test_what_cannot_be_is_refused(
    tflite: bytes | None, values: dict[str, Any], error: type[EdgekitError], message: str
) -> None:
    with pytest.raises(error, match=message):
        product(base.Candidate(tflite or compressing.net()), **values)


def test_it_does_not_follow_zeros_or_another_code_book() -> None:
    for name in ("prune", "cluster"):
        with pytest.raises(UsageError, match="product_quantize cannot follow a pass that left it"):
            base.refuse_order([name, "product_quantize"])
