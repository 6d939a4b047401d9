"""Live progress, on a pseudo terminal."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from edgekit.cli._progress import LiveProgress, PlainProgress, make_progress
from edgekit.progress import Progress


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, fail: bool) -> str:
    """What a terminal gets while descriptor 2 is silenced, as it is during a conversion."""
    controller, terminal = pty.openpty()
    silenced = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        progress = make_progress(0)
        assert isinstance(progress, LiveProgress)
        os.dup2(silenced, terminal)
        try:
            progress.step("importing [net]")
            progress.step("quantizing")
            progress.advance(3, 7)
            progress.note("loss 0.5")
            if fail:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            progress.close()
        else:
            progress.close()
    os.close(silenced)
    text = b""
    while chunk := _read(controller):
        text += chunk
    os.close(controller)
    return text.decode()


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # Linux says so once the other end is closed
        return b""


def test_steps_are_seen_while_the_process_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    text = on_a_terminal(monkeypatch, fail=False)
    assert "importing [net]" in text
    assert "quantizing 3/7 loss 0.5" in text
    assert text.count("✓") == 2
    assert "✗" not in text


def test_the_step_that_failed_is_not_ticked(monkeypatch: pytest.MonkeyPatch) -> None:
    text = on_a_terminal(monkeypatch, fail=True)
    assert (text.count("✓"), text.count("✗")) == (1, 1)
    assert text.index("✗") > text.index("✓")


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    progress = make_progress(0)
    assert isinstance(progress, PlainProgress)
    progress.step("importing")
    assert capsys.readouterr().err == "· importing\n"


def test_quiet_shows_nothing() -> None:
    assert type(make_progress(-1)) is Progress


def test_a_note_stands_behind_the_count_until_the_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgekit.cli._progress.NOTED_EVERY", 0.0)
    progress = make_progress(0)
    progress.step("fine-tuning")
    progress.advance(3, 7)
    progress.note("loss 0.5, 2 s left")
    progress.step("measuring")
    progress.note("soon done")
    lines = ["· fine-tuning", "  3/7 loss 0.5, 2 s left", "· measuring", "  soon done"]
    assert capsys.readouterr().err.splitlines() == lines


def test_a_log_is_not_flooded_with_notes(capsys: pytest.CaptureFixture[str]) -> None:
    progress = make_progress(0)
    progress.step("fine-tuning")
    progress.note("loss 0.5")
    assert capsys.readouterr().err == "· fine-tuning\n"
