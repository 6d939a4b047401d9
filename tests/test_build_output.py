"""Where a build goes: killed, crowded, full, forbidden."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from digits_example import DATA, DIGITS, contents, edgekit_in

import edgekit
from edgekit.errors import OutputError


def test_model_is_not_overwritten_by_its_own_build(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built / "digits-rpi4", folder)
    before = contents(folder)
    with pytest.raises(OutputError, match=r"model\.tflite is the model itself"):
        edgekit.build(folder / "model.tflite", target="cortex-m4", output=folder)
    assert contents(folder) == before


def test_killed_build_leaves_the_last_good_one(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    shutil.copytree(built / "digits-rpi4", folder)
    before = contents(folder)
    command = [sys.executable, "-m", "edgekit", "build", *DIGITS, "-t", "rpi4", "--force"]
    for seconds in (0.5, 3.0, 5.0):
        with subprocess.Popen(
            [*command, "-o", str(folder)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as child:
            time.sleep(seconds)
            child.send_signal(signal.SIGKILL)
        assert {key: contents(folder)[key] for key in before if key != "manifest.json"} == {
            key: value for key, value in before.items() if key != "manifest.json"
        }
        assert edgekit_in(tmp_path, "verify", "b", "--no-rebuild").returncode == 0


def test_two_builds_at_once_into_one_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgekit", "build", *DIGITS, "-t", "rpi4", "-o", "b"]
    children = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    errors = [child.communicate()[1].decode() for child in children]
    assert [child.returncode for child in children] == [0, 0], errors
    assert sum("waiting for another build" in error for error in errors) <= 1
    assert edgekit_in(tmp_path, "verify", "b", "--no-rebuild").returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["b"]


def _no_space() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_disk_full_leaves_the_last_good_build(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    shutil.copytree(built / "digits-rpi4", folder)
    before = contents(folder)
    done = subprocess.run(
        [sys.executable, "-m", "edgekit", "build", *DIGITS, "-t", "rpi4", "--force", "-o", "b"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=_no_space,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().splitlines()[-2].startswith("error: no space left")
    assert contents(folder) == before
    assert os.listdir(tmp_path) == ["b"]


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file"):
        edgekit.build(
            DATA / "digits.keras",
            target="rpi4",
            calibration=f"{DATA}/digits_calibration.npz",
            output=tmp_path / "file" / "b",
            fidelity=False,
        )
