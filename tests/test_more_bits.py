from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hand_made import dense, dense_int8

from edgekit.evaluate.budget import Verdict
from edgekit.evaluate.fidelity import Fidelity
from edgekit.evaluate.layers import Layer
from edgekit.ladder import Attempt, Change, Judged
from edgekit.more_bits import MoreBits
from edgekit.plan import Plan, Step
from edgekit.sensitivities.rank import Cost
from edgekit.target.op_table import OpTable, load_op_table

LAYERS = [np.eye(2)] * 4
FLOAT, INT8 = dense(LAYERS), dense_int8(LAYERS, [1.0] * 5)
MICRO, LITERT = load_op_table("tflite-micro-2026.10"), load_op_table("litert-2.3")
NO_INT16 = replace(MICRO, types={"FULLY_CONNECTED": ("float32", "int8")})
NO_FLOAT = replace(MICRO, types={"FULLY_CONNECTED": ("int8", "int16")})
INT8_ONLY = replace(MICRO, types={"FULLY_CONNECTED": ("int8",)})
QAT = Step("compress", "quantize_aware")


def layer(index: int, db: float, why: Any = "range") -> Layer:
    return Layer(index, "FULLY_CONNECTED", f"y{index}", (1, 2), db, 60.0, why, "because")


def judged(*layers: Layer) -> Judged:
    fidelity = Fidelity(10, None, 5.0, (0, 5.0), layers, "litert")
    return Judged(Verdict("broken"), fidelity, INT8, FLOAT)


def attempt(*passes: Step, samples: int = 100, **options: Any) -> Attempt:
    return Attempt(Plan("t", (*passes, Step("quantize", "int8", options))), samples)


def kept(rung: MoreBits, given: Attempt, result: Judged) -> tuple[Any, Any]:
    """Which layers get 16 bits, and which are float."""
    change = rung.change(given, result)
    assert isinstance(change, Change), change
    options = change.attempt.plan.quantize.options
    return options["keep_int16"], options["keep_float"]


WORST_TWO = judged(layer(0, 15), layer(1, 5), layer(2, 10, "outlier channel"))


@pytest.mark.parametrize("runtime", [MICRO, LITERT], ids=["tflite-micro", "litert"])
@pytest.mark.parametrize(("count", "names"), [(1, ("y1",)), (2, ("y1", "y2"))])
def test_the_worst_layers_get_16_bits(runtime: OpTable, count: int, names: tuple[str, ...]) -> None:
    assert kept(MoreBits(count, runtime), attempt(), WORST_TWO) == (names, ())


def test_an_analysis_says_which_layers_are_worst() -> None:
    costs = {"y2": Cost(0.5, 0.1), "y0": Cost(0.1, 0.3), "y1": Cost(0.2), "y3": Cost()}
    assert kept(MoreBits(1, MICRO, costs=costs), attempt(), WORST_TWO) == (("y2",), ())
    # 16x8 mends no weights
    assert kept(MoreBits(2, MICRO, costs=costs), attempt(), WORST_TWO) == (("y2",), ("y0",))
    found = kept(MoreBits(8, MICRO, costs=costs), attempt(), WORST_TWO)
    assert found == (("y2", "y1"), ("y0",))
    # the table of layers has no say, nor has a layer that is not in the model
    silent = judged(layer(2, 60, None), layer(0, 60, None))
    assert kept(MoreBits(1, MICRO, costs={"z": Cost(9.0), **costs}), attempt(), silent)[0] == (
        "y2",
    )


def test_where_the_target_has_no_16_bit_kernel_they_are_float() -> None:
    assert kept(MoreBits(1, NO_INT16), attempt(), WORST_TWO) == ((), ("y1",))


def test_bad_weights_are_not_mended_by_wide_activations() -> None:
    assert kept(MoreBits(1, MICRO), attempt(), judged(layer(1, 5, "weights"))) == ((), ("y1",))


def test_what_has_16_bits_and_is_still_to_blame_becomes_float() -> None:
    given = attempt(keep_int16=("y1",))
    assert kept(MoreBits(1, MICRO), given, WORST_TWO) == (("y1",), ("y1",))


def test_what_more_layers_get_is_added_to_what_is_kept() -> None:
    given = attempt(keep_int16=("y1",), keep_float=("y1",))
    assert kept(MoreBits(1, MICRO), given, WORST_TWO) == (("y1", "y2"), ("y1",))


@pytest.mark.parametrize(
    ("given", "available", "found"),
    [
        pytest.param(attempt(), 500, None, id="more samples may show the range"),
        pytest.param(attempt(), 100, ((), ("y1",)), id="there are no more samples"),
        pytest.param(attempt(QAT), 500, ((), ("y1",)), id="the range was learned"),
        pytest.param(
            attempt(estimator="auto"), 500, (("y1",), ()), id="an estimator may have cut it"
        ),
    ],
)
def test_saturation_lacks_range_before_it_lacks_bits(
    given: Attempt, available: int, found: Any
) -> None:
    rung, result = MoreBits(1, MICRO, available), judged(layer(1, 5, "saturation"))
    if found is None:
        assert isinstance(rung.change(given, result), str)
    else:
        assert kept(rung, given, result) == found


@pytest.mark.parametrize(
    ("rung", "given", "result", "says"),
    [
        (MoreBits(1, INT8_ONLY), attempt(), WORST_TWO, "no layer is to blame"),
        (MoreBits(1, NO_FLOAT), attempt(keep_int16=("y1",)), judged(layer(1, 5)), "no layer"),
        (MoreBits(1, MICRO), attempt(), judged(layer(3, 5)), "no layer is to blame"),
        (MoreBits(1, MICRO), attempt(), judged(), "no table of layers"),
        (
            MoreBits(1, MICRO),
            Attempt(Plan("t", (Step("quantize", "int16x8"),)), 100),
            WORST_TWO,
            "for int8 builds",
        ),
    ],
    ids=[
        "the target runs int8 only",
        "it has 16 bits already",
        "it is the int8 output",
        "nothing was measured",
        "another number format",
    ],
)
def test_what_does_not_apply_says_why(
    rung: MoreBits, given: Attempt, result: Judged, says: str
) -> None:
    found = rung.change(given, result)
    assert isinstance(found, str)
    assert says in found


def test_the_change_names_layers_and_formats() -> None:
    result = judged(layer(0, 5), layer(1, 8, "weights"))
    change = MoreBits(2, MICRO).change(attempt(), result)
    assert isinstance(change, Change)
    assert change.what == "y0 as 16x8, y1 as float"
