"""A tiny network inside a wide one: what they share, what each computes, what is left."""

from __future__ import annotations

import compressing
import numpy as np
import pytest
from small_nets import Net

from edgekit.bridge.lift import Lifted, lift
from edgekit.errors import ModelError, UsageError
from edgekit.graph.count import parameters
from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.passes._augmented import beside
from edgekit.structure.dependencies import dependencies
from edgekit.structure.shrink import shrink

ROWS = np.random.default_rng(3).normal(size=(5, 6, 6, 4)).astype(np.float32)


def both(width: int = 3) -> tuple[Lifted, Lifted]:
    """The lifted net, and it with a wide one beside it."""
    known = dependencies(read(compressing.net()))
    counts = np.where(known.free, width, 1)
    lifted = lift(compressing.net())
    return lifted, beside(lifted, known, counts, 1.0, seed=0)


def test_copies_of_channels_widen_all_that_goes_with_them() -> None:
    known = dependencies(read(compressing.net()))
    wide = shrink(compressing.net(), known, np.where(known.free, 2, 1))
    shapes = [kernel.shape for kernel in compressing.kernels(wide).values()]
    assert shapes == [(16, 3, 3, 4), (1, 3, 3, 16), (16, 1, 1, 16), (8, 16)]
    kernel = compressing.kernels(compressing.net())["y1"]
    np.testing.assert_array_equal(compressing.kernels(wide)["y1"], kernel.repeat(2, axis=3))


def test_the_wide_network_begins_as_the_tiny_one() -> None:
    lifted, joint = both()
    tiny, wide = (np.asarray(each) for each in joint.scores(ROWS))
    np.testing.assert_allclose(tiny, np.asarray(lifted.scores(ROWS)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(wide, tiny, rtol=1e-4, atol=1e-4)


def test_new_weights_are_the_wide_networks_alone_and_the_old_ones_both_have() -> None:
    lifted, joint = both()
    before = [np.asarray(each) for each in joint.scores(ROWS)]
    own = {id(variable) for variable in lifted.model.trainable_variables}
    new = [each for each in joint.model.trainable_variables if id(each) not in own]
    assert (
        sum(int(np.prod(each.shape)) for each in new)
        == 2 * 8 * 36 + 2 * 72 + (24 * 24 - 64) + 2 * 64 + 3 * 16
    )
    for each in new:
        each.assign_add(np.full(each.shape, 0.1))
    after = [np.asarray(each) for each in joint.scores(ROWS)]
    np.testing.assert_array_equal(after[0], before[0])
    assert not np.allclose(after[1], before[1])
    lifted.layers[0].kernel_variable.assign(lifted.layers[0].kernel_variable * 2)
    changed = [np.asarray(each) for each in joint.scores(ROWS)]
    assert not np.allclose(changed[0], after[0])
    assert not np.allclose(changed[1], after[1])


@pytest.fixture(scope="module")
def trained() -> base.Candidate:
    before = base.Candidate(compressing.net())
    return compressing.run({"pass": "augment_network", "learning_rate": 0.05}, before, epochs=1)


@pytest.mark.slow
def test_what_comes_out_is_as_small_as_what_went_in(trained: base.Candidate) -> None:
    assert parameters(read(trained.tflite)) == parameters(read(compressing.net()))
    assert trained.log[-1].name == "augment_network"
    assert trained.log[-1].trained["epochs"] == 1


@pytest.mark.slow
def test_a_wide_network_that_counts_nothing_changes_nothing() -> None:
    """The training is that of `distill`, to the last step, and the tiny network alone is judged."""
    before = base.Candidate(compressing.net(1))
    shared = compressing.context(compressing.net())  # its teacher is another network
    found = []
    for name, values in (("augment_network", {"weight": 0.0}), ("distill", {})):
        options, tuning = base.from_mapping(name, {**values, "epochs": 2}, "")
        found.append(base.load(name).run(before, options, shared.tuned(tuning)))
    alone, free = (compressing.kernels(each.tflite) for each in found)
    assert found[0].log[-1].trained["guard_loss"][1] < found[0].log[-1].trained["guard_loss"][0]
    for layer, kernel in alone.items():
        np.testing.assert_allclose(kernel, free[layer], rtol=1e-3, atol=1e-4)


def test_a_net_without_inner_channels_is_refused() -> None:
    one = Net(4).dense(np.eye(4), np.zeros(4)).tflite()
    with pytest.raises(ModelError, match="no channel of the model can have copies"):
        compressing.run({"pass": "augment_network"}, base.Candidate(one))


@pytest.mark.parametrize("values", [{"width": 1}, {"width": 9}, {"weight": -1}])
def test_what_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(values))):
        base.from_mapping("augment_network", values, "")
