"""Small nets on emulated cores without the DSP extension: assembly, and products by halves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_nets import residual_net
from emulated import check_emulated
from made_tflite import Made, Step, build, conv_options, one_op, options

from edgekit.devices.qemu import Driver

pytestmark = pytest.mark.skipif(bool(Driver.needs.lacking()), reason="no emulator")


def separable_net() -> bytes:
    """7x8x16 -> conv 3x3 to 18 (in segments, no multiple of four) -> two depthwise 3x3."""
    rng = np.random.default_rng(5)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape).astype(np.int8)

    def bias() -> np.ndarray:
        return rng.integers(-9000, 9000, 18).astype(np.int32)

    flat = (0,) * 18
    tensors = [
        Made("in", (1, 7, 8, 16), "INT8", None, (0.05,), (-3,)),
        Made("w0", (18, 3, 3, 16), "INT8", weights(18, 3, 3, 16), (0.002,) * 18, flat),
        Made("b0", (18,), "INT32", bias() * 9, (0.0001,) * 18, flat),
        Made("conv", (1, 7, 8, 18), "INT8", None, (0.06,), (11,)),
        Made("w1", (1, 3, 3, 18), "INT8", weights(1, 3, 3, 18), (0.01,) * 18, flat, 3),
        Made("b1", (18,), "INT32", bias(), (0.0006,) * 18, flat),
        Made("near", (1, 7, 8, 18), "INT8", None, (0.1,), (-128,)),
        Made("w2", (1, 3, 3, 18), "INT8", weights(1, 3, 3, 18), (0.01,) * 18, flat, 3),
        Made("b2", (18,), "INT32", bias(), (0.001,) * 18, flat),
        Made("far", (1, 4, 4, 18), "INT8", None, (0.2,), (7,)),
    ]
    depthwise = {"padding": schema.Padding.SAME, "depthMultiplier": 1}
    one = options("DepthwiseConv2D", strideW=1, strideH=1, **depthwise)
    two = options("DepthwiseConv2D", strideW=2, strideH=2, **depthwise)
    steps = [
        Step("CONV_2D", (0, 1, 2), (3,), conv_options(), version=3),
        Step("DEPTHWISE_CONV_2D", (3, 4, 5), (6,), one, version=3),
        Step("DEPTHWISE_CONV_2D", (6, 7, 8), (9,), two, version=3),
    ]
    return build(tensors, steps, (0,), (9,))


def dense_net() -> bytes:
    """601 values -> dense to 7: a single pixel."""
    weights = np.random.default_rng(6).integers(-127, 128, (7, 601)).astype(np.int8)
    tensors = [
        Made("in", (1, 601), "INT8", None, (0.05,), (-3,)),
        Made("w", (7, 601), "INT8", weights, (0.01,), (0,)),
        Made("b", (7,), "INT32", np.arange(7, dtype=np.int32), (0.0005,), (0,)),
        Made("out", (1, 7), "INT8", None, (0.6,), (5,)),
    ]
    return one_op("FULLY_CONNECTED", tensors, options("FullyConnected"))


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3"])
@pytest.mark.parametrize("net", [residual_net, separable_net, dense_net])
def test_a_net_on_the_emulated_core(net: Callable[[], bytes], core: str, tmp_path: Path) -> None:
    check_emulated(net(), core, tmp_path)
