"""Small int8 nets for the compiler, made as flatbuffers: convolution, addition, dense."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from made_tflite import Made, Step, build, conv_options, options


def residual_net(seed: int = 0) -> bytes:
    """8x8x3 -> conv 3x3 to 4 (RELU) -> conv 3x3 to 4, added to the first -> dense to 5."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape).astype(np.int8)

    def bias(count: int) -> np.ndarray:
        return rng.integers(-500, 500, count).astype(np.int32)

    tensors = [
        Made("in", (1, 8, 8, 3), "INT8", None, (0.05,), (-3,)),
        Made("w0", (4, 3, 3, 3), "INT8", weights(4, 3, 3, 3), (0.01, 0.02, 0.03, 0.01), (0,) * 4),
        Made("b0", (4,), "INT32", bias(4), (0.0005, 0.001, 0.0015, 0.0005), (0,) * 4),
        Made("first/Relu", (1, 8, 8, 4), "INT8", None, (0.06,), (-128,)),
        Made("w1", (4, 3, 3, 4), "INT8", weights(4, 3, 3, 4), (0.01,) * 4, (0,) * 4),
        Made("b1", (4,), "INT32", bias(4), (0.0006,) * 4, (0,) * 4),
        Made("second", (1, 8, 8, 4), "INT8", None, (0.3,), (7,)),
        Made("sum", (1, 8, 8, 4), "INT8", None, (0.35,), (-5,)),
        Made("to", (2,), "INT32", np.array([1, 256], np.int32)),
        Made("flat", (1, 256), "INT8", None, (0.35,), (-5,)),
        Made("w2", (5, 256), "INT8", weights(5, 256), (0.01,), (0,)),
        Made("b2", (5,), "INT32", bias(5), (0.0035,), (0,)),
        Made("scores", (1, 5), "INT8", None, (1.5,), (0,)),
    ]
    relu = schema.ActivationFunctionType.RELU
    steps = [
        Step("CONV_2D", (0, 1, 2), (3,), conv_options(fusedActivationFunction=relu), version=3),
        Step("CONV_2D", (3, 4, 5), (6,), conv_options(), version=3),
        Step("ADD", (6, 3), (7,), options("Add"), version=2),
        Step("RESHAPE", (7, 8), (9,), options("Reshape", newShape=[1, 256])),
        Step("FULLY_CONNECTED", (9, 10, 11), (12,), options("FullyConnected"), version=4),
    ]
    return build(tensors, steps, (0,), (12,))


def unknown_net() -> bytes:
    """What TensorFlow Lite Micro runs in int8 and the compiler has not: L2_NORMALIZATION."""
    rng = np.random.default_rng(0)
    tensors = [
        Made("in", (1, 4, 4, 2), "INT8", None, (0.5,), (-3,)),
        Made(
            "w", (3, 1, 1, 2), "INT8", rng.integers(-9, 9, 6).astype(np.int8), (0.1,) * 3, (0,) * 3
        ),
        Made("b", (3,), "INT32", np.arange(3, dtype=np.int32), (0.05,) * 3, (0,) * 3),
        Made("conv", (1, 4, 4, 3), "INT8", None, (0.25,), (4,)),
        Made("strange", (1, 4, 4, 3), "INT8", None, (1 / 128,), (0,)),
    ]
    steps = [
        Step("CONV_2D", (0, 1, 2), (3,), conv_options(), version=3),
        Step("L2_NORMALIZATION", (3,), (4,), options("L2Norm"), version=2),
    ]
    return build(tensors, steps, (0,), (4,))
