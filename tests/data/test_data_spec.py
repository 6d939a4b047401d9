from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.data.spec import parse
from edgekit.errors import DataError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("kws.npz", "a:b.npz", "a", "odd[0:2]", "rows[1].csv", "x.csv:,y"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "photos [old]").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "path", "array", "labels", "start", "stop"),
    [
        pytest.param("kws.npz", "kws.npz", "", "", None, None, id="a path alone"),
        pytest.param("kws.npz:x", "kws.npz", "x", "", None, None, id="an array"),
        pytest.param("kws.npz:x,y[100:]", "kws.npz", "x", "y", 100, None, id="labels, open end"),
        pytest.param("kws.npz:x_int8[:100]", "kws.npz", "x_int8", "", None, 100, id="open start"),
        pytest.param("kws.npz:,y", "kws.npz", "", "y", None, None, id="labels alone"),
        pytest.param("kws.npz[-5:-1]", "kws.npz", "", "", -5, -1, id="negative rows"),
        pytest.param("kws.npz[:]", "kws.npz", "", "", None, None, id="all rows"),
        pytest.param("kws.npz [ 1 : 3 ]", "kws.npz", "", "", 1, 3, id="spaces"),
        pytest.param("a:b.npz:x", "a:b.npz", "x", "", None, None, id="the longest path wins"),
        pytest.param("a:b.npz", "a:b.npz", "", "", None, None, id="a colon in the path"),
        pytest.param("a:x", "a", "x", "", None, None, id="the shorter path when it is the only"),
        pytest.param("odd[0:2]", "odd[0:2]", "", "", None, None, id="a range in the file's name"),
        pytest.param("odd[0:2][1:]", "odd[0:2]", "", "", 1, None, id="and a range behind it"),
        pytest.param("rows[1].csv[:9]", "rows[1].csv", "", "", None, 9, id="brackets in the name"),
        pytest.param("photos [old]", "photos [old]", "", "", None, None, id="a folder, brackets"),
        pytest.param("photos [old][3:]", "photos [old]", "", "", 3, None, id="and a range of it"),
        pytest.param("x.csv:,y", "x.csv:,y", "", "", None, None, id="a file named like a spec"),
    ],
)
def test_parse(
    folder: Path, text: str, path: str, array: str, labels: str, start: int | None, stop: int | None
) -> None:
    spec = parse(text, folder)
    assert (spec.path, spec.array, spec.labels) == (folder / path, array, labels)
    assert (spec.start, spec.stop) == (start, stop)


def test_python_entry_point(folder: Path) -> None:
    spec = parse("python:pkg.loader:rows[2:4]", folder)
    assert (spec.module, spec.function, spec.path) == ("pkg.loader", "rows", folder)
    assert (spec.start, spec.stop) == (2, 4)


@pytest.mark.parametrize(
    ("text", "kind", "message", "hint"),
    [
        pytest.param(
            "kwz.npz:x", DataError, "no such file or folder: kwz.npz", "did you mean", id="file"
        ),
        pytest.param("nowhere/k.npz", DataError, "no such file", "not there either", id="folder"),
        pytest.param("kws.npz[5]", UsageError, "[5] is no range", "kws.npz[0:100]", id="one row"),
        pytest.param("kws.npz[::2]", UsageError, "[::2] is no range", "[0:100]", id="a step"),
        pytest.param("kws.npz[a:b]", UsageError, "[a:b] is no range", "[0:100]", id="text rows"),
        pytest.param("kws.npz[+:3]", UsageError, "no range", "[0:100]", id="a sign alone"),
        pytest.param(
            "kws.npz:x,y,z", UsageError, "more than an array", "PATH:array,labels", id="3"
        ),
        pytest.param(
            "kws.npz:x,", UsageError, "ends in a comma", "leave the comma out", id="comma"
        ),
        pytest.param(
            "python:loader",
            UsageError,
            "no Python entry point",
            "python:module:function",
            id="entry",
        ),
        pytest.param(" ", UsageError, "empty DATA", "images/", id="empty"),
        pytest.param("nul\0.npz", DataError, "no such file", "", id="a NUL in the name"),
        pytest.param("x" * 5000, DataError, "no such file", "", id="far too long a name"),
    ],
)
def test_bad_specs(folder: Path, text: str, kind: type[Exception], message: str, hint: str) -> None:
    with pytest.raises(kind) as error:
        parse(text, folder)
    assert message in str(error.value)
    assert hint in error.value.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a[:3]", range(3)),
        ("a[-3:]", range(7, 10)),
        ("a[2:-2]", range(2, 8)),
        ("a[5:99]", range(5, 10)),
        ("a", range(10)),
    ],
)
def test_rows(folder: Path, text: str, rows: range) -> None:
    assert parse(text, folder).rows(10) == rows


@pytest.mark.parametrize("text", ["a[10:]", "a[5:5]", "a[:-10]"])
def test_a_range_without_rows_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(DataError, match="selects none of the 10 rows"):
        parse(text, folder).rows(10)
