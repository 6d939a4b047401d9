"""How an amount is parted among layers by their curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from edgekit.errors import UsageError
from edgekit.sensitivities.allocate import allocate
from edgekit.sensitivities.result import Curve, Kind, Point, Sensitivity

LEVELS = (0.25, 0.5, 0.75)


def curve(layer: str, losses: list[float], parameters: int = 100, macs: int = 1000) -> Curve:
    points = tuple(
        Point(level, loss, 50.0, round(level * parameters), round(level * macs))
        for level, loss in zip(LEVELS, losses, strict=True)
    )
    return Curve("prune", layer, (layer,), "CONV_2D", parameters, macs, points)


def rounded(layer: str, losses: list[float], parameters: int = 100) -> Curve:
    points = tuple(
        Point(bits, loss, 50.0, bits=(32 - bits) * parameters)
        for bits, loss in zip((8, 6, 4), losses, strict=True)
    )
    return Curve("quantize", layer, (layer,), "CONV_2D", parameters, 1000, points)


def of(*curves: Curve) -> Sensitivity:
    return Sensitivity("net", "0" * 64, "agreement", "higher", 100.0, 8, "1" * 64, curves)


def saved(found: Mapping[str, float], sizes: Mapping[str, int]) -> float:
    return sum(found[name] * size for name, size in sizes.items()) / sum(sizes.values())


def test_the_cheap_layer_goes_first() -> None:
    found = allocate(of(curve("a", [1, 2, 3]), curve("b", [0.1, 0.2, 0.3])), "prune", 0.3)
    assert found == {"a": 0, "b": pytest.approx(0.6)}


def test_large_layers_save_more_for_the_same_loss() -> None:
    both = of(curve("small", [1, 2, 3], 100), curve("large", [1, 2, 3], 1000))
    found = allocate(both, "prune", 0.5)
    assert found["small"] == 0
    assert saved(found, {"small": 100, "large": 1000}) == pytest.approx(0.5, abs=1e-6)


def test_the_unit_decides_what_is_large() -> None:
    both = of(curve("a", [1, 2, 3], 1000, 10), curve("b", [1, 2, 3], 10, 1000))
    assert allocate(both, "prune", 0.4)["b"] == 0
    assert allocate(both, "prune", 0.4, "macs")["a"] == 0


def test_a_curve_that_falls_is_smoothed_and_one_that_dips_is_taken_in_one_step() -> None:
    noisy = allocate(of(curve("a", [0.4, 0.2, 0.9]), curve("b", [0.5, 1.0, 1.5])), "prune", 0.25)
    assert noisy == {"a": pytest.approx(0.5), "b": 0}
    # its first quarter costs more than b's, all three together less
    steep = allocate(of(curve("a", [1.0, 1.1, 1.2]), curve("b", [0.5, 1.0, 1.5])), "prune", 0.375)
    assert steep == {"a": pytest.approx(0.75), "b": 0}


def test_a_point_that_saves_nothing_is_no_step() -> None:
    points = (Point(0.3, 0.1, 50.0, 0), Point(0.5, 0.2, 50.0, 50))
    flat = Curve("remove", "a", ("a",), "CONV_2D", 100, 0, points)
    assert allocate(of(flat), "remove", 0.5) == {"a": pytest.approx(0.5)}


def test_no_other_allocation_costs_less() -> None:
    curves = [curve("a", [0.1, 0.5, 2.0], 300), curve("b", [0.3, 0.4, 0.9], 200)]
    found = allocate(of(*curves), "prune", 0.5)

    def loss(levels: Mapping[str, float]) -> float:
        import numpy as np

        return sum(
            float(np.interp(levels[c.layer], (0, *LEVELS), (0, *(p.loss for p in c.points))))
            for c in curves
        )

    # every other split that saves as much, along the curves as they were measured
    for percent in range(76):
        other = (0.5 * 500 - 300 * percent / 100) / 200
        if 0 <= other <= 0.75:
            assert loss(found) <= loss({"a": percent / 100, "b": other}) + 1e-6


def test_bits_are_those_that_were_measured() -> None:
    both = of(rounded("a", [0.0, 0.1, 5.0]), rounded("b", [0.0, 0.0, 0.2]))
    assert allocate(both, "quantize", 0.0, "bits") == {"a": 32, "b": 32}
    assert allocate(both, "quantize", 0.75, "bits") == {"a": 8, "b": 6}
    assert allocate(both, "quantize", 1 - 6 / 32, "bits") == {"a": 6, "b": 6}
    assert allocate(both, "quantize", 1 - 5 / 32, "bits") == {"a": 6, "b": 4}


def test_what_is_really_saved_may_be_asked() -> None:
    asked: list[Mapping[str, float]] = []

    def square(levels: Mapping[str, float]) -> float:
        asked.append(dict(levels))
        return levels["a"] ** 2

    found = allocate(of(curve("a", [1, 2, 3])), "prune", 0.25, saved=square)
    assert found == {"a": pytest.approx(0.5, abs=1e-6)}
    assert asked


def test_only_some_layers() -> None:
    both = of(curve("a", [1, 2, 3]), curve("b", [0.1, 0.2, 0.3]))
    assert allocate(both, "prune", 0.5, layers=["a"]) == {"a": pytest.approx(0.5)}


BAD: dict[str, tuple[Kind, dict[str, Any], str]] = {
    "more than was measured": ("prune", {"share": 0.8}, "save 0.75 of the parameters, not 0.8"),
    "a layer without a curve": ("prune", {"share": 0.1, "layers": ["z"]}, "no curve of z"),
    "no curves": ("remove", {"share": 0.1}, "no curve for remove"),
    "a unit of another kind": ("prune", {"share": 0.1, "unit": "bits"}, "not bits"),
    "activations": ("activations", {"share": 0.1}, "nothing that could be parted"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(case: str) -> None:
    kind, options, message = BAD[case]
    with pytest.raises(UsageError, match=message) as caught:
        allocate(of(curve("a", [1, 2, 3])), kind, **options)
    assert caught.value.hint
