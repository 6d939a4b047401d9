"""What a search leaves alone, and what it leaves to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import UsageError
from edgekit.project import from_mapping
from edgekit.search.api import _remove, search_one


def test_builds_of_trials_that_still_run_are_not_removed(tmp_path: Path) -> None:
    for name in ("0000", "0001", "0002", "10000", ".0003.x.new", "notes"):
        (tmp_path / name).mkdir()
    _remove(tmp_path, {0, 2, 3, 10_000})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".0003.x.new", "0001", "notes"]
    _remove(tmp_path / "nowhere", {0})


def test_number_formats_are_not_chosen_twice() -> None:
    tables = {"model": {"path": "m.keras"}, "build": {"targets": ["rpi4"]}}
    project = from_mapping({**tables, "quantize": {"scheme": "auto"}}, "test")
    with pytest.raises(UsageError, match="a search chooses number formats itself") as caught:
        search_one(project)
    assert "[search.space]" in caught.value.hint
