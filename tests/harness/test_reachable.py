"""edgekit doctor and the lab: what answers, what does not, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli import main
from edgekit.harness.lab import Entry, Lab
from edgekit.harness.reachable import check_lab


def test_each_name_is_tried() -> None:
    lab = Lab(
        {"here": Entry("host"), "away": Entry("ssh", {"host": "no.such.host.invalid"})},
        {"old": Entry("replay", {"path": "/no/such/trace.csv"})},
    )
    here, away, old = check_lab(lab)
    assert (here.name, here.state, here.wanted, here.hint) == ("here", "ok", "host", "")
    assert (away.name, away.state, away.wanted) == ("away", "broken", "ssh")
    assert "no.such.host.invalid" in away.hint
    assert old.state == "broken"


def test_doctor_has_a_section_for_the_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text('[devices.mine]\ndriver = "host"')
    assert main(["doctor", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["lab"]
    assert (found["name"], found["state"]) == ("mine", "ok")
