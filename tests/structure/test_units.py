"""Numbers for channels that are one, and for those that stay."""

from __future__ import annotations

import numpy as np

from edgekit.structure.units import Units


def test_what_is_tied_is_one_whatever_the_order() -> None:
    units = Units()
    a, b, c = (units.fresh(3) for _ in range(3))
    units.tie(c, a)
    units.tie(b[:1], c[2:])
    known = units.numbered()
    assert known.count == 5
    np.testing.assert_array_equal(known.number[a], known.number[c])
    assert known.number[b[0]] == known.number[a[2]]
    assert len({*known.number[b]} & {*known.number[a]}) == 1


def test_a_reason_holds_all_that_is_tied_before_and_after() -> None:
    units = Units()
    a, b = units.fresh(2), units.fresh(2)
    units.freeze(a[:1], "first")
    units.freeze(a[:1], "second")
    units.tie(b, a)
    known = units.numbered()
    assert known.frozen == {int(known.number[b[0]]): "first"}
