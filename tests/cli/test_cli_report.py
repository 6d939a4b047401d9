from __future__ import annotations

import json
from pathlib import Path

import pytest
from reports_made import write_analysis

from edgekit.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an analysis in it."""
    monkeypatch.chdir(tmp_path)
    write_analysis(tmp_path / "layers")
    return tmp_path


def test_without_an_option_the_report_is_printed(place: Path, capsys: Capture) -> None:
    assert main(["report", "layers"]) == 0
    shown = capsys.readouterr().out
    assert "Sensitivity to zero weights" in shown
    assert "\x1b[" not in shown


def test_files_are_written_and_json_stands_alone(place: Path, capsys: Capture) -> None:
    files = ["--markdown", "a.md", "--junit", "a.xml"]
    assert main(["report", "layers", *files]) == 0
    assert capsys.readouterr().out == "written: a.md\nwritten: a.xml\n"
    first = (place / "a.md").read_bytes(), (place / "a.xml").read_bytes()
    assert main(["report", "layers", "--json", *files]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["subjects"][0]["name"] == "layers"
    assert "written: a.md" in printed.err
    assert first == ((place / "a.md").read_bytes(), (place / "a.xml").read_bytes())


BAD = {
    "nothing": ([], "nothing to report on", 2),
    "no such folder": (["none"], "none: there is nothing of this name", 2),
    "unwritable": (["layers", "--markdown", "no/a.md"], "no/a.md cannot be written", 2),
}


@pytest.mark.parametrize(("words", "message", "code"), BAD.values(), ids=BAD.keys())
def test_bad_input_gives_one_line_and_one_hint(
    words: list[str], message: str, code: int, place: Path, capsys: Capture
) -> None:
    assert main(["report", "-q", *words]) == code
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in said] == ["error", "hint"]
    assert message in said[0]
