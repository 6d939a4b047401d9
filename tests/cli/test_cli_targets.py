"""`edgekit targets`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.cli import main
from edgekit.target.profile import profile_names


def test_list_has_every_target_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1 : len(profile_names()) + 1]] == profile_names()
    board = next(line for line in lines if line.startswith("nucleo-l4r5zi"))
    assert board.split()[1:7] == ["cortex-m4", "2", "MB", "640", "KB", "ST"]


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == profile_names()
    assert next(row for row in rows if row["name"] == "nucleo-l4r5zi") == {
        "name": "nucleo-l4r5zi",
        "title": "ST NUCLEO-L4R5ZI (STM32L4R5ZI)",
        "core": "cortex-m4",
        "flash_bytes": 2_097_152,
        "ram_bytes": 655_360,
        "runtime": "tflite-micro 2026.10",
        "quantizer": "int8",
    }


def test_show_has_the_facts_and_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "nucleo-l4r5zi"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for fact in ("1 x cortex-m4", "120 MHz", "2 MB", "640 KB", "int8, int16x8", "DS12023"):
        assert fact in text


def test_show_as_json_has_the_op_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "linux-armhf", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["runtime"]["versions"]["FULLY_CONNECTED"] == [1, 10]
    assert shown["processor"]["core"] == "armv7-a"
    assert "armv7l" in shown["sources"]["runtime"]


def test_own_target_by_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('extends = "cortex-m7"\ntitle = "Desk board"\n', encoding="utf-8")
    assert main(["targets", str(path)]) == 0
    assert "desk: Desk board" in capsys.readouterr().out


def test_unknown_target_is_one_line_and_one_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "l4r5"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: unknown target: l4r5\nhint: did you mean nucleo-l4r5zi?\n"


def test_unknown_target_like_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "zzz"]) == 2
    assert capsys.readouterr().err.endswith("hint: edgekit targets lists them\n")


def test_list_fits_eighty_columns_with_whole_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["targets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert {line.split()[0] for line in lines if line[:1].strip()} >= set(profile_names())


def test_list_imports_nothing_heavy() -> None:
    code = (
        "import sys; from edgekit.cli import main; main(['targets']);"
        "sys.exit(' '.join({'numpy', 'rich', 'tensorflow', 'ai_edge_litert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
