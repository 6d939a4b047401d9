"""Tables and paragraphs in terminals of all widths, and in pipes."""

from __future__ import annotations

import pytest

from edgekit.cli._table import item, table

ROWS = [("first", "a long name of many words", 1234), ("second", None, 5)]
COLUMNS = ("key", "text", "count")
WIDE = """\
key     text                       count
first   a long name of many words  1,234
second  -                              5
"""
FOLDED = """\
key     text          count
first   a long name   1,234
        of many
        words
second  -                 5
"""
CUT = """\
key     text          count
first   a long na...  1,234
second  -                 5
"""


@pytest.mark.parametrize(
    ("columns", "cut", "expected"),
    [("0", False, WIDE), ("80", False, WIDE), ("27", False, FOLDED), ("27", True, CUT)],
    ids=["pipe", "wide terminal", "narrow: folded", "narrow: cut"],
)
def test_table(
    columns: str,
    cut: bool,
    expected: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    table("", COLUMNS, ROWS, give=1, cut=cut)
    assert capsys.readouterr().out == expected


def test_without_heads_and_without_rows(capsys: pytest.CaptureFixture[str]) -> None:
    table("facts", ("", ""), [("core", "cortex-m4")])
    table("", COLUMNS, [])
    assert capsys.readouterr().out == "facts\ncore  cortex-m4\nkey  text  count\n"


def test_item_is_folded_under_its_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    item("warning", "one two three four five /a/path-with-hyphens")
    item("", "six")
    assert capsys.readouterr().out.splitlines() == [
        "warning     one two three four",
        "            five",
        "            /a/path-with-hyphens",
        "            six",
    ]
