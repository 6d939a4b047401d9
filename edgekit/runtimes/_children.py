"""The parent's side of `worker`: a runtime whose model lives in one or more child processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from edgekit import errors
from edgekit.errors import EdgekitError, ModelError
from edgekit.model import TensorSpec
from edgekit.runtimes import _frames
from edgekit.runtimes.base import Arena, Row, check_row

ROW_SECONDS = 300.0
_BATCH_ROWS = 8
_BATCH_BYTES = 1 << 20


class Children:
    """A model in child processes; implements `base.Runtime`.

    Args:
        name: A runtime's name, or `litert-reference-only` (see `litert.LiteRT`), or
            `litert-tensors`, `tflite-micro-tensors`: `litert-reference` or `tflite-micro` whose
            outputs are those of every op, in the order of execution.
        model: The flatbuffer.
        workers: The most processes; not more than there are processors.
        seconds: The most that loading, or one row, may take.

    Raises:
        TargetError, ModelError: As `base.open_runtime`.
    """

    def __init__(
        self, name: str, model: bytes, workers: int = 1, *, seconds: float = ROW_SECONDS
    ) -> None:
        self.name = name
        self._start = partial(_Child, name, model, seconds)
        self._workers = max(1, min(workers, os.cpu_count() or 1))
        self._children = [self._start()]
        try:
            facts = self._children[0].ready()
        except BaseException:
            self.close()
            raise
        self.version: str = facts["version"]
        self.inputs = tuple(_spec(spec) for spec in facts["inputs"])
        self.outputs = tuple(_spec(spec) for spec in facts["outputs"])
        self.arena = Arena(**facts["arena"]) if facts["arena"] else None

    def run(self, inputs: Row) -> Row:
        """One inference; see `base.Runtime.run`."""
        check_row(inputs, self.inputs)
        self._children[0].send([inputs])
        return self._children[0].receive()[0]

    def map_rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """`run` on each row in order; each child has at most one batch under way.

        One batch a child cannot deadlock: a child reads all of it before it answers. Further
        children start when there is a second batch: a few rows are not worth another process.
        """
        idle, busy = deque(self._children), deque[_Child]()
        try:
            for batch in self._batches(rows):
                if not idle and len(self._children) < self._workers:
                    self._children.append(self._start())
                    idle.append(self._children[-1])
                elif not idle:
                    yield from self._collect(idle, busy)
                child = idle.popleft()
                busy.append(child)
                child.send(batch)
            while busy:
                yield from self._collect(idle, busy)
        except (GeneratorExit, Exception):  # not Ctrl-C: that must not wait for a slow model
            while busy:  # stopped early: old answers must not meet the next question
                busy.popleft().drain()
            raise

    def close(self) -> None:
        """End the processes; they hold nothing that needs saving."""
        for child in self._children:
            child.close()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def _collect(idle: deque[_Child], busy: deque[_Child]) -> list[Row]:
        child = busy.popleft()
        idle.append(child)
        return child.receive()

    def _batches(self, rows: Iterable[Row]) -> Iterator[list[Row]]:
        iterator = iter(rows)
        for first in iterator:
            size = sum(array.nbytes for array in first) or 1
            batch = [first, *islice(iterator, min(_BATCH_ROWS, _BATCH_BYTES // size + 1) - 1)]
            for row in batch:
                check_row(row, self.inputs)
            yield batch


class _Child:
    """One worker process; it starts to load at once and is awaited in `ready` or `receive`."""

    def __init__(self, name: str, model: bytes, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._facts: dict[str, Any] | None = None
        self._chatter = tempfile.TemporaryFile()  # noqa: SIM115  closed in `close`
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "edgekit.runtimes.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._chatter,
            # the parent's own path: edgekit and its packages are found as they were found here
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        header = {"runtime": name, "seconds": seconds}
        self._write(_frames.LOAD, _frames.pack_json(header, bytes(model)))

    def ready(self) -> dict[str, Any]:
        """What the child says of the model it loaded."""
        if self._facts is None:
            self._facts, _ = _frames.unpack_json(self._read())
        return self._facts

    def send(self, rows: list[Row]) -> None:
        self._write(_frames.ROWS, _frames.pack_rows(rows))

    def receive(self) -> list[Row]:
        self.ready()
        return _frames.unpack_rows(self._read())

    def drain(self) -> None:
        """Throw the answer away; a child that failed is found out by the next question."""
        with contextlib.suppress(EdgekitError):
            self.receive()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._to, self._from, self._chatter):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def _write(self, kind: bytes, payload: bytes) -> None:
        try:
            _frames.write(self._to, kind, payload)
        except BrokenPipeError:
            raise self._death() from None

    def _read(self) -> bytes:
        frame = _frames.read(self._from)
        if frame is None:
            raise self._death()
        kind, payload = frame
        if kind == _frames.FAILED:
            facts, _ = _frames.unpack_json(payload)
            error: type[EdgekitError] = getattr(errors, facts["kind"])
            raise error(facts["message"], facts["hint"])
        return payload

    def _death(self) -> EdgekitError:
        """The error for a child that is gone without a word on the pipe."""
        code = self._process.wait()
        if code == -signal.SIGALRM:
            return ModelError(
                f"{self._name} took longer than {self._seconds:g} s to load or for one row",
                "use a smaller model, or look for a loop that does not end",
            )
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self._chatter.seek(0)
        said = self._chatter.read().decode(errors="replace").strip().splitlines()
        return ModelError(
            f"the model brings {self._name} down ({how})" + (f": {said[-1]}" if said else ""),
            "the file is damaged, or an op has parameters that the runtime does not check: "
            "look at it with edgekit inspect, or make it again",
        )


def _spec(facts: dict[str, Any]) -> TensorSpec:
    return TensorSpec(facts["name"], tuple(facts["shape"]), facts["dtype"])
