from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hand_made import T, dense, dense_int8, flatbuffer

from edgekit.errors import DataError, ModelError
from edgekit.evaluate.fidelity import measure
from edgekit.runtimes.base import Row

EYE = np.eye(4)
SWAP = np.eye(4)[[1, 0, 2, 3]]


def noise(count: int, scale: float = 1.0, width: int = 4) -> list[Row]:
    draw = np.random.default_rng(0)
    return [(draw.normal(0, scale, (1, width)).astype(np.float32),) for _ in range(count)]


def test_identical_models_agree_and_have_the_capped_sqnr() -> None:
    found = measure(dense([EYE]), dense([EYE]), noise(20), "litert")
    assert (found.samples, found.sqnr_db, found.worst) == (20, 200.0, (0, 200.0))
    assert found.runtime.startswith("ai-edge-litert 2.")


def test_a_class_vector_that_differs_on_some_rows_gives_their_share() -> None:
    wider = np.vstack([EYE, 0 * EYE[:1]])  # five classes, so no reconstruction of the input
    other = wider[[1, 0, 2, 3, 4]]
    rows: list[Row] = [(row[None].astype(np.float32),) for row in np.repeat(EYE, 2, axis=0)]
    found = measure(dense([wider]), dense([other]), rows, "litert")
    assert found.top1_agreement == 50.0


@pytest.mark.parametrize(
    ("weights", "agreement"),
    [
        pytest.param(EYE, None, id="an output of the input's shape is a reconstruction"),
        pytest.param(EYE[:1], None, id="a single output is no class vector"),
        pytest.param(EYE[:2], 100.0, id="two outputs are"),
    ],
)
def test_agreement_only_where_there_is_a_class_vector(
    weights: np.ndarray, agreement: float | None
) -> None:
    assert measure(dense([weights]), dense([weights]), noise(3), "litert").top1_agreement == (
        agreement
    )


def test_sqnr_of_uniform_quantization_is_what_theory_says() -> None:
    """A step s on a signal of power 1 adds noise of power s^2 / 12."""
    step = 0.05
    built = dense_int8([EYE], [step, step], [1 / 127])
    found = measure(dense([EYE]), built, noise(500), "tflite-micro", 500)
    assert found.sqnr_db == pytest.approx(-10 * np.log10(step**2 / 12), abs=0.3)


def test_the_worst_row_is_named() -> None:
    rows = noise(12)
    rows[7] = (np.full((1, 4), 100, np.float32),)  # far beyond the range of int8
    found = measure(dense([EYE]), dense_int8([EYE], [0.05, 0.05]), rows, "litert")
    assert found.worst[0] == 7
    assert found.worst[1] < 1


def test_no_more_rows_than_the_limit_are_used() -> None:
    assert measure(dense([EYE]), dense([EYE]), noise(30), "litert", 10).samples == 10


def test_all_outputs_count_and_class_vectors_among_them_are_judged() -> None:
    weights = [EYE[:3], np.eye(3)[:2]]
    built = dense([EYE[:3], np.eye(3)[[1, 0]]], outputs=(0, 1))
    found = measure(dense(weights, outputs=(0, 1)), built, noise(50), "litert")
    assert found.top1_agreement is not None
    assert found.top1_agreement < 10  # the first output agrees, the second is swapped
    assert found.sqnr_db < 10


def test_a_function_can_be_the_reference() -> None:
    found = measure(lambda row: (row[0] @ SWAP,), dense([SWAP]), noise(9), "litert")
    assert found.sqnr_db > 100
    assert found.layers == ()
    again = measure(
        lambda row: (row[0],), dense([EYE]), noise(9), "litert", float_model=dense([EYE])
    )
    assert [layer.op for layer in again.layers] == ["INPUT", "FULLY_CONNECTED"]


@pytest.mark.parametrize(
    ("reference", "rows", "error", "said"),
    [
        pytest.param(dense([EYE]), [], DataError, "no rows", id="no rows"),
        pytest.param(dense([EYE[:2]]), noise(2), ModelError, "values", id="other output size"),
        pytest.param(dense([EYE]), noise(2, width=5), DataError, r"\[1, 5\]", id="wrong shape"),
        pytest.param(
            dense([np.full((4, 4), np.inf)]), noise(2), ModelError, "float model is NaN", id="NaN"
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    reference: bytes, rows: list[Row], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        measure(reference, dense([EYE]), rows, "litert")


OUTLIER = [(row[0] * np.array([1, 1, 1, 300], np.float32),) for row in noise(8)]


@pytest.mark.parametrize(
    ("weights", "built", "rows", "whys"),
    [
        pytest.param(
            [EYE, EYE],
            dense_int8([EYE, EYE], [0.03, 0.004, 0.03]),
            noise(8),
            [None, "saturation", "accumulated"],
            id="a range too small saturates, and the next layer inherits",
        ),
        pytest.param(
            [EYE, EYE],
            dense_int8([EYE, EYE], [0.03, 0.8, 0.03]),
            noise(8),
            [None, "range", "accumulated"],
            id="a range too wide has steps too coarse",
        ),
        pytest.param(
            [EYE, EYE],
            dense_int8([EYE, EYE], [8.0, 8.0, 8.0]),
            OUTLIER,
            ["outlier channel", "accumulated", "accumulated"],
            id="one loud channel leaves no steps for the others",
        ),
        pytest.param(
            [np.random.default_rng(1).normal(size=(4, 4)), EYE],
            dense_int8(
                [np.random.default_rng(1).normal(size=(4, 4)), EYE],
                [0.03, 0.05, 0.05],
                [0.9, 1 / 127],
            ),
            noise(8),
            [None, "weights", "accumulated"],
            id="weights too coarse",
        ),
        pytest.param(
            [EYE, EYE],
            dense_int8([EYE, EYE], [0.02, 0.02, 0.02]),
            noise(8),
            [None, None, None],
            id="nothing to say of a good build",
        ),
    ],
)
def test_the_layer_table_says_what_hurts(
    weights: list[np.ndarray], built: bytes, rows: list[Row], whys: list[str | None]
) -> None:
    found = measure(dense(weights), built, rows, "tflite-micro")
    assert [layer.why for layer in found.layers] == whys
    assert [bool(layer.detail) for layer in found.layers] == [why is not None for why in whys]


def test_the_saturated_share_and_range_are_given() -> None:
    built = dense_int8([EYE], [0.03, 0.004])
    layer = measure(dense([EYE]), built, noise(8), "litert").layers[1]
    assert "lie beyond -0.512..0.508" in layer.detail


def test_a_built_model_of_other_layers_gets_the_rows_that_correspond() -> None:
    built = dense_int8([EYE, EYE[:2]], [0.03, 0.03, 0.03])
    found = measure(dense([EYE[:2]]), built, noise(4), "litert")
    assert [layer.shape for layer in found.layers] == [(1, 4), (1, 2)]


def test_everything_is_json() -> None:
    found = measure(dense([EYE]), dense_int8([EYE], [0.8, 0.004]), noise(4), "litert")
    text = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(text)["layers"][1]["why"] == "saturation"
    assert set(json.loads(text)["worst"]) == {"row", "sqnr_db"}


def test_models_with_two_inputs_are_fed_in_order() -> None:
    from hand_made import O

    model = flatbuffer(
        [T("a", (1, 4)), T("b", (1, 4)), T("y", (1, 4))],
        [O("SUB", (0, 1), (2,), ("SubOptions", {}))],
        (0, 1),
        (2,),
    )
    rows: list[Row] = [(a[0], 2 * a[0]) for a in noise(5)]
    found = measure(lambda row: (row[0] - row[1],), model, rows, "tflite-micro")
    assert found.sqnr_db == 200.0


@pytest.fixture(scope="module")
def resnet(real_models: Path) -> tuple[bytes, bytes, list[Row]]:
    folder = real_models / "ic_resnet8"
    with np.load(folder / "cifar10_test_0_499.npz") as data:
        rows: list[Row] = [(image[None].astype(np.float32),) for image in data["x"][:60]]
    return (
        (folder / "pretrainedResnet_float.tflite").read_bytes(),
        (folder / "pretrainedResnet_int8.tflite").read_bytes(),
        rows,
    )


def test_resnet8_int8_is_close_to_float(resnet: tuple[bytes, bytes, list[Row]]) -> None:
    reference, built, rows = resnet
    found = measure(reference, built, rows, "tflite-micro")
    assert found.samples == 60
    assert found.top1_agreement is not None
    assert found.top1_agreement > 95
    assert 20 < found.sqnr_db < 30
    assert found.runtime.startswith("tflite-micro ")
    assert [layer.index for layer in found.layers] == list(range(-1, 16))
    assert all(layer.why is None for layer in found.layers)


def test_the_wrong_preprocessing_shows_in_the_first_line(
    resnet: tuple[bytes, bytes, list[Row]],
) -> None:
    reference, built, rows = resnet
    unit: list[Row] = [(row[0] / 255,) for row in rows[:8]]
    layers = measure(reference, built, unit, "litert").layers
    assert (layers[0].op, layers[0].why) == ("INPUT", "range")
    assert layers[-1].why == "accumulated"


def test_a_saturated_layer_of_a_real_model_is_found(real_models: Path) -> None:
    """MLPerf Tiny's own int8 VWW clips the last pointwise layers, as its ranges show."""
    folder = real_models / "vww_mobilenetv1"
    with np.load(folder / "vww96_coco_train2017_113.npz") as data:
        rows: list[Row] = [(image[None].astype(np.float32) / 255,) for image in data["x"][:8]]
    models = [(folder / f"vww_96_{kind}.tflite").read_bytes() for kind in ("float", "int8")]
    layers = measure(models[0], models[1], rows, "litert").layers
    assert [layer.index for layer in layers if layer.why == "saturation"] == [22, 25, 26]
