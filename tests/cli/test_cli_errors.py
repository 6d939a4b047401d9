"""Errors and interrupts as the terminal shows them; every command alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgekit.cli import group, main

ROOT = Path(__file__).resolve().parents[2]

WRONG = {
    "an unknown option": (["build", "--targt", "x"], "no such option: --targt"),
    "a number out of range": (["build", "--samples", "0"], "invalid value for '--samples'"),
    "an option without its value": (["build", "--samples"], "option '--samples' requires"),
    "an argument too many": (["doctor", "x"], "got unexpected extra argument (x)"),
    "an argument too few": (["verify"], "missing argument 'BUILD'"),
    "an unknown command": (["buld"], "no such command: buld"),
}


@pytest.mark.parametrize(("argv", "message"), WRONG.values(), ids=WRONG.keys())
def test_usage_errors_look_like_our_own(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {message}")
    assert hint.startswith(("hint: did you mean ", f"hint: see: edgekit {argv[0]} --help"))
    assert not (error + hint).endswith(".")
    assert "Did you mean" not in error


def test_paths_are_shown_as_they_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build", "none.keras", "-t", "rpi4"]) == 1
    assert capsys.readouterr().err.startswith("error: no such file: none.keras\n")


def test_a_name_that_the_terminal_cannot_show_is_no_bug(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "edgekit", "init", "模型.keras"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u6a21\u578b.keras" in done.stdout


@pytest.mark.parametrize("name", group.list_commands(click.Context(group)))
def test_every_command_has_the_common_options(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "-v", "-q", "--debug"} <= options
