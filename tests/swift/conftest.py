"""A Swift toolchain for the tests that compile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from toolchain import Toolchain


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolchain]:
    """Unpacked once, about a minute and a half."""
    found = Toolchain(tmp_path_factory.mktemp("swift") / "root")
    yield found
    found.close()
