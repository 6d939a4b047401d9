"""Weights of few bits, of one and of two: the levels that were asked for, in integers too."""

from __future__ import annotations

from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE

from edgekit.passes import base

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
