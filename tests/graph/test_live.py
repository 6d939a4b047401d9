"""Activations that are alive at once, by hand and against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import pytest
from hand_made import O, T, flatbuffer

from edgekit.graph.live import peak_bytes
from edgekit.graph.read import read


def graph(again: bool = False, view: bool = False) -> bytes:
    """in -> a -> b -> out of 64 B each, or through a view of b.

    With `again`, `in` is read by the last step, too.
    """
    tensors = [T(name, (1, 16)) for name in ("in", "a", "b", "view", "out")]
    middle = [O("RESHAPE", (2,), (3,))] if view else []
    source = 3 if view else 2
    last = O("ADD", (source, 0 if again else source), (4,))
    ops = [O("ABS", (0,), (1,)), O("ABS", (1,), (2,)), *middle, last]
    return flatbuffer(tensors, ops, (0,), (4,))


def test_by_hand() -> None:
    assert peak_bytes(read(graph())) == 2 * 64
    assert peak_bytes(read(graph(again=True))) == 3 * 64
    assert peak_bytes(read(graph(again=True, view=True))) == 3 * 64


TAKES = {  # the head of its arena: tensors, as in tests/target/test_fit.py
    "kws_dscnn/kws_ref_model_int8.tflite": (16_000, 16_000),
    "ic_resnet8/pretrainedResnet_int8.tflite": (49_152, 49_152),
    "vww_mobilenetv1/vww_96_int8.tflite": (55_296, 73_728),
}


@pytest.mark.parametrize(("name", "figures"), TAKES.items())
def test_least_is_what_tflite_micro_takes_or_less(
    real_models: Path, name: str, figures: tuple[int, int]
) -> None:
    least, taken = figures
    assert peak_bytes(read((real_models / name).read_bytes())) == least <= taken
