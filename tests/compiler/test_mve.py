"""Vector kernels: their layouts on this host, and their instructions on an emulated Cortex-M55."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_nets import residual_net
from c_project import check, compiled, random_rows, reference
from made_tflite import Made, conv_options, one_op, options

from edgekit.compiler.compiled import Compiled
from edgekit.devices.qemu import Driver, measure

CORE = "cortex-m55"
ACTIVATIONS = (
    schema.ActivationFunctionType.NONE,
    schema.ActivationFunctionType.RELU,
    schema.ActivationFunctionType.RELU6,
)


def convolution(seed: int, depthwise: bool) -> bytes:
    """One layer of any shape; some of its factors are above 1, some weights are all -128."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 12, 2)
    channels, outputs = int(rng.choice([1, 2, 3, 7, 16, 19])), int(rng.integers(1, 21))
    if depthwise:
        outputs = channels * int(rng.choice([1, 1, 2, 3]))
    kernel = (3, 3) if rng.random() < 0.5 else tuple(rng.integers(1, 5, 2))
    stride = int(rng.choice([1, 1, 2, 3]))
    dilation = 1 if stride > 1 else int(rng.choice([1, 1, 2]))
    reach = [(taps - 1) * dilation + 1 for taps in kernel]
    same = bool(rng.random() < 0.6 or reach[0] > height or reach[1] > width)
    sizes = [
        -(-size // stride) if same else (size - need + stride) // stride
        for size, need in zip((height, width), reach, strict=True)
    ]
    shape = (1, *kernel, outputs) if depthwise else (outputs, *kernel, channels)
    weights = rng.integers(-127, 128, shape).astype(np.int8)
    if rng.random() < 0.2:
        weights[..., -1] = -128
    scales = rng.uniform(0.001, 0.02, outputs)
    bits = int(rng.choice([8, 20]))
    bias = rng.integers(-(2**bits), 2**bits, outputs).astype(np.int32)
    zero, out_zero = (int(value) for value in rng.integers(-128, 128, 2))
    out_scale = float(rng.choice([0.0005, 0.002, 0.05, 0.2]))
    each = {
        "strideW": stride,
        "strideH": stride,
        "dilationWFactor": dilation,
        "dilationHFactor": dilation,
        "padding": schema.Padding.SAME if same else schema.Padding.VALID,
        "fusedActivationFunction": ACTIVATIONS[int(rng.integers(3))],
    }
    made = (
        options("DepthwiseConv2D", depthMultiplier=outputs // channels, **each)
        if depthwise
        else conv_options(**each)
    )
    tensors = [
        Made("in", (1, height, width, channels), "INT8", None, (0.05,), (zero,)),
        Made("w", shape, "INT8", weights, list(scales), [0] * outputs, 3 if depthwise else 0),
        Made("b", (outputs,), "INT32", bias, list(scales * 0.05), [0] * outputs),
        Made("out", (1, *sizes, outputs), "INT8", None, (out_scale,), (out_zero,)),
    ]
    return one_op("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", tensors, made)


@pytest.mark.parametrize("depthwise", [False, True])
def test_layouts_are_those_of_the_kernels(depthwise: bool, tmp_path: Path) -> None:
    check([convolution(seed, depthwise) for seed in range(12)], CORE, tmp_path)


def write(made: Compiled, rows: list[bytes], wanted: list[bytes], folder: Path) -> None:
    text = made.text
    files = {".h": text.header, ".c": text.source}
    files |= {"_weights.h": text.weights, "_kernels.h": text.kernels}
    tables = "".join(
        f"static const uint8_t m_golden_{name}[{len(each)}][{len(each[0])}] = {{"
        + ",".join("{" + ",".join(map(str, row)) + "}" for row in each)
        + "};\n"
        for name, each in (("input", rows), ("output", wanted))
    )
    head = f"#include <stdint.h>\n#define M_GOLDEN_COUNT {len(rows)}\n"
    files["_golden.h"] = head + tables
    for ending, content in files.items():
        (folder / f"m{ending}").write_text(content)


MODELS = {
    "residual": residual_net(),
    **{f"conv {seed}": convolution(seed, False) for seed in (3, 4, 8)},
    **{f"depthwise {seed}": convolution(seed, True) for seed in (1, 2, 6)},
}


@pytest.mark.parametrize("name", MODELS)
def test_instructions_are_those_of_the_core(name: str, tmp_path: Path) -> None:
    if Driver.needs.lacking():
        pytest.skip(f"not on this machine: {', '.join(Driver.needs.lacking())}")
    model = MODELS[name]
    made = compiled(model, CORE)
    rows = random_rows(model, 3, 0)
    wanted = reference(model, rows)
    (tmp_path / "c").mkdir()
    taken, given = (
        [b"".join(np.ascontiguousarray(one).tobytes() for one in row) for row in each]
        for each in (rows, wanted)
    )
    write(made, taken, given, tmp_path / "c")
    layers = [
        {"symbol": symbol, "name": layer.name, "op": layer.kind, "macs": layer.operation.macs()}
        for symbol, layer in zip(made.text.symbols, made.program.layers, strict=True)
    ]
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wmissing-prototypes"]
    project = {"prefix": "m", "folder": "c", "core": CORE, "cflags": flags, "layers": layers}
    found = measure(tmp_path, project)
    assert (found.mismatched, found.spoken.differs) == (0, None)
    assert not any(vector.overwritten for vector in found.spoken.vectors)
