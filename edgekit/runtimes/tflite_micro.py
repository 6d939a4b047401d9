"""TensorFlow Lite for Microcontrollers, as the `tflite-micro` wheel; only ever in a worker.

Its numbers are those of the firmware, bit for bit, with reference and CMSIS-NN kernels. Its C++
reports trouble on standard error and may abort, so `base.open_runtime` gives it a child process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from edgekit.errors import ModelError, TargetError
from edgekit.model import TensorSpec
from edgekit.runtimes.base import Arena, Row, check_row, runtime_version

# Untouched pages of an arena cost nothing, so a generous first guess beats TFLM's own
# (ten times the file), which is too small for small nets with large activations.
_ARENAS = (64 << 20, 1 << 30)
_ARENA = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_MEMORY = re.compile(r"missing: \d+|[Ff]ailed to allocate memory")
_MISSING = re.compile(r"Didn't find op for builtin opcode '(\w+)'|from op code (\S+)")
_NODE = re.compile(r"Node (\S+) \(number (\d+)\) failed to \w+ with status \d+")
_SOURCE = re.compile(r"^\s*\S+\.(?:cc|h)(?::\d+)?:?\s+")
_GENERAL = re.compile(r"^(Failed to get registration|Failed starting model|Failed to initialize)")


class TFLiteMicro:
    """A model in tflite-micro's interpreter: an engine for the worker.

    Args:
        model: The flatbuffer.
        chatter: Returns and forgets what was written to standard error since the last call.
        everything: `run` returns the outputs of every op of the main subgraph, in order.

    Raises:
        TargetError: tflite-micro cannot run the model; names the op and says why.
        ModelError: The file is broken.
    """

    name = "tflite-micro"

    def __init__(
        self, model: bytes, chatter: Callable[[], str], *, everything: bool = False
    ) -> None:
        self.version = runtime_version(self.name)
        self._chatter = chatter
        self._interpreter = _load(model, chatter, everything)
        self._kept = _op_outputs(model) if everything else None
        self.inputs = _specs(self._interpreter.get_input_details, "input")
        self.outputs = _specs(self._interpreter.get_output_details, "output")
        self.arena = None if everything else self._arena()

    def _arena(self) -> Arena:
        self._chatter()
        self._interpreter.print_allocations()
        return Arena(**{key: int(value) for key, value in _ARENA.findall(self._chatter())})

    def run(self, inputs: Row) -> Row:
        """One inference; see `base.Runtime.run`."""
        check_row(inputs, self.inputs)
        self._interpreter.reset()
        for index, array in enumerate(inputs):
            self._interpreter.set_input(array, index)
        try:
            self._interpreter.invoke()
        except RuntimeError:
            raise _explain(self._chatter()) from None
        if self._kept is not None:
            kept = (self._interpreter.GetTensor(index, 0) for index in self._kept)
            return tuple(np.array(tensor["tensor_data"]) for tensor in kept)
        return tuple(self._interpreter.get_output(index) for index in range(len(self.outputs)))


def _op_outputs(model: bytes) -> list[int]:
    from edgekit.graph.read import read

    return [index for op in read(model).ops for index in op.outputs if index >= 0]


def _load(model: bytes, chatter: Callable[[], str], everything: bool) -> Any:
    from tflite_micro import runtime

    configs = runtime.InterpreterConfig
    config = configs.kPreserveAllTensors if everything else configs.kAllocationRecording
    for size in _ARENAS:
        chatter()
        try:
            return runtime.Interpreter.from_bytes(
                bytes(model), arena_size=size, intrepreter_config=config
            )
        except RuntimeError:
            text = chatter()
            if not _MEMORY.search(text):
                raise _explain(_named(text, model)) from None
        except Exception:  # its schema reader walks the file without checks: anything may come
            raise ModelError(
                "tflite-micro cannot read the model: it is damaged or not a .tflite",
                "make the file again",
            ) from None
    raise TargetError(
        f"the model needs a tensor arena of more than {_ARENAS[-1] >> 20} MiB",
        "use a smaller input or fewer channels: no microcontroller has that much memory",
    )


def _named(text: str, model: bytes) -> str:
    """Put the names of the model's custom ops where tflite-micro says CUSTOM."""
    if "from op code CUSTOM" not in text:
        return text
    from edgekit.graph.read import read  # here: every worker would pay for it at its start

    customs = sorted({op.name for op in read(model).ops if op.custom})
    return text.replace("from op code CUSTOM", f"from op code {'/'.join(customs)}")


def _explain(text: str) -> TargetError:
    """The error for what tflite-micro wrote to standard error."""
    if found := _MISSING.search(text):
        return TargetError(
            f"tflite-micro has no op {found[1] or found[2]}",
            "replace the op in the model, or choose a target that runs LiteRT",
        )
    node = _NODE.search(text)
    where = f"op {node[2]} ({node[1]}): " if node else ""
    reasons = [_SOURCE.sub("", line).strip() for line in text.splitlines()]
    reasons = [r for r in reasons if r and not _NODE.search(r) and not _GENERAL.search(r)]
    reason = reasons[0] if reasons else "it gives no reason"
    hint = "replace the op in the source model, or choose a target that runs LiteRT"
    if "ybrid" in reason:
        hint = "int8 weights with float activations run on LiteRT only: choose --quantize int8"
    return TargetError(f"tflite-micro cannot run the model: {where}{reason}", hint)


def _specs(details: Callable[[int], dict[str, Any]], kind: str) -> tuple[TensorSpec, ...]:
    specs: list[TensorSpec] = []
    while True:
        try:
            detail = details(len(specs))
        except IndexError:  # the wrapper has no count
            return tuple(specs)
        shape = tuple(int(size) for size in detail["shape"])
        specs.append(TensorSpec(f"{kind} {len(specs)}", shape, np.dtype(detail["dtype"]).name))
