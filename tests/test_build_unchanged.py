"""A second build with nothing changed: nothing heavy is imported, nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from c_nets import residual_net
from digits_example import DATA

HEAVY = (
    *("numpy", "tensorflow", "keras", "tf_keras", "onnx", "onnxruntime", "ai_edge_litert", "h5py"),
    *("PIL", "edgekit.work", "edgekit.making", "edgekit.compiler.emit", "edgekit.evaluate"),
)
BUILD = """
import json, sys
from edgekit.cli import main
code = main(["build", *sys.argv[1:]])
print(json.dumps([code, sorted(sys.modules)]))
"""


def build(folder: Path, *words: str) -> tuple[str, set[str]]:
    """What was said, and the modules that were imported for it."""
    command = [sys.executable, "-c", BUILD, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    said, _, last = done.stdout.rstrip().rpartition("\n")
    code, modules = json.loads(last)
    assert code == 0, done.stderr
    return said, set(modules)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every file."""
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {str(path): (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


def test_nothing_heavy_is_imported_and_nothing_written(tmp_path: Path) -> None:
    words = [str(DATA / "digits.keras"), "-t", "cortex-m4", "-t", "rpi4", "--no-fidelity"]
    words += ["-c", f"{DATA}/digits_calibration.npz[:20]", "-o", "out"]
    build(tmp_path, *words)
    before = state(tmp_path)
    said, modules = build(tmp_path, *words)
    assert said.count("nothing changed, nothing to do") == 2
    assert not modules & set(HEAVY)
    assert state(tmp_path) == before


@pytest.mark.parametrize("option", [["--seed", "1"], ["--preprocess", "unit"]])
def test_an_option_that_changed_is_noticed(tmp_path: Path, option: list[str]) -> None:
    (tmp_path / "net.tflite").write_bytes(residual_net())
    words = ["net.tflite", "-t", "cortex-m4", "-o", "out"]
    build(tmp_path, *words)
    said, modules = build(tmp_path, *words)
    assert "nothing changed" in said
    # the file itself is read: it may be quantized already
    assert not modules & {"tensorflow", "keras", "onnx", "edgekit.work", "edgekit.compiler.emit"}
    assert "nothing changed" not in build(tmp_path, *words, *option)[0]


def test_a_file_that_was_touched_up_is_built_again(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(residual_net())
    words = ["net.tflite", "-t", "cortex-m4", "-o", "out"]
    build(tmp_path, *words)
    header = tmp_path / "out/c_project/net.h"
    text = header.read_text()
    header.write_text(text + "\n")
    assert "nothing changed" not in build(tmp_path, *words)[0]
    assert header.read_text() == text
