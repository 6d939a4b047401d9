from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_tflite import small_net

from edgekit.cli import main


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.tflite"
    path.write_bytes(small_net())
    return path


def test_the_table_names_layers_ends_and_totals(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(net)]) == 0
    shown = capsys.readouterr().out
    for text in ("CONV_2D", "1x4x4x3", "int8/ch", "SOFTMAX", "155 parameters", "960 MACs"):
        assert text in shown
    assert "in  1x4x4x2  int8  scale 0.5  zero point -3" in shown
    assert "out  1x2  int8  scale 0.00390625  zero point -128" in shown


def test_json_alone_on_standard_output(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--json", str(net)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["parameters"], found["macs"]) == ("tflite", 155, 960)
    assert found["bytes"] == net.stat().st_size
    assert found["inputs"] == [
        {"name": "in", "shape": [1, 4, 4, 2], "dtype": "int8", "scale": 0.5, "zero_point": -3}
    ]
    conv = found["layers"][0]
    assert (conv["op"], conv["shape"], conv["bytes"]) == ("CONV_2D", [1, 4, 4, 3], 66)
    assert (conv["macs"], conv["quantization"]) == (864, "int8 per channel")


def test_content_decides_not_the_suffix(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = net.rename(net.with_suffix(".bin"))
    assert main(["inspect", "--json", str(other)]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "tflite"


def test_targets_are_listed_by_what_they_make_of_it(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(net)]) == 0
    shown = capsys.readouterr().out
    fits = next(line for line in shown.splitlines() if line.startswith("fits"))
    assert "nucleo-l4r5zi" in fits
    runs = next(line for line in shown.splitlines() if line.startswith("runs on"))
    assert "rpi4" in runs
    assert "not on      ios: TensorFlowLiteSwift 2.17 takes no int8 input: in" in shown


def test_target_that_is_asked_for_is_told_in_full_and_refuses(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(net), "-t", "nucleo-l4r5zi"]) == 0
    shown = capsys.readouterr().out
    assert "nucleo-l4r5zi (TensorFlow Lite Micro) runs it, and it fits" in shown
    assert "RAM         80 B of 655,360 B, estimated" in shown
    assert main(["inspect", str(net), "-t", "rpi4", "-t", "web"]) == 3
    printed = capsys.readouterr()
    assert "as it is is not for web" in printed.err
    assert "--set io.input=float32" in printed.err


BAD = {
    "cut short": (small_net()[:300], "net.tflite"),
    "no model": (b"hello", "no .tflite file"),
    "empty": (b"", "no .tflite file"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_files_give_one_line_and_one_hint(
    content: bytes, message: str, net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net.write_bytes(content)
    assert main(["inspect", str(net)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert [line.partition(":")[0] for line in printed.err.splitlines()] == ["error", "hint"]


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "none.tflite")]) == 1
    assert "no such file" in capsys.readouterr().err


def test_under_a_second_of_work_and_without_tensorflow(real_models: Path) -> None:
    model = real_models / "vww_mobilenetv1" / "vww_96_int8.tflite"
    code = (
        "import sys; from edgekit.cli import main; code = main(sys.argv[1:]);"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules, file=sys.stderr);"
        "sys.exit(code)"
    )
    times = []
    for _ in range(3):
        start = worked()
        done = subprocess.run(
            [sys.executable, "-c", code, "inspect", str(model)], capture_output=True, text=True
        )
        times.append(worked() - start)
        assert done.returncode == 0
        assert done.stderr.strip() == "False False"
        assert "7,489,664 MACs" in done.stdout
    assert min(times) < 1


def worked() -> float:
    """Seconds that children of this process have kept a processor busy: load does not count."""
    return os.times().children_user + os.times().children_system
