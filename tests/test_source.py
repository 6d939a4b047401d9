"""What a model is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgekit.errors import UsageError
from edgekit.project import from_mapping
from edgekit.source import Source


def source(root: Path, file: str, name: str = "") -> Source:
    (root / file).write_bytes(b"")
    return Source(from_mapping({"model": {"path": file, "name": name}}, "test"), root)


def test_it_has_the_name_of_its_file_or_of_the_project(tmp_path: Path) -> None:
    assert source(tmp_path, "my.own net.keras").name == "my.own net"
    assert source(tmp_path, "my.own net.keras", "größe 1").name == "größe 1"


@pytest.mark.parametrize("name", ["a/b", "..", ".", "a\0b", "\\", " a"])
def test_a_name_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a folder"):
        _ = source(tmp_path, "net.keras", name).name


def test_a_file_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not UTF-8") as caught:
        _ = source(tmp_path, os.fsdecode(b"net\xff.keras")).name
    assert str(caught.value).isascii()
