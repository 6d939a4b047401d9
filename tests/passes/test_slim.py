"""The pass `slim`: narrow networks are parts of the wide one, and all of them learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compressing import constants, context, kernels, net, run
from small_nets import Net

from edgekit.checkpoints import _candidate, _content
from edgekit.errors import ModelError, UsageError
from edgekit.exits.choose import scores
from edgekit.graph.read import read
from edgekit.passes._slimmed import _keep
from edgekit.passes.base import Candidate, load, refuse_order
from edgekit.structure.dependencies import dependencies
from edgekit.structure.shrink import shrink


def slimmed(**options: Any) -> Candidate:
    spec = {"pass": "slim", "widths": [0.5, 0.25], **options}
    return run(spec, Candidate(net()), learning_rate=0.03, epochs=6)


@pytest.fixture(scope="module")
def made() -> Candidate:
    return slimmed()


def _normalised(kernel: np.ndarray, axis: int) -> np.ndarray:
    others = tuple(a for a in range(kernel.ndim) if a != axis)
    return np.asarray(kernel / np.sqrt(np.square(kernel).sum(others, keepdims=True)))


def test_a_width_is_the_first_channels_of_each_layer() -> None:
    known = dependencies(read(net()))
    keep = _keep(known, 0.5, 1)
    first = next(site for site in known.sites if site.op == 0 and site.role == "rows")
    assert keep[first.units].tolist() == [True] * 4 + [False] * 4


def test_narrow_kernels_are_parts_of_the_wide_ones(made: Candidate) -> None:
    wide = kernels(made.tflite)
    assert [each.name for each in made.variants] == ["0.5", "0.25"]
    for width, variant in zip((4, 2), made.variants, strict=True):
        narrow = kernels(variant.tflite)
        assert narrow["y0"].shape == (width, 3, 3, 4)
        assert narrow["y4"].shape == (8, width)
        for name, axis in (("y0", 0), ("y1", 3), ("y2", 0), ("y4", 0)):
            slices = tuple(slice(0, size) for size in narrow[name].shape)
            wanted = _normalised(wide[name][slices], axis)
            np.testing.assert_allclose(_normalised(narrow[name], axis), wanted, atol=1e-5)


def test_each_width_has_biases_of_its_own(made: Candidate) -> None:
    wide, narrow = (constants(each, 2) for each in (made.tflite, made.variants[0].tflite))
    assert not np.allclose(wide["y0"][:4], narrow["y0"], atol=1e-4)


def test_narrow_networks_learn_what_the_original_says(made: Candidate) -> None:
    losses = made.log[-1].trained["guard_loss"]
    assert min(losses[1:]) < 0.8 * losses[0]
    rows = [(row[None],) for row in context(net()).guard.inputs[0]]
    wanted = np.array([row[0] for row in scores(net(), rows, "litert-reference")])
    known = dependencies(read(net()))
    for width, variant in zip((0.5, 0.25), made.variants, strict=True):
        cut = shrink(net(), known, _keep(known, width, 1))
        errors = [
            np.square(np.array([row[0] for row in scores(each, rows, "litert-reference")]) - wanted)
            for each in (cut, variant.tflite)
        ]
        assert errors[1].mean() < errors[0].mean()


def test_a_checkpoint_keeps_the_widths(made: Candidate) -> None:
    found = _candidate(made.tflite, _content(made)).variants
    assert [(each.name, each.tflite) for each in found] == [
        (each.name, each.tflite) for each in made.variants
    ]


def test_bad_requests_are_refused_in_words() -> None:
    options = load("slim").Options
    for widths in ([1.0], [], [0.0], [0.1, 0.2, 0.3, 0.4, 0.5]):
        with pytest.raises(UsageError, match="not 1 to 4 shares between 0 and 1"):
            options(widths=widths)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="not a list of numbers"):
        options(widths=["half"])  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="prune cannot follow a pass that left it slim"):
        refuse_order(["slim", "prune"])
    with pytest.raises(UsageError, match="as wide as the whole network"):
        slimmed(widths=[0.99])
    with pytest.raises(ModelError, match="no layer has channels"):
        run({"pass": "slim"}, Candidate(Net(8).dense(np.ones((2, 8)), np.zeros(2)).tflite()))
