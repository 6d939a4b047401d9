"""Where channels lie after a reshape: on matrices small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.structure.places import Places, reshaped
from edgekit.structure.units import Units


def made(axis: int, before: tuple[int, ...], after: tuple[int, ...]) -> tuple[Units, Places | None]:
    units = Units()
    return units, reshaped(Places(axis, units.fresh(before[axis])), before, after, units)


@pytest.mark.parametrize(
    ("axis", "before", "after", "wanted", "numbers"),
    [
        (3, (1, 2, 2, 3), (1, 12), 1, [0, 1, 2] * 4),
        (1, (1, 3, 2, 2), (1, 12), 1, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]),
        (3, (1, 2, 2, 3), (4, 3), 1, [0, 1, 2]),
        (2, (1, 4, 3), (1, 1, 4, 3), 3, [0, 1, 2]),
        (1, (1, 3), (3,), 0, [0, 1, 2]),
    ],
)
def test_channels_are_found_again(
    axis: int, before: tuple[int, ...], after: tuple[int, ...], wanted: int, numbers: list[int]
) -> None:
    _, places = made(axis, before, after)
    assert places is not None
    assert places.axis == wanted
    np.testing.assert_array_equal(places.units, numbers)


def test_an_axis_that_is_parted_loses_whole_parts() -> None:
    units, places = made(1, (1, 6), (1, 3, 2))
    assert places is not None
    assert places.axis == 1
    np.testing.assert_array_equal(units.find(np.arange(6)), [0, 0, 2, 2, 4, 4])


@pytest.mark.parametrize(
    ("axis", "before", "after"), [(3, (1, 2, 2, 1), (1, 4)), (3, (1, 2, 2, 3), (1, 3, 4))]
)
def test_what_would_be_one_unit_cannot_shrink(
    axis: int, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    assert made(axis, before, after)[1] is None
