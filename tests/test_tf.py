"""What TensorFlow's C++ writes while it is imported."""

from __future__ import annotations

import os

import pytest

from edgekit._tf import held_stderr


def write_and_raise(stop: type[BaseException]) -> None:
    with held_stderr():
        os.write(2, b"a log\n")
        raise stop


@pytest.mark.parametrize(
    ("stop", "shown"),
    [(ImportError, "a log\n"), (KeyboardInterrupt, "")],
    ids=["failure: the log explains it", "interrupt: nobody asks for the log"],
)
def test_the_log_is_given_back_on_failure(
    stop: type[BaseException], shown: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(stop):
        write_and_raise(stop)
    assert capfd.readouterr().err == shown


def test_success_is_silent_unless_asked(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for verbose, shown in (("", ""), ("1", "a log\n")):
        monkeypatch.setenv("EDGEKIT_VERBOSE", verbose)
        with held_stderr():
            os.write(2, b"a log\n")
        assert capfd.readouterr().err == shown
