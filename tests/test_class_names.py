from __future__ import annotations

from pathlib import Path

import pytest
from made_tflite import small_net

from edgekit.class_names import check_names, read_names
from edgekit.errors import DataError
from edgekit.graph.read import read

OUTPUTS = read(small_net()).output_tensors()
SCORES = OUTPUTS[0].shape[-1]


def test_a_line_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("\ufeffcat\nhot dog \nKüche\n\n", encoding="utf-8")
    assert read_names(path) == ("cat", "hot dog", "Küche")


@pytest.mark.parametrize("content", [b"", b"\n", b"cat\n\ndog\n", b"\xff\xfe"])
def test_what_names_nothing_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_names(path)
    assert str(path) in refused.value.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_names(tmp_path / "labels.txt")


def test_names_are_one_a_score() -> None:
    check_names(tuple(map(str, range(SCORES))), OUTPUTS, "labels.txt")
    with pytest.raises(DataError) as refused:
        check_names(("one",) * (SCORES + 1), OUTPUTS, "labels.txt")
    assert f"{SCORES + 1} names" in refused.value.message
    assert f"write {SCORES} names" in refused.value.hint
