"""A microcontroller that is simulated: MLPerf Tiny's protocol on a pseudo-terminal, in Python.

Written from the protocol's description, apart from edgekit's firmware and host. It computes the
toy of `toy_project` and misbehaves when told to, a number of times, when a command comes.
"""

from __future__ import annotations

import contextlib
import os
import pty
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from toy_project import reference

Compute = Callable[[bytes], bytes]


def toy(content: bytes) -> bytes:
    """The toy's network."""
    row = [byte - 256 if byte > 127 else byte for byte in content]
    return bytes(value & 255 for value in reference(row))


@dataclass
class VirtualMcu:
    """A board behind `link`, a file that points to its pseudo-terminal; a context manager.

    Attributes:
        link: Path that a test gives as port.
        model: What `profile` answers.
        compute: Input to output, as bytes.
        scale: Of the outputs.
        zero_point: Of the outputs.
        ours: Whether it knows `out`.
        room: Bytes of its buffer.
        energy: Whether its timestamps move a pin and print nothing.
        inference_s: How long one takes.
        clock_rate: Of its microseconds against this machine's.
        us: Its clock at the start.
        faults: Command -> what it does instead of, or before, answering, one entry each time.
    """

    link: Path
    model: str
    compute: Compute = toy
    scale: float = 0.125
    zero_point: int = -3
    ours: bool = True
    room: int = 1 << 16
    energy: bool = False
    inference_s: float = 0.001
    clock_rate: float = 1.0
    us: int = 1_000_000
    faults: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.heard: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._plug_in()

    def __enter__(self) -> VirtualMcu:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._unplug()

    def _plug_in(self) -> None:
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.set_blocking(self._ours, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(theirs))
        self._theirs = theirs  # held, so that the line lives while nobody has it open
        self._buffer, self._expected, self._output = b"", 0, b""
        self._began = time.monotonic()

    def _unplug(self) -> None:
        self.link.unlink(missing_ok=True)
        for end in (self._ours, self._theirs):
            with contextlib.suppress(OSError):
                os.close(end)
        self._ours = self._theirs = -1

    def _live(self) -> None:
        text = ""
        while not self._stop.is_set():
            try:
                more = os.read(self._ours, 4096).decode("ascii", "replace")
            except BlockingIOError:
                time.sleep(0.0005)
                continue
            text += more
            while "%" in text:
                command, _, text = text.partition("%")
                self._hear(command)

    def _hear(self, command: str) -> None:
        self.heard.append(command)
        called = " ".join(
            command.split()[: 2 if command.startswith(("db load", "db print")) else 1]
        )
        waiting = self.faults.get(called, [])
        fault = waiting.pop(0) if waiting else ""
        if fault:
            kind, _, rest = fault.partition(":")
            if getattr(self, f"_do_{kind}")(rest):
                return
        self._answer(command.split())
        self._say("m-ready")

    def _do_garbage(self, _: str) -> bool:
        """Noise between the lines, then the answer."""
        self._write(b"\x00\xff\xfe%%noise\xc3\r\n\x80half ")
        self._write(b"\r\n")
        return False

    def _do_cut(self, _: str) -> bool:
        """Half a line, whose rest is lost together with the end of the reply."""
        self._write(b"m-na")
        self._write(b"\r\nm-ready\r\n")
        return True

    def _do_silence(self, _: str) -> bool:
        """The command is lost."""
        return True

    def _do_hang(self, _: str) -> bool:
        """Nothing more, ever."""
        self._stop.wait()
        return True

    def _do_reboot(self, _: str) -> bool:
        """Memory is lost; the greeting comes instead of an answer."""
        self._say("m-warmup-start-0")
        self._buffer, self._began = b"", time.monotonic()
        self._boot()
        return True

    def _do_vanish(self, seconds: str) -> bool:
        """Pulled out; plugged in again after a while if a time is given."""
        self._unplug()
        if not seconds:
            self._stop.wait()
        time.sleep(float(seconds or 0))
        self._plug_in()
        return True

    def _do_flip(self, _: str) -> bool:
        """One bit of the input is lost on the line."""
        if self._buffer:
            self._buffer = bytes([self._buffer[0] ^ 64]) + self._buffer[1:]
        return False

    def _do_jump(self, us: str) -> bool:
        """Its clock is set while it computes what is timed."""
        self._jump = int(us)
        return False

    def _do_slow(self, factor: str) -> bool:
        """From now on an inference takes so many times as long."""
        self.inference_s *= float(factor)
        return False

    def _do_drift(self, _: str) -> bool:
        """From now on it computes something else."""
        right = self.compute
        self.compute = lambda content: bytes(byte ^ 16 for byte in right(content))
        return False

    def _do_babble(self, _: str) -> bool:
        """Noise without an end."""
        while not self._stop.is_set():
            self._write(b"\x55" * 1000)
        return True

    def _do_log(self, _: str) -> bool:
        """It hangs, and yet a line comes now and then."""
        while not self._stop.wait(0.1):
            self._say("still here")
        return True

    _jump = 0

    def _boot(self) -> None:
        self._say("m-timestamp-mode-performance")
        self._stamp()
        self._say("m-init-done")
        self._say("m-ready")

    def _answer(self, words: list[str]) -> None:
        answers = {
            "name": lambda: self._say("m-name-dut-[virtual]"),
            "profile": self._profile,
            "timestamp": self._stamp,
            "db": lambda: self._db(words[1:]),
            "infer": lambda: self._infer(int(words[1]), int(words[2])),
            "results": self._results,
        }
        if self.ours:
            answers["out"] = lambda: self._say(f"m-out-[{self._output.hex()}]")
        unknown = lambda: self._say(f"e-[Unknown command: {words[0]}]")  # noqa: E731
        answers.get(words[0], unknown)()

    def _profile(self) -> None:
        self._say("m-profile-[virtual 1]")
        self._say(f"m-model-[{self.model}]")

    def _db(self, words: list[str]) -> None:
        if words[0] == "load" and int(words[1]) > self.room:
            self._say(f"Supplied buffer size {words[1]} exceeds maximum of {self.room}")
        elif words[0] == "load":
            self._expected, self._buffer = int(words[1]), b""
            self._say(f"m-[Expecting {words[1]} bytes]")
        elif words[0] == "print":
            for start in range(0, len(self._buffer), 8):
                self._say(f"m-buffer-{self._buffer[start : start + 8].hex('-')}")
        elif set(words[0]) - set("0123456789abcdef"):
            self._say(f"e-[Invalid hex digit '{words[0][:2]}']")
        else:
            self._buffer += bytes.fromhex(words[0])
            if len(self._buffer) >= self._expected:
                self._say("m-load-done")

    def _infer(self, count: int, warmups: int) -> None:
        if not self._buffer:
            self._say("e-[0 bytes of the input are there]")
            return
        self._say(f"m-warmup-start-{warmups}")
        self._work(warmups)
        self._say("m-warmup-done")
        self._say(f"m-infer-start-{count}")
        self._stamp()
        self._work(count)
        self.us, self._jump = self.us + self._jump, 0
        self._output = self.compute(self._buffer)
        self._stamp()
        self._say("m-infer-done")
        self._results()

    def _work(self, count: int) -> None:
        until = time.monotonic() + count * self.inference_s
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            time.sleep(min(left, 0.05))

    def _stamp(self) -> None:
        if not self.energy:
            elapsed = round((time.monotonic() - self._began) * 1e6 * self.clock_rate)
            self._say(f"m-lap-us-{(self.us + elapsed) % 2**32}")

    def _results(self) -> None:
        stored = [byte - 256 if byte > 127 else byte for byte in self._output]
        values = [self.scale * (value - self.zero_point) for value in stored]
        self._say(f"m-results-[{','.join(f'{value:0.3f}' for value in values)}]")

    def _say(self, text: str) -> None:
        self._write(f"{text}\r\n".encode())

    def _write(self, content: bytes) -> None:
        while content and not self._stop.is_set():
            try:
                content = content[os.write(self._ours, content) :]
            except BlockingIOError:
                time.sleep(0.001)
