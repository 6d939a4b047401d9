from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_tflite import small_net

from edgekit.cli import main


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "net.tflite"
    path.write_bytes(small_net())
    return path


def test_there_and_back(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", str(model)]) == 0
    packed = model.with_suffix(".eks")
    assert f"{packed.stat().st_size:,} bytes of {model.stat().st_size:,}" in capsys.readouterr().out
    again = model.with_name("again.tflite")
    assert main(["unpack", str(packed), "-o", str(again)]) == 0
    assert again.read_bytes() == model.read_bytes()


def test_json_says_the_same(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", str(model), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["packed_bytes"] == Path(found["path"]).stat().st_size
    assert found["original_bytes"] == model.stat().st_size


def test_bad_input_writes_nothing(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", str(model.with_name("none.tflite"))]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert main(["pack", str(model), "-o", str(model)]) == 2
    assert main(["pack", str(model), "-o", str(model.parent / "no" / "such" / "file")]) == 2
    assert main(["unpack", str(model)]) == 1
    assert "is no packed model" in capsys.readouterr().err
    assert main(["pack", str(model)]) == 0
    packed = model.with_suffix(".eks")
    packed.write_bytes(packed.read_bytes()[:-20])
    out = model.with_name("out.tflite")
    assert main(["unpack", str(packed), "-o", str(out)]) == 1
    assert not out.exists()
    assert [path.name for path in model.parent.iterdir() if path.name.startswith("tmp")] == []
