"""docs/apps: what the pages for microcontrollers and Linux boards say works as it is written."""

from __future__ import annotations

import shutil
import site
from pathlib import Path

import pytest
from pages import blocks, environment, missing, run

pytestmark = pytest.mark.slow
BOARD = "on the board"


@pytest.mark.essential
def test_the_page_for_microcontrollers(tmp_path: Path) -> None:
    if why := missing("cmake", "make", "gcc", "arm-none-eabi-gcc", "qemu-system-arm"):
        pytest.skip(why)
    folder = tmp_path / "app"
    folder.mkdir()
    env = environment(tmp_path)
    said = []
    for block in blocks("apps/microcontrollers.md"):
        if block.title:
            (folder / block.title).write_text(block.text)
        elif block.language == "sh":
            said.append(run(block.text, folder, env))
    assert "digits: every output of 8 golden vectors is as it must be" in said[1]
    names = (folder / "names.txt").read_text().split()
    name, percent, sign = said[2].splitlines()[-1].split()
    assert name.rstrip(":") in names
    assert 0 < int(percent) <= 100
    assert sign == "%"
    assert (folder / "installed/lib/cmake/digits/digitsConfig.cmake").is_file()
    assert "Building C object" not in run("cmake --build out", folder, env)


@pytest.mark.essential
def test_the_page_for_raspberry_pi_with_this_machine_as_the_board(tmp_path: Path) -> None:
    """A wheel for any machine; what it depends on is here already, and no index is asked."""
    if why := missing("cmake", "gcc"):
        pytest.skip(why)
    folder, board = tmp_path / "app", tmp_path / "board"
    folder.mkdir()
    board.mkdir()
    env = environment(tmp_path)
    there = environment(tmp_path, PIP_NO_DEPS="1", PIP_NO_INDEX="1")
    there["PYTHONPATH"] = site.getsitepackages()[0]
    said = []
    for block in blocks("apps/raspberry_pi.md"):
        if block.language == "sh" and block.title == BOARD:
            said.append(run(block.text, board, there))
        elif block.title:
            (board / block.title).write_text(block.text)
        elif block.language == "sh":
            run(block.text, folder, env)
        elif block.text.startswith("scp "):
            for wheel in folder.glob("build/digits/python/*.whl"):
                shutil.copy(wheel, board)
    assert "self test passed" in said[0]
    names = (folder / "names.txt").read_text().split()
    assert said[1].split()[0] in names
    assert all(line.split()[1] in names for line in said[2].splitlines()[:5])
    assert '"labels": ["zero", "one"' in said[2]
