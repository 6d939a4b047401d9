import numpy as np

from edgekit.calibrate.histogram import Counter


def test_counting_in_pieces_equals_numpy_over_all_at_once() -> None:
    values = np.random.default_rng(0).normal(size=(10, 500)).astype(np.float32)
    counter = Counter(values.min(), values.max(), bins=64)
    for part in values:
        counter.add(part.reshape(5, 100))
    found = counter.histogram()
    wanted, edges = np.histogram(values, 64, (float(values.min()), float(values.max())))
    assert np.abs(found.counts - wanted).sum() <= 2  # a value on an edge may fall on either side
    np.testing.assert_allclose(found.edges, edges)
    assert found.counts.sum() == values.size


def test_zeros_are_kept_apart_and_the_range_holds_zero() -> None:
    counter = Counter(2.0, 4.0, bins=4)
    counter.add(np.array([0.0, 0.0, 3.5], np.float32))
    found = counter.histogram()
    assert (found.low, found.high, found.zeros) == (0.0, 4.0, 2)
    assert found.counts.tolist() == [0, 0, 0, 1]


def test_values_outside_the_range_count_at_its_ends() -> None:
    counter = Counter(-1.0, 1.0, bins=2)
    counter.add(np.array([-9.0, 9.0, 8.0], np.float32))
    assert counter.histogram().counts.tolist() == [1, 2]


def test_a_tensor_that_is_always_zero_has_an_empty_histogram() -> None:
    counter = Counter(0.0, 0.0)
    counter.add(np.zeros(7, np.float32))
    found = counter.histogram()
    assert (found.counts.sum(), found.zeros, found.width) == (0, 7, 0.0)
