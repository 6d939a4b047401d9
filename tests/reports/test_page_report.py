"""docs/report.md: what the page says works as it is written."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from pages import blocks, environment, run


@pytest.mark.slow
def test_the_page_for_reports(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    env = environment(tmp_path)
    for block in blocks("report.md"):
        run(block.text, folder, env)
    first = (folder / "digits.html").read_bytes()
    run("edgekit report build runs --html again.html -q", folder, env)
    assert (folder / "again.html").read_bytes() == first
    assert "digits-linux-x86_64" in (folder / "comment.md").read_text()
    root = ElementTree.parse(folder / "checks.xml").getroot()
    assert root.get("failures") == "0"
    found = json.loads(run("edgekit report build runs --json", folder, env))
    assert {section["name"] for section in found["sections"]} >= {"ledger", "layers-bytes"}
