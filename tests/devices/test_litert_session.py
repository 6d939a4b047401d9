"""What a worker may do wrong: fake workers, since a real one does not."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgekit.devices._litert import lines, session
from edgekit.devices._litert.lines import parse
from edgekit.devices._litert.place import Place
from edgekit.devices._litert.session import Session
from edgekit.errors import DeviceError, MissingExtra

READY = '{"event": "ready", "schema": 1, "model_sha256": "x"}'
PONG = '{"event": "pong", "t_ns": 5}'


class FakePlace(Place):
    """Runs a line of Python instead of a worker."""

    name = "fake"

    def __init__(self, code: str) -> None:
        self._code = code
        self.ended = 0

    def command(self, arguments: Sequence[str], seconds: float) -> list[str]:
        return [sys.executable, "-c", self._code]

    def end(self) -> None:
        self.ended += 1

    def open(self) -> None: ...

    def put(self, path: Path) -> str:
        return str(path)

    def scratch(self, name: str) -> str:
        return name

    def take(self, path: str) -> bytes:
        return b""

    def close(self) -> None: ...


def fake_worker(*said: str, then: str = "input()") -> FakePlace:
    """Prints lines, waits for a word, does something."""
    body = "".join(f"print({line!r}, flush=True);" for line in said)
    return FakePlace(f"import sys, time, os;{body}{then}")


def test_fake_worker_whose_log_is_mixed_with_its_words_is_understood() -> None:
    noise = ["INFO: delegate", '{"event": 3}', "[1]", '{"other": 1}', "\x00\xff{", "{half"]
    place = fake_worker(*noise, READY, *noise, PONG)
    with Session(place, [], 5) as worker:
        assert worker.ready["model_sha256"] == "x"
        assert worker.ask("ping", "pong")["t_ns"] == 5
    assert place.ended == 0


def test_fake_worker_that_dies_is_named_with_its_last_words() -> None:
    place = fake_worker(READY, then="input(); print('oh no', file=sys.stderr); os._exit(7)")
    with (
        Session(place, [], 5) as worker,
        pytest.raises(DeviceError, match=r"fake: .*\(exit code 7: oh no\)"),
    ):
        worker.ask("ping", "pong")
    assert place.ended == 1


def test_fake_worker_that_ends_in_half_a_line() -> None:
    half = 'input(); sys.stdout.write(\'{"event": "po\'); sys.stdout.flush(); os._exit(3)'
    with (
        Session(fake_worker(READY, then=half), [], 5) as worker,
        pytest.raises(DeviceError, match=r'exit code 3: {"event": "po'),
    ):
        worker.ask("ping", "pong")


def test_fake_worker_that_goes_silent_is_ended() -> None:
    place = fake_worker(READY, "loading", then="time.sleep(60)")
    began = time.monotonic()
    with (
        Session(place, [], 5) as worker,
        pytest.raises(DeviceError, match=r"hangs, waiting for 'pong'; it said last: loading"),
    ):
        worker.ask("ping", "pong", seconds=0.3)
    assert place.ended == 1
    assert time.monotonic() - began < 5


def test_fake_worker_that_never_gets_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "START_S", 0.3)
    place = fake_worker(then="time.sleep(60)")
    with pytest.raises(DeviceError, match="hangs, waiting for 'ready'"):
        Session(place, [], 5)
    assert place.ended == 1


def test_fake_worker_of_another_schema_is_refused() -> None:
    with pytest.raises(DeviceError, match="speaks schema 2, this edgekit 1"):
        Session(fake_worker(READY.replace("1", "2", 1)), [], 5)


def test_fake_worker_without_an_end_of_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    place = fake_worker(then="sys.stdout.write('x' * 5000); sys.stdout.flush(); time.sleep(60)")
    with pytest.raises(DeviceError, match="without an end of line"):
        Session(place, [], 5)


@pytest.mark.parametrize(
    ("kind", "error", "hint"),
    [
        ("missing", MissingExtra, "install ai-edge-litert"),
        ("memory", DeviceError, "smaller model"),
    ],
)
def test_fake_worker_that_says_what_is_wrong(kind: str, error: type[Exception], hint: str) -> None:
    said = f'{{"event": "error", "kind": "{kind}", "what": "something"}}'
    with pytest.raises(error, match="fake: something") as caught:
        Session(fake_worker(said), [], 5)
    assert hint in str(caught.value.hint)  # type: ignore[attr-defined]


def test_program_that_cannot_be_started() -> None:
    place = FakePlace("")
    place.command = lambda arguments, seconds: ["/nowhere/python"]  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match="/nowhere/python cannot be started"):
        Session(place, [], 5)


@pytest.mark.parametrize("line", [b"", b"null", b"{}", b'{"event": null}', b"\xff", b'{"event"'])
def test_line_that_is_no_event(line: bytes) -> None:
    assert parse(line) is None
