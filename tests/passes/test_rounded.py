"""The model that rounds in training computes what its int8 file computes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import rounding_nets
from small_nets import as_model, rows_of

from edgekit import _tf
from edgekit.calibrate.interpret import Interpreter
from edgekit.graph.read import read
from edgekit.model import Learned
from edgekit.passes._rounded import Rounded
from edgekit.passes.base import Candidate, Entry
from edgekit.passes.promises import ranges_kept
from edgekit.passes.quantize_aware import QuantizeAwareOptions
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.training.rows import Rows

ENTRY = Entry("quantize_aware", {})


def built(candidate: Candidate, values: np.ndarray, **options: Any) -> bytes:
    """The int8 file of a candidate."""
    learned = Learned(candidate.ranges, candidate.weight_scales)
    model = dataclasses.replace(as_model(candidate.tflite), learned=learned)
    made = load("int8").quantize(model, rows_of(values), QuantizeOptions(**options))
    assert not [problem for problem in made.problems if "float" not in problem.message]
    return made.tflite


def shake(rounded: Rounded, values: np.ndarray) -> None:
    """Move all weights a little, and the ranges with what the model then computes."""
    random = np.random.default_rng(7)
    for variable in rounded.lifted.model.trainable_variables:
        variable.assign(variable * random.uniform(0.8, 1.2, variable.shape))
    for _ in range(4):
        rounded.lifted.model(values, training=True)


@pytest.mark.parametrize("name", rounding_nets.NETS)
def test_rounding_in_training_is_that_of_the_int8_file(name: str) -> None:
    float_model, values = rounding_nets.tflite(name), rounding_nets.rows(name, 24)
    rounded = Rounded(Candidate(float_model), QuantizeAwareOptions(decay=0.9), Rows((values,)))
    before = dict(rounded._learned())
    shake(rounded, values)
    wanted = np.asarray(rounded.lifted.model(values, training=False))
    candidate = rounded.finished(ENTRY)
    moved = [index for index, span in candidate.ranges.items() if span != before[index]]
    assert len(moved) >= len(candidate.ranges) / 2
    file = built(candidate, values)
    interpreter = Interpreter(file)
    given = np.concatenate([interpreter.run((row[None],))[0] for row in values])
    step = float(interpreter.graph.output_tensors()[0].quantization.scale[0])
    # TFLite's fixed-point arithmetic falls to the other side of .5 now and then
    assert np.abs(given - wanted).mean() < 0.5 * step
    assert np.abs(given - wanted).max() < 3 * step
    assert ranges_kept(candidate.ranges, candidate.tflite, file) == []
    assert {op.name for op in read(file).ops}.isdisjoint({"QUANTIZE", "DEQUANTIZE"})


def test_a_model_that_nothing_was_trained_of_comes_back_as_it_was() -> None:
    name = "depthwise and residual add"
    float_model, values = rounding_nets.tflite(name), rounding_nets.rows(name, 4)
    rounded = Rounded(Candidate(float_model), QuantizeAwareOptions(), Rows((values,)))
    assert rounded.finished(ENTRY).tflite == float_model


def test_stock_tfmot_and_ours_give_the_same_kind_of_file_and_nearly_the_same_outputs() -> None:
    keras, tf = _tf.tf_keras(), _tf.tensorflow()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )
    values = np.random.default_rng(0).normal(size=(32, 8, 8, 3)).astype(np.float32)
    theirs = _tf.tfmot().quantization.keras.quantize_model(model)
    with _tf.silent():
        theirs(values, training=True)
        converter = tf.lite.TFLiteConverter.from_keras_model(theirs)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        stock = bytes(converter.convert())
    float_model = rounding_nets.converted(model)
    rounded = Rounded(Candidate(float_model), QuantizeAwareOptions(), Rows((values,)))
    ours = built(rounded.finished(ENTRY), values)
    assert [op.name for op in read(ours).ops if op.name != "RESHAPE"] == [
        op.name for op in read(stock).ops if op.name not in ("RESHAPE", "QUANTIZE", "DEQUANTIZE")
    ]
    left, right = Interpreter(ours), Interpreter(stock)
    wanted = np.asarray(model(values))
    mine, stocks = (
        np.abs(np.concatenate([each.run((row[None],))[0] for row in values]) - wanted).mean()
        for each in (left, right)
    )
    # one step does not bring stock TFMOT's ranges from +-6 to where the activations are
    assert mine < stocks < 0.3 * np.abs(wanted).mean()


def test_an_activation_without_int8_kernel_stays_float_and_is_named() -> None:
    name = "conv, batch norm and relu of keras 3"
    keras = _tf.keras3()
    inputs = keras.layers.Input((8, 8, 3))
    outputs = keras.layers.Dense(3)(keras.layers.Conv2D(4, 8, activation="elu")(inputs))
    float_model = rounding_nets.converted(keras.Model(inputs, outputs))
    values = rounding_nets.rows(name, 8)
    rounded = Rounded(Candidate(float_model), QuantizeAwareOptions(), Rows((values,)))
    (problem,) = rounded.finished(ENTRY).problems
    assert problem.severity == "note"
    assert "ELU" in problem.message
