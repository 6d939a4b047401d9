"""Zeros and shared values, in words that the sizes bear out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made import dense, dense_int8

from edgekit.graph.read import read
from edgekit.ledger import Entry, entry
from edgekit.target.profile import load_profile
from edgekit.verdicts import verdicts

RNG = np.random.default_rng(0)
ORIGINAL = RNG.normal(size=(64, 64))
PRUNED = np.where(np.abs(ORIGINAL) > 0.8416, ORIGINAL, 0)  # 60 % of a normal distribution
SIXTEEN = np.round(np.clip(ORIGINAL, -2, 1.9) * 4) / 4
BOTH = np.where(PRUNED, SIXTEEN, 0)


def floats(step: str, weights: np.ndarray) -> Entry:
    data = dense([weights])
    return entry(step, data, read(data))


def integers(weights: np.ndarray) -> Entry:
    data = dense_int8([weights], [0.1, 0.1])
    return entry("int8", data, read(data))


START, PRUNE, CLUSTER = (
    floats("float32", ORIGINAL),
    floats("prune", PRUNED),
    floats("cluster", BOTH),
)
QAT = replace(CLUSTER, step="quantize_aware")


@pytest.mark.parametrize("target", ["android", "ios", "web", "rpi4", "cortex-m4"])
def test_zeros(target: str) -> None:
    profile, built = load_profile(target), integers(PRUNED)
    (note,) = verdicts([START, PRUNE, built], profile)
    assert note.severity == "note"
    assert (
        f"% of the weights are zero, and the .tflite stores each of them ({built.bytes:,} B)"
        in (note.message)
    )
    assert f": gzip {START.gzip:,} B (float32) -> {PRUNE.gzip:,} B (prune)" in note.message
    saves_nothing = "saves no flash, no RAM and no time" if target == "cortex-m4" else "no memory"
    assert saves_nothing in note.message
    assert "quantize.sparse" not in note.hint  # int8 files so stored do not run
    assert f"{built.weights.csr:,} B, now {built.weights.dense:,} B" in note.hint


@pytest.mark.parametrize("target", ["android", "cortex-m4"])
def test_shared_values_after_zeros(target: str) -> None:
    profile, built = load_profile(target), integers(BOTH)
    notes = verdicts([START, PRUNE, CLUSTER, QAT, built], profile)
    assert [note.where for note in notes] == ["prune", "cluster"]
    assert f": gzip {PRUNE.gzip:,} B (prune) -> {CLUSTER.gzip:,} B (cluster)" in notes[1].message
    book = f"with code books the weights would take {built.weights.code_book:,} B in place of "
    assert notes[1].hint.startswith(f"{book}{built.weights.dense:,} B")
    assert ("into RAM" in notes[1].hint) == (target == "cortex-m4")


def test_a_plain_build_is_what_sizes_are_compared_with() -> None:
    plain, built = integers(ORIGINAL), integers(PRUNED)
    (note,) = verdicts([START, PRUNE, built], load_profile("rpi4"), plain)
    assert note.message.endswith(
        f"it pays in transfers that are compressed: gzip {plain.gzip:,} B (int8 without passes)"
        f" -> {built.gzip:,} B (int8 with all passes)"
    )


def test_what_all_passes_save_together_is_said_once() -> None:
    plain, entries = integers(ORIGINAL), [START, PRUNE, CLUSTER, QAT, integers(BOTH)]
    notes = verdicts(entries, load_profile("rpi4"), plain)
    assert ["gzip" in note.message for note in notes] == [True, False]
    assert notes[1].message.endswith("saves no memory and no time")


@pytest.mark.parametrize("target", ["rpi4", "cortex-m4"])
def test_sparse_encoding_is_for_float_files_of_litert(target: str) -> None:
    (note,) = verdicts([START, PRUNE, replace(PRUNE, step="float32")], load_profile(target))
    assert ("quantize.sparse" in note.hint) == (target == "rpi4")


def test_zeros_too_few_for_an_encoding() -> None:
    some = np.where(np.abs(ORIGINAL) > 0.1257, ORIGINAL, 0)
    entries = [START, floats("prune", some), floats("float32", some)]
    assert "quantize.sparse" not in verdicts(entries, load_profile("rpi4"))[0].hint


def test_what_does_not_pay_at_all() -> None:
    (note,) = verdicts(
        [START, replace(PRUNE, gzip=START.gzip), integers(PRUNED)], load_profile("web")
    )
    assert "it does not pay when compressed, either" in note.message


def test_a_file_that_is_stored_sparse() -> None:
    built = integers(PRUNED)
    sparse = replace(built, weights=replace(built.weights, sparse=True))
    (note,) = verdicts([START, PRUNE, sparse], load_profile("rpi4"))
    assert "stores some kernels sparse" in note.message
    assert "stores each" not in note.message


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([START, integers(ORIGINAL)], id="no passes"),
        pytest.param([START, replace(START, step="quantize_aware"), integers(PRUNED)], id="qat"),
        pytest.param([PRUNE, replace(PRUNE, step="distill"), integers(PRUNED)], id="came pruned"),
    ],
)
def test_nothing_to_say(entries: list[Entry]) -> None:
    assert verdicts(entries, load_profile("rpi4")) == []


def test_what_the_model_as_c_gains_is_said_beside_it() -> None:
    profile, built = load_profile("cortex-m4"), integers(BOTH)
    steps = [START, PRUNE, CLUSTER, QAT, built]
    plain = verdicts(steps, profile)
    gains = {
        "prune": "no channel is zero as a whole",
        "cluster": "the weights are stored as codes: 4,096 -> 2,112 B",
    }
    zeros, shared = verdicts(steps, profile, as_c=gains)
    assert zeros.message.endswith("; in the C project no channel is zero as a whole")
    assert "with TensorFlow Lite Micro that saves no flash, no RAM and no time" in zeros.message
    assert shared.message.endswith(f"; in the C project {gains['cluster']}")
    assert "with TensorFlow Lite Micro that saves no flash and no time" in shared.message
    assert "on cortex-m4" in plain[1].message


@pytest.mark.parametrize(
    ("flash", "says"),
    [(9_000, "1,000 B less"), (10_000, "as much"), (10_500, "500 B more"), (None, "")],
)
def test_flash_of_the_model_as_c_is_compared_with_that_without_passes(
    flash: int | None, says: str
) -> None:
    built = replace(integers(PRUNED), flash=flash)
    plain = replace(integers(ORIGINAL), flash=10_000)
    gains = {"prune": "no channel is zero as a whole"}
    notes = verdicts([START, PRUNE, built], load_profile("cortex-m4"), plain, gains)
    assert [note.where for note in notes] == (["prune", "c_project"] if says else ["prune"])
    if says:
        assert f"10,000 B of flash without passes and {flash:,} B with them, {says} (" in (
            notes[1].message
        )
        assert "edgekit bench measures" in notes[1].hint
