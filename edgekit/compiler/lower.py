"""From the graph of a model to a program: each operator to an operation, shapes to nothing."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

from edgekit.compiler import kernels
from edgekit.compiler.operation import Call, Operation, Unsupported, variable_inputs
from edgekit.compiler.program import Layer, Program, Value
from edgekit.errors import TargetError
from edgekit.graph.graph import Graph, Op, Tensor

VIEWS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
"""Operators that leave the bytes as they are."""
STATEFUL = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)
"""Operators with variables, which are new for each run."""
_HINT = (
    "replace it in the source model, or use the other files of the build, which TensorFlow Lite "
    "Micro runs"
)


@cache
def operators() -> dict[str, Callable[[Call], Operation]]:
    """Operator of a model -> what lowers it, for every folder of `kernels/`."""
    found: dict[str, Callable[[Call], Operation]] = {}
    for folder in pkgutil.iter_modules(kernels.__path__):
        try:
            twin = importlib.import_module(f"{kernels.__name__}.{folder.name}.{folder.name}")
        except ModuleNotFoundError as error:
            if error.name != f"{kernels.__name__}.{folder.name}.{folder.name}":
                raise
            continue
        if hasattr(twin, "OPERATORS"):
            found.update(dict.fromkeys(twin.OPERATORS, twin.lower))
    return found


def lower(graph: Graph) -> Program:
    """The program of a graph, an operation for each operator that moves bytes.

    Raises:
        TargetError: An operator, a type or an option that the compiler does not know; it names the
            layer and says why.
    """
    return _Lowering(graph).program()


class _Lowering:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._values: list[Value] = []
        self._tensors: list[int] = []
        self._of: dict[int, int] = {}
        self._layers: list[Layer] = []
        self._read = {index for op in graph.ops for index in op.inputs} | set(graph.outputs)

    def program(self) -> Program:
        graph = self._graph
        if graph.subgraphs:
            raise TargetError("the model has branches or loops, which the C project has not", _HINT)
        for index in graph.inputs:
            self._value(index)
        for op in graph.ops:
            self._add(op)
        for index in graph.outputs:
            if index not in self._of:
                name = graph.tensors[index].name
                raise TargetError(f"the output '{name}' does not depend on the input", _HINT)
        return Program(
            tuple(self._values),
            tuple(self._layers),
            tuple(self._of[index] for index in graph.inputs),
            tuple(self._of[index] for index in graph.outputs),
            tuple(self._tensors),
        )

    def _value(self, index: int) -> int:
        if index not in self._of:
            self._values.append(_value(self._graph.tensors[index]))
            self._tensors.append(index)
            self._of[index] = len(self._values) - 1
        return self._of[index]

    def _add(self, op: Op) -> None:
        graph = self._graph
        inputs = variable_inputs(graph, op)
        if op.name in VIEWS and not op.custom:
            self._of[op.outputs[0]] = self._of[inputs[0]]
            return
        lowered = None if op.custom else operators().get(op.name)
        if lowered is None:
            raise TargetError(f"{graph.title(op)}: the C project has no such operation", _HINT)
        if op.name not in STATEFUL and any(graph.tensors[i].variable for i in op.inputs if i >= 0):
            raise TargetError(f"{graph.title(op)}: it reads a variable", _HINT)
        read = tuple(self._value(index) for index in inputs)
        for result, index in enumerate(op.outputs):
            if len(op.outputs) > 1 and index not in self._read:
                continue
            try:
                operation = lowered(Call(graph, op, result))
            except Unsupported as error:
                raise TargetError(f"{graph.title(op)}: {error}", _HINT) from None
            name = graph.tensors[index].name
            self._layers.append(Layer(name, op.name, operation, read, self._value(index)))


def _value(tensor: Tensor) -> Value:
    known = tensor.quantization
    scale, zero = (float(known.scale[0]), int(known.zero_point[0])) if known else (0.0, 0)
    return Value(tensor.name, tensor.shape, tensor.dtype, scale, zero)
