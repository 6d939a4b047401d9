"""LiteRT in this process: default (XNNPACK) or reference kernels, one thread, in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from edgekit._tf import held_stderr
from edgekit.errors import EdgekitError, ModelError, TargetError
from edgekit.model import TensorSpec
from edgekit.runtimes.base import Arena, Row, check_row, runtime_version

REFERENCE_ONLY = "litert-reference-only"
_CUSTOM = re.compile(r"unresolved custom op: ([\w:-]+)")
_BUILTIN = re.compile(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'")
_NODE = re.compile(r"Node number (\d+) \((\w+)\) failed to (\w+)")


class LiteRT:
    """A model in LiteRT's interpreter; implements `base.Runtime`.

    Args:
        model: The flatbuffer.
        name: `litert` or `litert-reference`; the latter takes LiteRT's own kernels, without
            delegates, for a model with an op that has no reference kernel, and
            `litert-reference-only` refuses it.
        everything: `run` returns the outputs of every op, in the order of `op_outputs`, empty
            where they hold no data; reference kernels only.

    Raises:
        TargetError: LiteRT has no kernel for an op, which is named.
        ModelError: The file is broken.
    """

    arena: Arena | None = None

    def __init__(self, model: bytes, name: str = "litert", *, everything: bool = False) -> None:
        self.name = name
        self.version = runtime_version("litert")
        self._interpreter = _load(model, name, everything)
        entries = self._interpreter.get_input_details()
        exits = self._interpreter.get_output_details()
        self.inputs = tuple(_spec(detail) for detail in entries)
        self.outputs = tuple(_spec(detail) for detail in exits)
        self._entries = [detail["index"] for detail in entries]
        self._exits = [detail["index"] for detail in exits]
        if everything:
            self._exits = op_outputs(self._interpreter)

    def run(self, inputs: Row) -> Row:
        """One inference; see `base.Runtime.run`."""
        check_row(inputs, self.inputs)
        interpreter = self._interpreter
        interpreter.reset_all_variables()
        for index, array in zip(self._entries, inputs, strict=True):
            interpreter.set_tensor(index, array)
        try:
            interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise _explain(str(error)) from None
        return tuple(self._value(index) for index in self._exits)

    def map_rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """`run` on each row, lazily."""
        return map(self.run, rows)

    def close(self) -> None:
        """Free the interpreter."""
        self._interpreter = None

    def _value(self, index: int) -> np.ndarray:
        try:
            value: np.ndarray = self._interpreter.get_tensor(index)
        except ValueError:  # resources and variants hold no data; only with `everything`
            return np.zeros(0, np.float32)
        return value

    def __enter__(self) -> LiteRT:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def tensors(model: bytes, inputs: Row) -> dict[int, np.ndarray]:
    """Every op's outputs on one row, by LiteRT's reference kernels.

    Args:
        model: The flatbuffer.
        inputs: Arrays of the model's input dtypes and shapes.

    Returns:
        Tensor index -> array of the tensor's dtype, for the ops of the main subgraph.
    """
    engine = LiteRT(model, "litert-reference", everything=True)
    values = engine.run(inputs)
    return {i: value for i, value in zip(engine._exits, values, strict=True) if value.size}


def op_outputs(interpreter: Any) -> list[int]:
    """Indices of the tensors that the ops of the main subgraph write, in execution order."""
    details = interpreter._get_ops_details()
    return [int(index) for op in details for index in op["outputs"] if index >= 0]


def _load(model: bytes, name: str, everything: bool) -> Any:
    from ai_edge_litert.interpreter import OpResolverType

    if name == "litert":
        return _open(model, OpResolverType.AUTO, everything)
    try:
        return _open(model, OpResolverType.BUILTIN_REF, everything)
    except TargetError:  # a few ops, ELU among them, have no reference kernel
        if name == REFERENCE_ONLY:
            raise
        return _open(model, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, everything)


def _open(model: bytes, kernels: Any, everything: bool) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    failure = ""
    with held_stderr():
        try:
            interpreter = Interpreter(
                model_content=bytes(model),
                num_threads=1,
                experimental_op_resolver_type=kernels,
                experimental_preserve_all_tensors=everything,
            )
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            failure = str(error) or type(error).__name__
    if failure:
        raise _explain(failure)
    return interpreter


def _explain(text: str) -> EdgekitError:
    """The error for what LiteRT said."""
    if found := _CUSTOM.search(text):
        return TargetError(
            f"LiteRT has no kernel for the custom op {found[1]}",
            "replace the op in the model by ones that TensorFlow Lite has",
        )
    if found := _BUILTIN.search(text):
        return TargetError(
            f"this LiteRT has no {found[1]} version {found[2]}",
            "convert the model again, or install the LiteRT it was made for",
        )
    where = f"op {found[1]} ({found[2]}): " if (found := _NODE.search(text)) else ""
    reason = _NODE.sub("", text).strip(" .\n") or text
    return ModelError(
        f"LiteRT cannot run the model: {where}{reason}",
        "look at the model with edgekit inspect; make the file again if it is damaged",
    )


def _spec(detail: dict[str, Any]) -> TensorSpec:
    shape = tuple(int(size) for size in detail["shape"])
    return TensorSpec(str(detail["name"]), shape, np.dtype(detail["dtype"]).name)
