"""LiteRT behind pipes: the model, then inputs; each with its length (big-endian) before it."""

from __future__ import annotations

import struct
import sys
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def _taken() -> bytes | None:
    head = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(*struct.unpack(">i", head)) if len(head) == 4 else None


def _set(interpreter: Any, detail: Any, content: bytes) -> None:
    values = np.frombuffer(content, detail["dtype"]).reshape(detail["shape"])
    interpreter.set_tensor(detail["index"], values)


def main() -> None:
    interpreter = Interpreter(model_content=_taken())
    interpreter.allocate_tensors()
    inputs = interpreter.get_input_details()
    while True:
        for detail in inputs:
            content = _taken()
            if content is None:
                return
            _set(interpreter, detail, content)
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            content = interpreter.get_tensor(detail["index"]).tobytes()
            sys.stdout.buffer.write(struct.pack(">i", len(content)) + content)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
