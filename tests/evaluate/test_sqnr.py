from __future__ import annotations

import numpy as np
import pytest

from edgekit.evaluate.sqnr import EXACT_DB, Sqnr

ONE = np.ones(10, np.float32)


@pytest.mark.parametrize(
    ("built", "decibels"),
    [
        pytest.param(0.9 * ONE, 20.0, id="a tenth of the amplitude is 20 dB"),
        pytest.param(0 * ONE, 0.0, id="noise as loud as the signal is 0 dB"),
        pytest.param(11 * ONE, -20.0, id="ten times the amplitude is -20 dB"),
        pytest.param(ONE, EXACT_DB, id="identical is the cap, not infinity"),
    ],
)
def test_known_ratios(built: np.ndarray, decibels: float) -> None:
    assert Sqnr().add((ONE,), (built,)).db == pytest.approx(decibels, abs=1e-5)


def test_noise_on_silence_is_the_negative_cap() -> None:
    assert Sqnr().add((0 * ONE,), (ONE,)).db == -EXACT_DB


def test_energies_of_rows_and_outputs_add_up() -> None:
    whole = Sqnr().add((ONE, 3 * ONE), (0.9 * ONE, 3.3 * ONE))
    parts = Sqnr().add((ONE,), (0.9 * ONE,)) + Sqnr().add((3 * ONE,), (3.3 * ONE,))
    assert whole.db == pytest.approx(parts.db)
    assert whole.signal == pytest.approx(100)
    assert whole.noise == pytest.approx(1.0, rel=1e-5)
