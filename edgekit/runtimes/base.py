"""The contract of a runtime: what executes a flatbuffer on this machine, and how to get one.

To add a runtime, write an engine (a class like `litert.LiteRT`, with `inputs`, `outputs`,
`version`, `arena` and `run`), name it in `RUNTIMES` and in `worker.ENGINES`.
Engines compute rows independently: state of the model (LSTM, resource variables) is reset before
each row, so results do not depend on the order or on how many workers share the rows.
"""

from __future__ import annotations

import difflib
import importlib.util
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgekit.affine import dequantise, quantise
from edgekit.errors import DISTRIBUTION, DataError, MissingExtra, UsageError
from edgekit.model import TensorSpec
from edgekit.problem import Problem

if TYPE_CHECKING:
    from types import TracebackType

    from edgekit.graph.graph import Graph, Tensor

Row = tuple[np.ndarray, ...]

RUNTIMES = {
    "litert": "LiteRT with its default kernels (XNNPACK), one thread: Linux, Android, web, iOS",
    "litert-reference": "LiteRT with its reference kernels, one thread",
    "tflite-micro": "TensorFlow Lite for Microcontrollers: bit-exact with Cortex-M firmware",
}
_LITERT = "ai-edge-litert"
_PACKAGES = {"tflite-micro": "tflite-micro"}
_STAND_IN = "litert-reference"


@dataclass(frozen=True)
class Arena:
    """Tensor arena of tflite-micro on this 64-bit host, in bytes.

    Attributes:
        total: `head` + `tail`.
        head: The tensor plan; the same on a microcontroller.
        tail: Persistent structures; larger here than on a 32-bit core.
    """

    total: int
    head: int
    tail: int


class Runtime(Protocol):
    """A loaded model; a context manager.

    Attributes:
        name: A key of `RUNTIMES`.
        version: Package and version, e.g. `ai-edge-litert 2.3.0`.
        inputs: Shape and dtype of each input, batch 1; names where the runtime knows them.
        outputs: The same of each output.
        arena: What tflite-micro needs, else None.
    """

    name: str
    version: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    arena: Arena | None

    def run(self, inputs: Row) -> Row:
        """One inference on arrays of exactly the model's input dtypes and shapes.

        Raises:
            DataError: The arrays do not have the model's shapes and dtypes.
            ModelError: The model fails on them, or brings the runtime down.
            TargetError: tflite-micro fails on them, where LiteRT may not.
        """
        ...

    def map_rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """`run` on each row, lazily, in order and in constant memory."""
        ...

    def close(self) -> None:
        """Free the model; ends the processes of an isolated runtime."""
        ...

    def __enter__(self) -> Runtime: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_runtime(name: str, model: bytes, *, isolated: bool = False, workers: int = 1) -> Runtime:
    """Load a flatbuffer.

    Args:
        name: A key of `RUNTIMES`.
        model: The flatbuffer.
        isolated: Run LiteRT in a child process, too: for flatbuffers from a user's file, which
            may crash an interpreter. tflite-micro is always isolated.
        workers: How many child processes share the rows of `map_rows`; more than one isolates.

    Raises:
        UsageError: There is no such runtime.
        MissingExtra: Its package is not installed or has no wheel for this machine.
        TargetError: The runtime cannot run the model: an op, a type, a scheme; it is named.
        ModelError: The file is broken, or it crashes the runtime.
    """
    _require(name)
    if name == "tflite-micro" or isolated or workers > 1:
        from edgekit.runtimes._children import Children

        return Children(name, model, workers)
    from edgekit.runtimes.litert import LiteRT

    return LiteRT(model, name)


def map_rows(name: str, model: bytes, rows: Iterable[Row], workers: int = 2) -> Iterator[Row]:
    """Outputs of `model` on each row, in order, computed by `workers` child processes."""
    with open_runtime(name, model, isolated=True, workers=workers) as runtime:
        yield from runtime.map_rows(rows)


def evaluation_runtime(wanted: str) -> tuple[str, Problem | None]:
    """The runtime to evaluate with on this machine: `wanted`, or what stands in for it.

    Raises:
        UsageError: There is no such runtime.
    """
    _known(wanted)
    if wanted != "tflite-micro" or _installed("tflite_micro"):
        return wanted, None
    return _STAND_IN, Problem(
        "warning",
        "fidelity",
        f"tflite-micro is not available on {_machine()}: LiteRT's reference kernels stand in, "
        "which differ from the firmware by at most a few steps of int8",
        f"evaluate on Linux x86-64 with pip install '{DISTRIBUTION}' for the firmware's numbers",
    )


def runtime_version(name: str) -> str:
    """Package and version behind a runtime, e.g. `ai-edge-litert 2.3.0`.

    Raises:
        UsageError: There is no such runtime.
        MissingExtra: Its package is not installed or has no wheel for this machine.
    """
    _require(name)
    package = _PACKAGES.get(name, _LITERT)
    return f"{package} {version(package)}"


def run_float(runtime: Runtime, graph: Graph, rows: Iterable[Row]) -> Iterator[Row]:
    """Run float32 rows: quantise to the model's input dtypes, dequantise its outputs.

    Args:
        runtime: With the model of `graph` in it.
        graph: For scales and zero points of inputs and outputs.
        rows: One float32 array `[1, ...]` for each input.

    Yields:
        One float32 array for each output, row by row, in order and in constant memory.

    Raises:
        DataError: A row does not have the model's shapes.
        ModelError: The model fails on a row.
    """
    entries = [graph.tensors[index] for index in graph.inputs]
    exits = [graph.tensors[index] for index in graph.outputs]
    for outputs in runtime.map_rows(_to_model(row, entries) for row in rows):
        yield tuple(dequantise(value, tensor) for value, tensor in zip(outputs, exits, strict=True))


def _to_model(row: Row, entries: Sequence[Tensor]) -> Row:
    if len(row) != len(entries):
        raise _wrong_count(len(row), len(entries))
    return tuple(quantise(value, tensor) for value, tensor in zip(row, entries, strict=True))


def check_row(row: Row, inputs: tuple[TensorSpec, ...]) -> None:
    """Refuse arrays that do not have exactly the model's shapes and dtypes.

    Raises:
        DataError: Naming both.
    """
    if len(row) != len(inputs):
        raise _wrong_count(len(row), len(inputs))
    for array, spec in zip(row, inputs, strict=True):
        if array.shape != spec.shape or array.dtype != np.dtype(spec.dtype):
            raise DataError(
                f"input '{spec.name}' is {spec.dtype} {list(spec.shape)}, "
                f"the row is {array.dtype} {list(array.shape)}",
                "prepare the rows for this model: edgekit inspect shows its inputs",
            )


def _wrong_count(given: int, wanted: int) -> DataError:
    return DataError(
        f"the model has {wanted} inputs, the row has {given} arrays",
        "give one array for each input, in the model's order",
    )


def _known(name: str) -> None:
    if name not in RUNTIMES:
        near = difflib.get_close_matches(name, RUNTIMES, 1)
        raise UsageError(
            f"there is no runtime '{name}'",
            f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(RUNTIMES)}",
        )


def _require(name: str) -> None:
    _known(name)
    package = _PACKAGES.get(name, _LITERT)
    if _installed(package.replace("-", "_")):
        return
    hint = f"pip install '{DISTRIBUTION}' brings it"
    if package == "tflite-micro":
        hint += f" on Linux x86-64; elsewhere evaluate with {_STAND_IN}"
    raise MissingExtra(f"{package} is not installed on {_machine()}", hint)


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}"
