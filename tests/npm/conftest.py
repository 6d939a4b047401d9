"""Real models as npm packages in an app, on a server of this machine, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import served
from npm_app import App, make_app


@pytest.fixture(scope="session")
def app(real_models: Path, tmp_path_factory: pytest.TempPathFactory) -> App:
    """Three packages and LiteRT.js."""
    return make_app(real_models, tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="session")
def address(app: App) -> Iterator[str]:
    """Where the app is served."""
    with served(app.folder) as found:
        yield found
