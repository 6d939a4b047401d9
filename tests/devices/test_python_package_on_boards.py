"""The package for pip on boards: installed into a real Arm userland, and run there by qemu-user."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from arm_board import AARCH64, ARMHF, ArmBoard, Kind
from c_nets import residual_net

import edgekit

MakeBoard = Callable[[Kind], ArmBoard]
CODE = (
    "import json, numpy, reader\\n"
    "row = numpy.load('/row.npy')\\n"
    "print(json.dumps([reader.preprocess(row).tolist(), reader.predict(row).tolist(),"
    " str(reader.self_test()), reader.SHA256]))\\n"
).replace("\\n", "\n")


def on(board: ArmBoard, *words: str) -> str:
    """What a command says on the board, over its own sshd."""
    ssh = ["ssh", "-F", str(board.config), "board"]
    done = subprocess.run(
        [*ssh, " ".join(words)], capture_output=True, text=True, timeout=180, input=None
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "target"),
    [
        pytest.param(AARCH64, "rpi4", marks=pytest.mark.essential),
        pytest.param(ARMHF, "linux-armhf"),
    ],
    ids=["Raspberry Pi 4", "32 bit"],
)
def test_the_installed_package_predicts_and_tests_itself_on_the_board(
    make_board: MakeBoard, kind: Kind, target: str, tmp_path: Path
) -> None:
    board = make_board(kind)
    (tmp_path / "reader.tflite").write_bytes(residual_net())
    build = edgekit.build(
        tmp_path / "reader.tflite", target=target, preprocess="unit", output=tmp_path / "out"
    )
    (wheel,) = (build.folder / "python").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    command = [*pip, "--target", str(board.root / "opt/model"), str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    row = np.random.default_rng(4).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    np.save(board.root / "row.npy", row)
    (board.root / "use.py").write_text(CODE)
    modules = "PYTHONPATH=/opt/model:/opt/site"
    assert on(board, "uname", "-m").strip() == kind.triple
    said = on(board, modules, "python3", "-m", "reader", "--self-test")
    assert "self test passed" in said
    stored, scores, difference, digest = json.loads(
        on(board, modules, "python3", "/use.py").splitlines()[-1]
    )
    here = subprocess.run(
        [sys.executable, "-c", CODE.replace("/row.npy", str(board.root / "row.npy"))],
        cwd=board.root / "opt/model",
        capture_output=True,
        text=True,
        check=True,
    )
    ours = json.loads(here.stdout.splitlines()[-1])
    assert (stored, digest, difference) == (ours[0], ours[3], "None")
    (tolerance,) = build.manifest["golden"]["tolerance"]
    (output,) = build.manifest["quantization"]["outputs"]
    assert np.abs(np.subtract(scores, ours[1])).max() <= tolerance * output["scale"]
