"""The model in an interpreter, and the golden vectors that prove it on this machine."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ._contract import HERE, dequantize, interface, preprocess

RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


@dataclass(frozen=True)
class Difference:
    """The first element of an output that is off by more than other kernels may be.

    Attributes:
        vector: Of the golden vectors.
        output: Of the model.
        element: In the flattened output.
        got, wanted: What is stored there, and what must be.
        tolerance: Steps of an integer, or relative to the largest value of a float.
    """

    vector: int
    output: int
    element: int
    got: float
    wanted: float
    tolerance: float


class Model:
    """A loaded model; not for several threads at once.

    Args:
        threads: That the interpreter may use; its own choice by default.
    """

    def __init__(self, threads: int | None = None) -> None:
        path = str(HERE / "model.tflite")
        self._interpreter = _runtime().Interpreter(model_path=path, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._inputs = [each["index"] for each in self._interpreter.get_input_details()]
        self._outputs = [each["index"] for each in self._interpreter.get_output_details()]

    def run(self, *stored: np.ndarray) -> tuple[np.ndarray, ...]:
        """Stored inputs, with their batch axis, to stored outputs."""
        if len(stored) != len(self._inputs):
            raise ValueError(f"the model has {len(self._inputs)} inputs, not {len(stored)}")
        for index, array in zip(self._inputs, stored):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return tuple(self._interpreter.get_tensor(index) for index in self._outputs)

    def predict(self, *rows: Any) -> Any:
        """Raw rows, one an input, to the real output without a batch axis; a tuple of several.

        Raises:
            ValueError: A row does not fit its input.
        """
        stored = self.run(*(preprocess(row, place) for place, row in enumerate(rows)))
        real = tuple(dequantize(output, place)[0] for place, output in enumerate(stored))
        return real[0] if len(real) == 1 else real

    def self_test(self) -> Difference | None:
        """None where all golden vectors give what they must; else where the first one does not.

        Raises:
            RuntimeError: The model file is not the one that was built, whatever it computes; or it
                has no golden vectors: something in it is random or unknown.
        """
        _check_hash()
        if not (HERE / "golden.npz").is_file():
            raise RuntimeError("this model has no golden vectors")
        with np.load(HERE / "golden.npz") as file:
            golden = {name: file[name] for name in file.files}
        for vector in range(len(golden["input_0"])):
            inputs = [golden[f"input_{place}"][vector] for place in range(len(self._inputs))]
            for place, got in enumerate(self.run(*inputs)):
                wanted = golden[f"output_{place}"][vector]
                found = _first(got, wanted, interface().tolerance[place])
                if found is not None:
                    element, off = found
                    numbers = float(got.flat[element]), float(wanted.flat[element])
                    return Difference(vector, place, element, *numbers, off)
        return None


def _check_hash() -> None:
    found = hashlib.sha256((HERE / "model.tflite").read_bytes()).hexdigest()
    if found != interface().sha256:
        raise RuntimeError(
            f"model.tflite has the hash {found}, should have {interface().sha256}: "
            "install the package again"
        )


def _first(
    got: np.ndarray, wanted: np.ndarray, tolerance: float | None
) -> tuple[int, float] | None:
    """Place of the first element that is off, and what it may be off; None where none is."""
    if tolerance is None:
        return None
    most = tolerance
    if wanted.dtype.kind == "f":
        finite = wanted[np.isfinite(wanted)]
        most = tolerance * float(np.abs(finite).max(initial=0) or 1)
    with np.errstate(invalid="ignore"):
        off = np.abs(got.astype(np.float64) - wanted.astype(np.float64))
    same = (off <= most) | (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    wrong = np.flatnonzero(~same)
    return (int(wrong[0]), tolerance) if len(wrong) else None


@lru_cache(maxsize=1)
def _loaded() -> Model:
    return Model()


def predict(*rows: Any) -> Any:
    """`Model().predict`, the model loaded once."""
    return _loaded().predict(*rows)


def self_test() -> Difference | None:
    """`Model().self_test`."""
    return _loaded().self_test()


def _runtime() -> Any:
    for name in RUNTIMES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError("neither ai-edge-litert nor tflite-runtime is installed")
