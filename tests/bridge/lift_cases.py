"""Keras 3 layers, one a case: small, with random weights, as functions of symbolic inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from small_nets import RELU, Net

from edgekit import _tf
from edgekit.bridge.lift import Lifted
from edgekit.convert import float_tflite
from edgekit.importers._unroll import unrolled

Shape = tuple[int, ...]
PICTURE, SERIES, FLAT, VOLUME = (6, 8, 4), (6, 4), (10,), (4, 5, 6, 2)


@dataclass(frozen=True)
class Case:
    """Takes Keras's layers and the inputs; returns the outputs."""

    build: Callable[..., Any]
    shapes: tuple[Shape, ...]
    dtypes: tuple[str, ...] = ()


def model(case: Case, keras: Any, seed: int = 0) -> Any:
    """The case as a Keras model, every weight random (variances positive)."""
    keras.utils.set_random_seed(seed)
    dtypes = case.dtypes or ("float32",) * len(case.shapes)
    inputs = [
        keras.layers.Input(shape, dtype=dtype)
        for shape, dtype in zip(case.shapes, dtypes, strict=True)
    ]
    net = keras.Model(inputs, case.build(keras.layers, *inputs))
    random = np.random.default_rng(seed)
    for weight in net.weights:
        if np.dtype(str(getattr(weight.dtype, "name", weight.dtype))).kind == "f":
            values = random.normal(0, 0.4, weight.shape)
            positive = any(word in weight.name for word in ("variance", "gamma"))
            weight.assign(np.abs(values) + 0.3 if positive else values)
    return net


def tflite(case: Case, keras: Any, seed: int = 0) -> bytes:
    """The case as the importers convert it."""
    net = model(case, keras, seed)
    with unrolled(net, keras):
        return float_tflite(net)


def one(shape: Shape, make: Callable[[Any], Any]) -> Case:
    """A layer on one input."""
    return Case(lambda layers, x: make(layers)(x), (shape,))


def two(shape: Shape, make: Callable[[Any], Any]) -> Case:
    """A layer on a list of two inputs of one shape."""
    return Case(lambda layers, x, y: make(layers)([x, y]), (shape, shape))


def ops(shape: Shape, function: Callable[[Any, Any], Any]) -> Case:
    """A function of `keras.ops` behind a dense layer."""
    return Case(lambda layers, x: function(_tf.keras3().ops, layers.Dense(4)(x)), (shape,))


def random_net(activation: int = RELU) -> Net:
    """conv -> depthwise -> mean -> dense on 6 x 6 x 2, as a flatbuffer by hand."""
    random = np.random.default_rng(0)
    kernels = [random.normal(size=size) for size in ((4, 3, 3, 2), (1, 3, 3, 4), (3, 4))]
    net = Net(6, 6, 2).conv(kernels[0], random.normal(size=4), activation)
    net.depthwise(kernels[1], random.normal(size=4), activation)
    return net.mean().dense(kernels[2], random.normal(size=3))


def train(lifted: Lifted, steps: int = 3) -> None:
    """A few steps towards random targets."""
    keras, random = _tf.tf_keras(), np.random.default_rng(1)
    lifted.model.compile(keras.optimizers.legacy.Adam(0.05), "mse", run_eagerly=True)
    shapes = lifted.model.input_shape, lifted.model.output_shape
    x, y = (random.normal(size=(8, *shape[1:])).astype(np.float32) for shape in shapes)
    lifted.model.fit(x, y, batch_size=8, epochs=steps, verbose=0)


WEIGHTS: dict[str, Case] = {
    "dense": one(FLAT, lambda L: L.Dense(5)),
    "dense without bias": one(FLAT, lambda L: L.Dense(5, use_bias=False)),
    "dense on a series": one(SERIES, lambda L: L.Dense(5, activation="relu")),
    "dense on a picture": one(PICTURE, lambda L: L.Dense(3)),
    "convolution": one(PICTURE, lambda L: L.Conv2D(5, 3, activation="relu")),
    "convolution, same, strides": one(PICTURE, lambda L: L.Conv2D(5, 3, 2, "same")),
    "convolution, unequal": one(PICTURE, lambda L: L.Conv2D(5, (3, 2), (1, 2), "same")),
    "convolution, dilated": one(PICTURE, lambda L: L.Conv2D(5, 3, dilation_rate=2)),
    "convolution, dilated, same": one(
        PICTURE, lambda L: L.Conv2D(5, 3, padding="same", dilation_rate=2)
    ),
    "convolution, grouped": one(PICTURE, lambda L: L.Conv2D(6, 3, groups=2, padding="same")),
    "convolution without bias": one(PICTURE, lambda L: L.Conv2D(5, 1, use_bias=False)),
    "convolution, tanh": one(PICTURE, lambda L: L.Conv2D(5, 3, activation="tanh")),
    "convolution, relu6": one(PICTURE, lambda L: L.Conv2D(5, 3, activation="relu6")),
    "1-D convolution": one(SERIES, lambda L: L.Conv1D(5, 3, activation="relu")),
    "1-D convolution, causal": one(SERIES, lambda L: L.Conv1D(5, 3, padding="causal")),
    "1-D convolution, dilated": one(SERIES, lambda L: L.Conv1D(5, 2, dilation_rate=2)),
    "1-D convolution, strides": one(SERIES, lambda L: L.Conv1D(5, 3, 2, "same")),
    "3-D convolution": one(VOLUME, lambda L: L.Conv3D(3, 2, activation="relu")),
    "depthwise": one(PICTURE, lambda L: L.DepthwiseConv2D(3, padding="same")),
    "depthwise, multiplier, strides": one(
        PICTURE, lambda L: L.DepthwiseConv2D(3, 2, "same", depth_multiplier=3)
    ),
    "depthwise, dilated": one(PICTURE, lambda L: L.DepthwiseConv2D(2, dilation_rate=2)),
    "depthwise 1-D": one(SERIES, lambda L: L.DepthwiseConv1D(3, 2, depth_multiplier=2)),
    "separable": one(PICTURE, lambda L: L.SeparableConv2D(5, 3, activation="relu")),
    "separable 1-D": one(SERIES, lambda L: L.SeparableConv1D(5, 3)),
    "transposed": one(PICTURE, lambda L: L.Conv2DTranspose(3, 3, 2, "same")),
    "transposed, valid": one(PICTURE, lambda L: L.Conv2DTranspose(3, 3, 2)),
    "transposed, even kernel": one(PICTURE, lambda L: L.Conv2DTranspose(3, 2, 2, "same")),
    "transposed, output padding": one(
        PICTURE, lambda L: L.Conv2DTranspose(3, 3, 2, "same", output_padding=0)
    ),
    "transposed 1-D": one(SERIES, lambda L: L.Conv1DTranspose(3, 3, 2)),
    "einsum dense": one(SERIES, lambda L: L.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")),
    "embedding": Case(lambda L, x: L.Embedding(20, 4)(x), ((6,),), ("int32",)),
    "embedding, mean, dense": Case(
        lambda L, x: L.Dense(2)(L.GlobalAveragePooling1D()(L.Embedding(20, 4)(x))),
        ((6,),),
        ("int32",),
    ),
    "conv, norm, relu, flatten, dense": Case(
        lambda L, x: L.Dense(3, activation="softmax")(
            L.Flatten()(L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3)(x))))
        ),
        (PICTURE,),
    ),
}  # fmt: skip

NORMS: dict[str, Case] = {
    "batch normalization": one(PICTURE, lambda L: L.BatchNormalization()),
    "batch normalization in front": Case(
        lambda L, x: L.Conv2D(3, 3, padding="same")(L.BatchNormalization()(x)), (PICTURE,)
    ),
    "layer normalization": one(SERIES, lambda L: L.LayerNormalization()),
    "group normalization": one(PICTURE, lambda L: L.GroupNormalization(2)),
    "unit normalization": one(FLAT, lambda L: L.UnitNormalization()),
    "rms normalization": one(SERIES, lambda L: L.RMSNormalization()),
    "normalization": one(FLAT, lambda L: L.Normalization(mean=1.5, variance=2.0)),
    "rescaling": one(PICTURE, lambda L: L.Rescaling(1 / 127.5, -1)),
    "spectral normalization": one(PICTURE, lambda L: L.SpectralNormalization(L.Conv2D(3, 2))),
    "dropout": one(FLAT, lambda L: L.Dropout(0.5)),
    "gaussian noise": one(FLAT, lambda L: L.GaussianNoise(0.5)),
}

NAMES = (
    "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear "
    "log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus "
    "softsign sparse_plus sparse_sigmoid squareplus swish tanh tanh_shrink"
)
ACTIVATIONS: dict[str, Case] = {
    name: one(SERIES, lambda L, name=name: L.Dense(5, activation=name)) for name in NAMES.split()
} | {
    "prelu": one(PICTURE, lambda L: L.PReLU()),
    "prelu, shared axes": one(PICTURE, lambda L: L.PReLU(shared_axes=[1, 2])),
    "leaky relu layer": one(FLAT, lambda L: L.LeakyReLU(0.2)),
    "elu layer": one(FLAT, lambda L: L.ELU(0.7)),
    "relu layer with limits": one(FLAT, lambda L: L.ReLU(6.0, 0.1, 0.5)),
    "softmax over another axis": one(SERIES, lambda L: L.Softmax(axis=1)),
    "approximate gelu": ops(FLAT, lambda K, x: K.gelu(x, approximate=True)),
}

SPATIAL: dict[str, Case] = {
    "max pool": one(PICTURE, lambda L: L.MaxPooling2D()),
    "max pool, same": one(PICTURE, lambda L: L.MaxPooling2D(3, 2, "same")),
    "average pool, same": one(PICTURE, lambda L: L.AveragePooling2D(3, 2, "same")),
    "max pool 1-D": one(SERIES, lambda L: L.MaxPooling1D()),
    "average pool 1-D": one(SERIES, lambda L: L.AveragePooling1D(3, 1, "same")),
    "global average": one(PICTURE, lambda L: L.GlobalAveragePooling2D()),
    "global average, dims kept": one(PICTURE, lambda L: L.GlobalAveragePooling2D(keepdims=True)),
    "global max": one(PICTURE, lambda L: L.GlobalMaxPooling2D()),
    "global average 1-D": one(SERIES, lambda L: L.GlobalAveragePooling1D()),
    "global max 1-D": one(SERIES, lambda L: L.GlobalMaxPooling1D()),
    "adaptive average pool": one(PICTURE, lambda L: L.AdaptiveAveragePooling2D((2, 2))),
    "zero padding": one(PICTURE, lambda L: L.ZeroPadding2D(((1, 2), (0, 3)))),
    "zero padding 1-D": one(SERIES, lambda L: L.ZeroPadding1D(2)),
    "cropping": one(PICTURE, lambda L: L.Cropping2D(((1, 2), (0, 3)))),
    "cropping 1-D": one(SERIES, lambda L: L.Cropping1D(1)),
    "upsampling": one(PICTURE, lambda L: L.UpSampling2D((2, 3))),
    "upsampling, bilinear": one(PICTURE, lambda L: L.UpSampling2D(2, interpolation="bilinear")),
    "upsampling 1-D": one(SERIES, lambda L: L.UpSampling1D(3)),
    "resizing": one(PICTURE, lambda L: L.Resizing(9, 5)),
    "resizing, nearest": one(PICTURE, lambda L: L.Resizing(9, 5, interpolation="nearest")),
    "center crop": one(PICTURE, lambda L: L.CenterCrop(4, 4)),
    "spatial dropout": one(PICTURE, lambda L: L.SpatialDropout2D(0.3)),
    "random flip": one(PICTURE, lambda L: L.RandomFlip()),
}

MOVES: dict[str, Case] = {
    "flatten": one(PICTURE, lambda L: L.Flatten()),
    "flatten, dense": Case(lambda L, x: L.Dense(3)(L.Flatten()(x)), (PICTURE,)),
    "reshape": one(PICTURE, lambda L: L.Reshape((24, 8))),
    "permute": one(PICTURE, lambda L: L.Permute((3, 1, 2))),
    "repeat vector": one(FLAT, lambda L: L.RepeatVector(3)),
    "add": two(PICTURE, lambda L: L.Add()),
    "subtract": two(PICTURE, lambda L: L.Subtract()),
    "multiply": two(PICTURE, lambda L: L.Multiply()),
    "average": two(PICTURE, lambda L: L.Average()),
    "maximum": two(PICTURE, lambda L: L.Maximum()),
    "minimum": two(PICTURE, lambda L: L.Minimum()),
    "concatenate": two(PICTURE, lambda L: L.Concatenate()),
    "concatenate, rows": two(PICTURE, lambda L: L.Concatenate(1)),
    "dot": two(SERIES, lambda L: L.Dot(axes=2)),
    "dot, normalized": two(FLAT, lambda L: L.Dot(axes=1, normalize=True)),
    "broadcast over rows": Case(
        lambda L, x, y: L.Add()([L.Dense(4)(x), L.Reshape((1, 4))(L.Dense(4)(y))]), (SERIES, FLAT)
    ),
    "squeeze and excite": Case(
        lambda L, x: L.Multiply()(
            [x, L.Dense(4, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))]
        ),
        (PICTURE,),
    ),
}

OPS: dict[str, Case] = {
    "x * 2 + 1": ops(FLAT, lambda K, x: x * 2.0 + 1.0),
    "split": ops(SERIES, lambda K, x: K.split(x, 2, axis=1)[1]),
    "uneven split": ops(SERIES, lambda K, x: K.concatenate(K.split(x, [1, 3], axis=1)[::-1], 1)),
    "slice": ops(SERIES, lambda K, x: x[:, 1:5:2, ::-1]),
    "stack, unstack": ops(SERIES, lambda K, x: K.stack(K.unstack(x, axis=1)[::-1], axis=-1)),
    "tile": ops(SERIES, lambda K, x: K.tile(x, (1, 2, 3))),
    "pad, reflected": ops(SERIES, lambda K, x: K.pad(x, ((0, 0), (2, 1), (0, 0)), "reflect")),
    "mean and variance": ops(SERIES, lambda K, x: K.mean(x, 1) + K.var(x, 1)),
    "reductions": ops(SERIES, lambda K, x: K.max(x, 1) - K.min(x, 2)[:, :4] + K.prod(x, 1)),
    "cumsum": ops(SERIES, lambda K, x: K.cumsum(x, axis=1)),
    "where": ops(FLAT, lambda K, x: K.where(x > 0.2, x, -2.0 * x)),
    "logic": ops(
        FLAT, lambda K, x: K.cast(K.logical_and(x > 0, K.logical_not(x < 0.5)), "float32")
    ),
    "power, roots, logs": ops(
        FLAT, lambda K, x: K.sqrt(K.abs(x)) + K.log(K.exp(x) + 1.0) + K.power(K.abs(x) + 0.1, 1.5)
    ),
    "sines": ops(FLAT, lambda K, x: K.sin(x) + K.cos(x) + K.floor(x) + K.rsqrt(x * x + 1.0)),
    "clip, divide": ops(FLAT, lambda K, x: K.clip(x, -0.3, 0.4) / (1.0 + K.square(x))),
    "take": ops(SERIES, lambda K, x: K.take(x, [2, 0, 1], axis=1)),
    "softmax of a product": ops(
        SERIES, lambda K, x: K.matmul(K.softmax(K.matmul(x, K.transpose(x, (0, 2, 1)))), x)
    ),
    "depth to space by hand": ops(
        PICTURE,
        lambda K, x: K.reshape(
            K.transpose(K.reshape(x, (-1, 6, 8, 2, 2, 1)), (0, 1, 3, 2, 4, 5)), (-1, 12, 16, 1)
        ),
    ),
    "roll": ops(SERIES, lambda K, x: K.roll(x, 2, axis=1)),
    "flip": ops(SERIES, lambda K, x: K.flip(x, axis=1)),
    "l2 normalize": ops(FLAT, lambda K, x: K.normalize(x, axis=-1)),
    "log softmax": ops(FLAT, lambda K, x: K.log_softmax(x)),
    "top k": ops(FLAT, lambda K, x: K.top_k(x, 2)[0]),
}  # fmt: skip

RECURRENT: dict[str, Case] = {
    "simple rnn": one(SERIES, lambda L: L.SimpleRNN(5)),
    "simple rnn, sequences": one(SERIES, lambda L: L.SimpleRNN(5, return_sequences=True)),
    "lstm": one(SERIES, lambda L: L.LSTM(5)),
    "lstm, sequences, dense": Case(
        lambda L, x: L.Dense(2)(L.LSTM(5, return_sequences=True)(x)), (SERIES,)
    ),
    "gru": one(SERIES, lambda L: L.GRU(5)),
    "gru, reset before": one(SERIES, lambda L: L.GRU(5, reset_after=False)),
    "bidirectional": one(SERIES, lambda L: L.Bidirectional(L.LSTM(3))),
    "time distributed": one(SERIES, lambda L: L.TimeDistributed(L.Dense(3))),
    "attention": Case(lambda L, x, y: L.Attention()([x, y]), (SERIES, SERIES)),
    "additive attention": Case(lambda L, x, y: L.AdditiveAttention()([x, y]), (SERIES, SERIES)),
    "multi head attention": Case(lambda L, x: L.MultiHeadAttention(2, 3)(x, x), (SERIES,)),
    "grouped query attention": Case(lambda L, x: L.GroupQueryAttention(3, 4, 2)(x, x), (SERIES,)),
    "convolutional lstm": one((3, 4, 4, 2), lambda L: L.ConvLSTM2D(3, 2)),
}


def _shared(layers: Any, x: Any, y: Any) -> Any:
    dense = layers.Dense(3, activation="relu")
    return layers.Concatenate()([dense(x), dense(y)])


def _nested(layers: Any, x: Any) -> Any:
    keras = _tf.keras3()
    inner = keras.Sequential([keras.Input(PICTURE), layers.Conv2D(3, 3), layers.ReLU()])
    return layers.Flatten()(inner(x))


def _two_outputs(layers: Any, x: Any) -> Any:
    trunk = layers.Dense(6, activation="relu")(x)
    return [
        layers.Dense(3, activation="softmax")(trunk),
        layers.Dense(1, activation="sigmoid")(trunk),
        trunk,
    ]


def _pyramid(layers: Any, x: Any) -> Any:
    head = layers.Conv2D(2, 3, padding="same")
    return [head(x), head(layers.MaxPooling2D()(x))]


WHOLE: dict[str, Case] = {
    "shared dense": Case(_shared, (FLAT, FLAT)),
    "nested model": Case(_nested, (PICTURE,)),
    "two heads and their trunk": Case(_two_outputs, (FLAT,)),
    "one head on two sizes": Case(_pyramid, (PICTURE,)),
    "tokens and a table": Case(
        lambda L, x, y: L.Dense(2)(L.Concatenate()([L.Flatten()(L.Embedding(9, 3)(x)), y])),
        ((4,), FLAT),
        ("int32", "float32"),
    ),
}

CASES = {**WEIGHTS, **NORMS, **ACTIVATIONS, **SPATIAL, **MOVES, **OPS, **RECURRENT, **WHOLE}
