import numpy as np
import pytest
from small_nets import Net, as_model, rows_of

from edgekit.calibrate import ranges
from edgekit.calibrate.statistics import histograms
from edgekit.errors import DataError, ModelError
from edgekit.runtimes.litert import tensors

RNG = np.random.default_rng(0)
NET = Net(6).dense(RNG.normal(size=(8, 6)), None, 1).dense(RNG.normal(size=(3, 8)))
MODEL = as_model(NET.tflite())
DATA = RNG.normal(size=(40, 6)).astype(np.float32)
ROWS = rows_of(DATA)


@pytest.fixture(scope="module")
def calibrated() -> bytes:
    return ranges.calibrate(MODEL.tflite, MODEL.inputs, ROWS)


def activations() -> dict[int, np.ndarray]:
    """Every activation over all rows, by the reference kernels."""
    runs = [tensors(MODEL.tflite, row) for row in ROWS()]
    return {index: np.stack([run[index] for run in runs]) for index in runs[0]}


def test_ranges_are_the_extremes_of_every_activation(calibrated: bytes) -> None:
    found = ranges.read(calibrated)
    for index, values in activations().items():
        np.testing.assert_allclose(found[index], (values.min(), values.max()), atol=1e-5)
    np.testing.assert_allclose(found[0], (DATA.min(), DATA.max()))


def test_histograms_count_every_activation(calibrated: bytes) -> None:
    found = histograms(MODEL.tflite, ranges.read(calibrated), ROWS, bins=16)
    for index, values in activations().items():
        assert found[index].counts.sum() + found[index].zeros == values.size
        wanted, _ = np.histogram(values[values != 0], 16, (found[index].low, found[index].high))
        assert np.abs(found[index].counts - wanted).sum() <= 2


def test_replaced_ranges_are_read_back_and_hold_zero(calibrated: bytes) -> None:
    edited = ranges.replace(calibrated, {0: (1.0, 2.0), NET.last: (-3.0, -1.0)})
    found = ranges.read(edited)
    assert found[0] == (0.0, 2.0)
    assert found[NET.last] == (-3.0, 0.0)


def test_minmax_takes_the_calibrated_flatbuffer_as_it_is(calibrated: bytes) -> None:
    def never() -> None:
        raise AssertionError("min-max needs no further pass")

    assert ranges.estimate(MODEL.tflite, calibrated, never, ["minmax"])["minmax"] is calibrated


def test_activations_that_are_not_finite_are_named() -> None:
    rows = rows_of([np.full(6, 3e38)])
    with pytest.raises(ModelError, match=r"'y0' is not finite"):
        ranges.read(ranges.calibrate(MODEL.tflite, MODEL.inputs, rows))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(np.zeros((0, 6)), "no rows", id="no rows"),
        pytest.param(np.full((3, 6), np.nan), "row 0 holds NaN", id="NaN"),
        pytest.param(np.zeros((3, 5)), r"row 0 has shape \[\[1, 5\]\]", id="another shape"),
    ],
)
def test_bad_rows_are_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ranges.calibrate(MODEL.tflite, MODEL.inputs, rows_of(values))
