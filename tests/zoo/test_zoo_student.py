"""A network of the zoo learns in place of a model."""

from __future__ import annotations

import compressing
import numpy as np
import pytest
from small_nets import Net

from edgekit.errors import UsageError
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.training.rows import Rows
from edgekit.zoo._student import cost, student

SPEC = "zoo:cnn4/channels=4/layers=2"


def test_it_takes_the_place_of_the_model() -> None:
    original = compressing.net()
    spec = {"pass": "distill", "student": SPEC, "epochs": 20, "learning_rate": 0.05}
    learned = compressing.run(spec, base.Candidate(original))
    graph, theirs = read(learned.tflite), read(original)
    assert [t.shape for t in graph.input_tensors()] == [t.shape for t in theirs.input_tensors()]
    assert [t.shape for t in graph.output_tensors()] == [t.shape for t in theirs.output_tensors()]
    assert graph.ops[-1].name == "FULLY_CONNECTED"  # the model has no softmax
    assert count.parameters(graph) == (9 * 4 * 4 + 4) * 2 + (2 * 2 * 4 * 8 + 8)
    assert cost(SPEC, theirs) == (count.macs(graph), count.parameters(graph) + 2 * 4)  # 2 norms
    losses = learned.log[-1].trained["guard_loss"]
    assert min(losses) < 0.8 * losses[0]
    assert learned.log[-1].options["student"] == SPEC


def test_it_begins_with_activations_of_unit_variance() -> None:
    """What is folded is the statistics of rows, not those of an untrained network."""
    from edgekit.bridge.lift import lift

    original = compressing.net()
    rows = Rows((100 + 50 * np.random.default_rng(0).normal(size=(64, 6, 6, 4)).astype("f"),))
    lifted = lift(student(SPEC, read(original), rows, 0), form="folded")
    first = lifted.activations[lifted.layers[0].op.outputs[0]]
    from edgekit import _tf

    network = _tf.tf_keras().Model(lifted.model.inputs, first)
    values = np.asarray(network(rows.inputs[0], training=False))
    # behind a ReLU: of a normal distribution the mean square is a half
    assert np.square(values).mean() == pytest.approx(0.5, abs=0.1)


def test_the_last_activation_is_the_models() -> None:
    net = Net(6, 6, 1).conv(np.ones((4, 3, 3, 1))).mean().dense(np.ones((3, 4)))
    net.op("SOFTMAX", (1, 3), ("SoftmaxOptions", {"beta": 1.0}))
    rows = Rows((np.random.default_rng(0).normal(size=(8, 6, 6, 1)).astype("f"),))
    assert read(student(SPEC, read(net.tflite()), rows, 0)).ops[-1].name == "SOFTMAX"


def test_models_that_it_cannot_stand_for_are_refused() -> None:
    flat = Net(6).dense(np.ones((3, 6))).tflite()
    with pytest.raises(UsageError, match="cnn4 cannot take an input of 6"):
        compressing.run({"pass": "distill", "student": SPEC}, base.Candidate(flat))
    picture = Net(6, 6, 1).conv(np.ones((4, 3, 3, 1))).tflite()
    with pytest.raises(UsageError, match="has one float input and one vector of scores"):
        compressing.run({"pass": "distill", "student": SPEC}, base.Candidate(picture))
