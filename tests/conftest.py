"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser
from digits_example import DIGITS, edgekit_in

from edgekit.harness import exclusive

REAL_MODELS = Path(__file__).resolve().parents[2] / "shared" / "real_models"


@pytest.fixture(scope="session")
def real_models() -> Path:
    """The folder of real trained models; tests that need it skip by name where it is not."""
    if not REAL_MODELS.is_dir():
        pytest.skip("real_models is not on this machine")
    return REAL_MODELS


@pytest.fixture(scope="session", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Processes that test side by side share no terminal and no device."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        patch.setattr(exclusive, "LOCKS", tmp_path_factory.mktemp("locks"))
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`build/` with the digit reader for three targets, made in one run."""
    folder = tmp_path_factory.mktemp("built")
    targets = ("--target", "rpi4", "--target", "android", "--target", "cortex-m4")
    done = edgekit_in(folder, "build", *DIGITS, *targets)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    return folder / "build"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for all tests; they skip by name where there is none."""
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()
