"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

REAL_MODELS = Path(__file__).resolve().parents[2] / "shared" / "real_models"


@pytest.fixture(scope="session")
def real_models() -> Path:
    """The folder of real trained models; tests that need it skip by name where it is not."""
    if not REAL_MODELS.is_dir():
        pytest.skip("real_models is not on this machine")
    return REAL_MODELS
