"""The child process that runs a model: `python -m edgekit.runtimes.worker`.

An interpreter written in C++ may abort on a bad model; here that ends the child, not the user's
process. Frames come on standard input and go to what was standard output; all chatter goes to
standard error, which the parent has made a file. The child ends when its input does, or when one
row takes longer than the parent allows (SIGALRM), so it cannot outlive the parent.
Imports no TensorFlow.
"""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from typing import IO, Any

from edgekit.errors import EdgekitError, ModelError
from edgekit.runtimes import _frames


def main() -> None:
    """Serve one model until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    requests, replies = _take_pipes()
    frame = _frames.read(requests)
    if frame is None:
        return
    try:
        header, model = _frames.unpack_json(frame[1])
        limit = float(header["seconds"])
        signal.setitimer(signal.ITIMER_REAL, limit)
        engine = _engine(header["runtime"], model)
        _frames.write(replies, _frames.READY, _frames.pack_json(_describe(engine)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        while (frame := _frames.read(requests)) is not None:
            _frames.write(replies, *_answer(engine, frame[1], limit))
            _chatter()
    except BrokenPipeError:
        os._exit(0)
    except EdgekitError as error:
        _frames.write(replies, _frames.FAILED, _failure(error))


def _answer(engine: Any, payload: bytes, limit: float) -> tuple[bytes, bytes]:
    try:
        outputs = []
        for row in _frames.unpack_rows(payload):
            signal.setitimer(signal.ITIMER_REAL, limit)
            outputs.append(engine.run(row))
        signal.setitimer(signal.ITIMER_REAL, 0)
        return _frames.ROWS, _frames.pack_rows(outputs)
    except EdgekitError as error:
        return _frames.FAILED, _failure(error)
    except Exception as error:
        text = f"the runtime failed: {type(error).__name__}: {error}"
        return _frames.FAILED, _failure(ModelError(text, "look at the model: edgekit inspect"))


def _failure(error: EdgekitError) -> bytes:
    kind = type(error).__name__
    return _frames.pack_json({"kind": kind, "message": error.message, "hint": error.hint})


def _engine(name: str, model: bytes) -> Any:
    if name in ("tflite-micro", "tflite-micro-tensors"):
        from edgekit.runtimes.tflite_micro import TFLiteMicro

        return TFLiteMicro(model, _chatter, everything=name != "tflite-micro")
    from edgekit.runtimes.litert import LiteRT

    if name == "litert-tensors":
        return LiteRT(model, "litert-reference", everything=True)
    return LiteRT(model, name)


def _describe(engine: Any) -> dict[str, Any]:
    return {
        "version": engine.version,
        "inputs": [asdict(spec) for spec in engine.inputs],
        "outputs": [asdict(spec) for spec in engine.outputs],
        "arena": asdict(engine.arena) if engine.arena else None,
    }


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The protocol's streams, after standard output was made one with standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return requests, replies


def _chatter() -> str:
    """Take what was written to standard error, a file, so that it does not grow."""
    size = os.fstat(2).st_size
    text = os.pread(2, size, 0).decode(errors="replace")
    os.ftruncate(2, 0)
    os.lseek(2, 0, os.SEEK_SET)
    return text


if __name__ == "__main__":
    main()
