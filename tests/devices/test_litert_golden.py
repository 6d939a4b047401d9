"""Outputs of a device against those of a build: exact, within a tolerance, and damaged."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.devices._litert.golden import EXACT, Compared, Vectors, compare


def vectors(*outputs: np.ndarray, tolerance: list[float | None] | None = None) -> Vectors:
    inputs = [np.arange(len(outputs[0]), dtype=np.int16)]
    return Vectors(inputs, outputs, tolerance or [0.0] * len(outputs))


def sent(*outputs: np.ndarray) -> bytes:
    """As a worker writes them: vector after vector."""
    return b"".join(array[row].tobytes() for row in range(len(outputs[0])) for array in outputs)


INTEGERS = np.array([[1, -2], [3, 127]], np.int8)
FLOATS = np.array([[1.0, -200.0, 0.0], [0.5, np.nan, np.inf]], np.float32)


def test_several_outputs_of_several_vectors_find_their_places() -> None:
    found = compare(vectors(INTEGERS, FLOATS), sent(INTEGERS, FLOATS), reference=True)
    assert found == Compared(10, 0)


def test_inputs_go_vector_by_vector_little_endian() -> None:
    two = [np.array([1, 2], ">i2"), np.array([[3, 4], [5, 6]], np.uint8)]
    raw = Vectors(two, [INTEGERS], [0.0]).raw()
    assert raw == bytes([1, 0, 3, 4, 2, 0, 5, 6])


@pytest.mark.parametrize(("off", "tolerance", "wrong"), [(2, 2.0, 0), (3, 2.0, 1), (-1, 0.0, 1)])
def test_integers_within_steps(off: int, tolerance: float, wrong: int) -> None:
    got = INTEGERS.copy()
    got[1, 0] += off
    found = compare(vectors(INTEGERS, tolerance=[tolerance]), sent(got), reference=False)
    assert (found.compared, found.mismatched) == (4, wrong)
    if wrong:
        assert found.detail == f"golden vector 1: output 0 [0] is {3 + off}, should be 3"


def test_integers_of_reference_kernels_are_equal_whatever_the_tolerance() -> None:
    got = INTEGERS.copy()
    got[0, 0] += 1
    assert compare(vectors(INTEGERS, tolerance=[9.0]), sent(got), reference=True).mismatched == 1


def test_steps_do_not_wrap_around() -> None:
    got = INTEGERS.copy()
    got[1, 1] = -128  # one more than 127, in eight bits
    found = compare(vectors(INTEGERS, tolerance=[2.0]), sent(got), reference=False)
    assert found.mismatched == 1


@pytest.mark.parametrize(("share", "wrong"), [(0.9, 0), (1.1, 1)])
def test_floats_relative_to_the_largest(share: float, wrong: int) -> None:
    got = FLOATS.copy()
    got[0, 2] += share * EXACT * 200
    assert compare(vectors(FLOATS), sent(got), reference=True).mismatched == wrong


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_number_is_never_near_one(value: float) -> None:
    got = FLOATS.copy()
    got[0, 0] = value
    assert compare(vectors(FLOATS), sent(got), reference=True).mismatched == 1
    got = FLOATS.copy()
    got[1, 1:] = 0
    assert compare(vectors(FLOATS), sent(got), reference=True).mismatched == 2


def test_classes_are_compared_by_reference_kernels_alone() -> None:
    classes = np.array([[3], [4]], np.int64)
    known = vectors(classes, tolerance=[None])
    assert compare(known, sent(classes + 1), reference=False) == Compared(0, 0)
    assert compare(known, sent(classes + 1), reference=True).mismatched == 2


def test_outputs_of_another_size_are_all_wrong() -> None:
    found = compare(vectors(INTEGERS), b"\0" * 3, reference=True)
    assert found == Compared(4, 4, "the outputs have 3 bytes, should have 4")
