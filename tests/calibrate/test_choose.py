import numpy as np
import pytest
from small_nets import Net, as_model, outlier_net, rows_of, wild_depthwise

from edgekit.calibrate.choose import split
from edgekit.calibrate.interpret import Interpreter
from edgekit.evaluate.layers import layer_table
from edgekit.quantizers.base import QuantizeOptions, load


def agreement(reference: bytes, built: bytes, values: np.ndarray) -> float:
    """Share of rows on which both have the same largest output."""
    one, other = Interpreter(reference), Interpreter(built)
    rows = list(rows_of(values)())
    return float(np.mean([one.run(r)[0].argmax() == other.run(r)[0].argmax() for r in rows]))


@pytest.fixture(scope="module")
def outliers() -> dict[str, tuple[float, dict]]:
    """Top-1 agreement of each estimator on a net with one outlier."""
    net, values = outlier_net()
    model = as_model(net.tflite())
    found = {}
    for name in ("minmax", "percentile", "auto"):
        result = load("int8").quantize(
            model, rows_of(values[:100]), QuantizeOptions(estimator=name)
        )
        found[name] = (agreement(model.tflite, result.tflite, values[100:]), result)
    return found


def test_an_outlier_ruins_minmax(outliers: dict) -> None:
    assert outliers["minmax"][0] < 0.8


@pytest.mark.parametrize("name", ["percentile", "auto"])
def test_clipping_the_outlier_restores_agreement(outliers: dict, name: str) -> None:
    assert outliers[name][0] > 0.93


def test_mse_and_entropy_give_up_less_of_the_range_and_help_less(outliers: dict) -> None:
    told = outliers["auto"][1].effects["estimator"]["sqnr_db"]
    assert told["minmax"] + 3 < told["mse"] < told["percentile"]
    assert told["minmax"] + 3 < told["entropy"] < told["percentile"]  # keeps 256 of 2048 bins


def test_auto_says_what_it_tried_and_chose(outliers: dict) -> None:
    result = outliers["auto"][1]
    told = result.effects["estimator"]
    assert result.estimator == told["chosen"] != "minmax"
    assert set(told["sqnr_db"]) >= {"minmax", "percentile", "mse", "entropy"}
    assert {"equalise", "bias_correct"} <= set(result.effects)


def test_minmax_wins_ties() -> None:
    rng = np.random.default_rng(0)
    model = as_model(Net(4).dense(np.eye(4)).tflite())
    rows = rows_of(rng.choice([-1.0, 1.0], size=(50, 4)))
    result = load("int8").quantize(
        model, rows, QuantizeOptions(estimator="auto", equalise="off", bias_correct="off")
    )
    assert result.estimator == "minmax"
    assert set(result.effects) == {"estimator"}


def test_one_row_in_five_is_held_out_and_the_two_parts_are_disjoint() -> None:
    fit, held, problems = split(rows_of(np.arange(23)[:, None]))
    kept, judged = ([float(row[0][0, 0]) for row in part()] for part in (fit, held))
    assert judged == [4, 9, 14, 19]
    assert sorted(kept + judged) == list(range(23))
    assert problems == ()


def test_with_few_rows_all_serve_for_both_and_that_is_said() -> None:
    fit, held, problems = split(rows_of(np.arange(3)[:, None]))
    assert len(list(fit())) == len(list(held())) == 3
    assert [problem.severity for problem in problems] == ["warning"]


def test_layers_are_compared_with_the_equalised_model() -> None:
    """Equalisation rescales what lies between: the original's tensors would blame every layer."""
    model = as_model(wild_depthwise().tflite())
    shape = model.inputs[0].shape[1:]
    values = np.random.default_rng(1).normal(size=(40, *shape))
    options = QuantizeOptions(equalise="on", bias_correct="off")
    result = load("int8").quantize(model, rows_of(values), options)
    assert result.effects["equalise"]["applied"]
    assert result.reference not in (None, model.tflite)
    rows = list(rows_of(values[:8])())
    worst = [
        min(layer.sqnr_db for layer in layer_table(reference, result.tflite, rows))
        for reference in (result.reference, model.tflite)
    ]
    assert worst[0] > worst[1] + 10
