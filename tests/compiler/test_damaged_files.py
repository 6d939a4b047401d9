"""Files of no sense through the compiler: one line that says why, or a project; never more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from c_nets import residual_net
from chains import Chain
from made_tflite import pack, small_net, unpack

from edgekit.compiler.compiled import compile_graph
from edgekit.compiler.cores import core_of
from edgekit.errors import EdgekitError, ModelError
from edgekit.graph.read import read

CORE = core_of("cortex-m4")
SECONDS = 10.0


def outcome(data: bytes) -> str:
    """`compiled`, or the line of the error; anything else fails."""
    began = time.process_time()
    try:
        compile_graph(read(data, "m.tflite"), CORE, "m")
        error = None
    except EdgekitError as caught:
        error = caught
    assert time.process_time() - began < SECONDS
    if error is None:
        return "compiled"
    assert error.message
    assert error.hint
    assert "\n" not in error.message
    return error.message


def nets() -> list[bytes]:
    chain = (
        Chain((1, 6, 6, 4))
        .conv(6, (3, 3), dead=[1])
        .depthwise()
        .pool()
        .pad((0, 0), (1, 1), (0, 1), (0, 0))
    )
    return [residual_net(), small_net(), chain.mean().dense(3).model()]


def test_truncated_files() -> None:
    for data in nets():
        for end in range(0, len(data), 37):
            with pytest.raises(ModelError):
                read(data[:end], "m.tflite")


def damaged(seed: int) -> Iterator[bytes]:
    """Files with a few bytes or words changed."""
    rng = np.random.default_rng(seed)
    for data in nets():
        for _ in range(60):
            changed = bytearray(data)
            for _ in range(int(rng.integers(1, 4))):
                at = int(rng.integers(8, len(changed) - 4))
                if rng.random() < 0.5:
                    changed[at] = int(rng.integers(256))
                else:
                    word = int(rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0x10000]))
                    changed[at & ~3 : (at & ~3) + 4] = word.to_bytes(4, "little")
            yield bytes(changed)


@pytest.mark.parametrize("seed", range(4))
def test_files_with_a_few_bytes_changed(seed: int) -> None:
    said = [outcome(data) for data in damaged(seed)]
    assert "compiled" in said
    assert len(set(said)) > 5


def shapes(*sizes: int) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            if tensor.buffer == 0:
                tensor.shape = list(sizes)

    return edit


def itself(model: Any) -> None:
    """Every operator reads what it writes."""
    for op in model.subgraphs[0].operators:
        op.inputs = [op.outputs[0], *op.inputs[1:]]


def backwards(model: Any) -> None:
    model.subgraphs[0].operators.reverse()


def calls_itself(model: Any) -> None:
    """Branches that lead back to where they are."""
    import ai_edge_litert.schema_py_generated as schema

    code, op, made = schema.OperatorCodeT(), schema.OperatorT(), schema.IfOptionsT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.IF
    model.operatorCodes.append(code)
    op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes) - 1, [0], [9]
    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.IfOptions, made
    model.subgraphs[0].operators.append(op)


def strides(value: int) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        made = model.subgraphs[0].operators[0].builtinOptions
        made.strideW = made.strideH = made.dilationWFactor = value

    return edit


def scales(value: float) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            if tensor.quantization is not None and tensor.quantization.scale is not None:
                tensor.quantization.scale = [value] * len(tensor.quantization.scale)

    return edit


ABSURD = {
    "no size": shapes(),
    "nothing": shapes(1, 0, 4, 2),
    "negative": shapes(1, -4, 4, 2),
    "huge": shapes(1, 1 << 30, 1 << 30, 1 << 30),
    "large": shapes(1, 1 << 15, 1 << 15, 2),
    "wrong": shapes(3, 5, 7, 11),
    "reads itself": itself,
    "backwards": backwards,
    "calls itself": calls_itself,
    "strides of 0": strides(0),
    "negative strides": strides(-1),
    "long strides": strides(1 << 30),
    "scales of 0": scales(0.0),
    "negative scales": scales(-1.0),
    "no scales": scales(float("nan")),
    "infinite scales": scales(float("inf")),
}


@pytest.mark.parametrize("edit", ABSURD.values(), ids=ABSURD)
def test_absurd_files_are_refused(edit: Callable[[Any], None]) -> None:
    model = unpack(small_net())
    edit(model)
    assert outcome(pack(model)) != "compiled"
