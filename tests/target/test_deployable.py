"""A runtime that was found on a device against the ops of a model."""

from __future__ import annotations

import pytest
from made_tflite import Made, Step, build

from edgekit.errors import TargetError
from edgekit.target.deployable import refuse_model, table_of


@pytest.mark.parametrize(
    ("runtime", "table"),
    [
        ("ai-edge-litert 2.3.0", "litert"),
        ("ai-edge-litert 2.3", "litert"),
        ("tflite-runtime 2.14.0", "tflite-runtime"),
        ("tflite-runtime 2.1.4", None),
        ("ai-edge-litert 2.31.0", None),
        ("libLiteRt", None),
    ],
)
def test_table_by_package_and_version(runtime: str, table: str | None) -> None:
    found = table_of(runtime)
    assert (found.name if found else None) == table


def relu(version: int) -> bytes:
    tensors = [Made("x", (1, 4)), Made("y", (1, 4))]
    return build(tensors, [Step("RELU", (0,), (1,), version=version)], (0,), (1,))


def test_op_in_a_version_that_the_runtime_there_does_not_have() -> None:
    refuse_model(relu(1), "rpi4", "tflite-runtime 2.14.0")
    with pytest.raises(TargetError, match=r"RELU version 99"):
        refuse_model(relu(99), "rpi4", "tflite-runtime 2.14.0")


def test_what_is_not_known_is_left_to_the_runtime_itself() -> None:
    refuse_model(relu(99), "rpi4", "tflite-runtime 9.9.9")
    refuse_model(relu(99), "not-on-this-machine", "tflite-runtime 2.14.0")
