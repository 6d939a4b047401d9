"""Nets whose int8 files tie, fix or leave scales in all the ways that training must follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.convert import float_tflite

NETS = {
    "conv, batch norm and relu of legacy keras": ("tf_keras", (8, 8, 3), "_block"),
    "conv, batch norm and relu of keras 3": ("keras3", (8, 8, 3), "_block"),
    "one-dimensional sensor net of keras 3": ("keras3", (24, 4), "_sensor"),
    "depthwise and residual add": ("keras3", (8, 8, 4), "_residual"),
    "squeeze and excite": ("keras3", (8, 8, 4), "_excite"),
    "joined branches, padding and pooling": ("keras3", (8, 8, 3), "_joined"),
    "relu6, hard swish and tanh": ("keras3", (8, 8, 3), "_activations"),
    "transposed convolution": ("keras3", (4, 4, 3), "_transposed"),
}


def tflite(name: str) -> bytes:
    """The float flatbuffer of one of `NETS`, with random weights."""
    library, shape, build = NETS[name]
    keras = getattr(_tf, library)()
    keras.utils.set_random_seed(0)
    inputs = keras.layers.Input(shape)
    model = keras.Model(inputs, globals()[build](keras.layers, inputs))
    random = np.random.default_rng(0)
    for weight in model.weights:
        if "moving" in str(getattr(weight, "path", weight.name)):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
    return converted(model)


def converted(model: Any) -> bytes:
    """A Keras model as the importers convert it."""
    return float_tflite(model)


def rows(name: str, count: int, seed: int = 0) -> np.ndarray:
    """[count, ...] inputs of one of `NETS`."""
    random = np.random.default_rng(seed)
    return random.normal(size=(count, *NETS[name][1])).astype(np.float32)


def _block(layers: Any, x: Any) -> Any:
    x = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    # of an even number of integers many means are halves, which TFLite rounds its own way
    return layers.Dense(4)(layers.Flatten()(layers.AveragePooling2D(3)(x)))


def _sensor(layers: Any, x: Any) -> Any:
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(8, 3)(x)))
    x = layers.Conv1D(8, 3, activation="relu")(layers.MaxPooling1D()(x))
    return layers.Dense(4)(layers.GlobalAveragePooling1D()(x))


def _residual(layers: Any, x: Any) -> Any:
    x = layers.Conv2D(8, 1)(x)
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    y = layers.Conv2D(8, 1)(layers.BatchNormalization()(y))
    return layers.Dense(4)(layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Add()([x, y]))))


def _excite(layers: Any, x: Any) -> Any:
    x = layers.Conv2D(8, 3, activation="relu")(x)
    gate = layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    gate = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(gate))
    return layers.Dense(4)(layers.GlobalAveragePooling2D()(layers.Multiply()([x, gate])))


def _joined(layers: Any, x: Any) -> Any:
    x = layers.Conv2D(6, 3, strides=2)(layers.ZeroPadding2D()(x))
    left, right = layers.Conv2D(4, 1)(x), layers.MaxPooling2D(3, 1, padding="same")(x)
    x = layers.Conv2D(4, 1, activation="relu")(layers.Concatenate()([left, right]))
    return layers.Dense(4)(layers.Flatten()(layers.ZeroPadding2D()(x)))


def _activations(layers: Any, x: Any) -> Any:
    x = layers.ReLU(6.0)(layers.Conv2D(6, 3)(x))
    x = layers.Conv2D(6, 1)(x)
    half = layers.ReLU(6.0)(layers.Rescaling(1.0, 3.0)(x))
    x = layers.Multiply()([x, layers.Rescaling(1 / 6)(half)])
    x = layers.Conv2D(4, 1, activation="tanh")(x)
    return layers.Dense(4)(layers.Flatten()(x))


def _transposed(layers: Any, x: Any) -> Any:
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(layers.Conv2D(5, 1)(x))
    return layers.Dense(4)(layers.Flatten()(x))
