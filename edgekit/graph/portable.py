"""Rewrites that leave a float model's function as it is, and take it to more places.

- SELECT becomes SELECT_V2, the same for equal shapes, and the one that microcontrollers have.
- TILE, which microcontrollers lack, becomes RESIZE_NEAREST_NEIGHBOR: repeating along one axis is
  the enlargement of a picture with the earlier axes as rows and the repeated block as channels.
- Keras 3 and ONNX wrap negative indices around, with ops that microcontrollers lack. An index that
  the model is given counts from 0, as in Keras 2, so the wrap goes.
- Indices that come in as float (Keras's default input in front of an Embedding) or as int64 come
  in as int32: int8 would round them to a 256th of the vocabulary, and int64 is for large machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgekit.graph import edit, rewire

REWRITTEN = ("TILE", "CAST", "GATHER", "SELECT")
SELECT = "SELECT_V2"
COMPARISONS = ("EQUAL", "NOT_EQUAL")


def portable(data: bytes) -> bytes:
    """The flatbuffer rewritten as above; itself where there is nothing to rewrite."""
    if not rewire.has(data, REWRITTEN):
        return data
    model = edit.unpack(data)
    if len(model.subgraphs) > 1:  # loops pass tensors by position and type
        return data
    graph = _Graph(model)
    changed = [graph.plain_indices()]
    if any(changed):
        rewire.drop_dead(model)  # what wrapped the indices no longer reads the inputs
    changed += [graph.integer_inputs(), graph.resized_tiles(), graph.newer_selects()]
    if not any(changed):
        return data
    rewire.drop_dead(model)
    return edit.pack(model)


class _Graph:
    """The main graph of a model under edit."""

    def __init__(self, model: Any) -> None:
        self.model, self.graph = model, model.subgraphs[0]

    def integer_inputs(self) -> bool:
        """Make int32 of the inputs that are only indices, as int64 or as float.

        Float ones are cast, and compared with a number where they make a mask, too.
        """
        inputs = [int(index) for index in self.graph.inputs]
        changed = [self._to_integer(index) or self._to_short(index) for index in inputs]
        return any(changed)

    def _to_short(self, index: int) -> bool:
        if self._type(index) != "INT64" or not self._only_indexes(index):
            return False
        edit.set_type(self.graph.tensors[index], np.int32)
        return True

    def _to_integer(self, index: int) -> bool:
        readers = self._readers(index)
        casts = [op for op in readers if self._kind(op) == "CAST"]
        others = [op for op in readers if self._kind(op) != "CAST"]
        good = all(self._type(int(op.outputs[0])) == "INT32" for op in casts)
        if self._type(index) != "FLOAT32" or not casts or not good:
            return False
        if not all(self._compared(op, index) for op in others) or index in self._outputs():
            return False
        for op in others:
            wanted = rewire.add_integers(self.model, self.graph, self._compared(op, index), "value")
            op.inputs = np.array([i if i == index else wanted for i in op.inputs], np.int32)
        for op in casts:
            self._replace(int(op.outputs[0]), index)
        edit.set_type(self.graph.tensors[index], np.int32)
        return True

    def _compared(self, op: Any, index: int) -> list[int]:
        """The one whole number that the op compares with; empty for every other op."""
        others = [int(i) for i in op.inputs if int(i) != index]
        values = self._values(others[0]) if len(others) == 1 else None
        if self._kind(op) not in COMPARISONS or values is None or values.size != 1:
            return []
        number = float(values.reshape(-1)[0])
        return [int(number)] if number.is_integer() else []

    def plain_indices(self) -> bool:
        """Take out the wrap of negative indices; see `_wrapped`."""
        found = False
        for op in self.graph.operators:
            index, output = self._wrapped(op), int(op.outputs[0]) if len(op.outputs) else -1
            if index is not None and self._given(index) and self._only_indexes(output):
                self._replace(output, index)
                found = True
        return found

    def _only_indexes(self, index: int) -> bool:
        readers = self._readers(index)
        looked_up = [self._kind(op) == "GATHER" and int(op.inputs[1]) == index for op in readers]
        return bool(looked_up) and all(looked_up) and index not in self._outputs()

    def _wrapped(self, op: Any) -> int | None:
        """x, if the op's output is x < 0 ? x + rows : x (Keras 3) or x + (x < 0) * rows (ONNX)."""
        kind, inputs = self._kind(op), [int(index) for index in op.inputs]
        if kind in ("SELECT", SELECT):
            adds = self._made_by("ADD", inputs[1])
            wraps = inputs[2] in adds and self._negative(inputs[0]) == inputs[2]
            return inputs[2] if wraps else None
        if kind == "ADD":
            for index, rows in (inputs, inputs[::-1]):
                casts = [self._made_by("CAST", i) for i in self._made_by("MUL", rows)]
                if index in [self._negative(cast[0]) for cast in casts if cast]:
                    return index
        return None

    def _negative(self, index: int) -> int | None:
        """x, if the tensor is x < 0."""
        inputs = self._made_by("LESS", index)
        limit = self._values(inputs[1]) if inputs else None
        return inputs[0] if limit is not None and not limit.any() else None

    def _made_by(self, kind: str, index: int) -> list[int]:
        """The inputs of the op that makes the tensor, if it is of that kind."""
        op = self._maker(index)
        return [int(i) for i in op.inputs] if op is not None and self._kind(op) == kind else []

    def _given(self, index: int) -> bool:
        """Whether the tensor is an input of the model, or one in another shape or integer type."""
        maker = self._maker(index)
        if maker is None:
            return index in map(int, self.graph.inputs)
        return self._kind(maker) in ("CAST", "RESHAPE") and self._given(int(maker.inputs[0]))

    def resized_tiles(self) -> bool:
        """Write every TILE with constant multiples as a RESIZE_NEAREST_NEIGHBOR for each axis."""
        operators = []
        for op in self.graph.operators:
            operators += list(self._resized(op)) if self._kind(op) == "TILE" else [op]
        changed: bool = operators != self.graph.operators
        self.graph.operators = operators
        return changed

    def _resized(self, op: Any) -> Iterator[Any]:
        source, output = int(op.inputs[0]), int(op.outputs[0])
        multiples = self._values(int(op.inputs[1]))
        if multiples is None or self._type(source) != "FLOAT32" or (multiples == 1).all():
            yield op
            return
        result = self.graph.tensors[output]
        shape = [int(size) for size in self.graph.tensors[source].shape]
        for axis in np.flatnonzero(multiples != 1):
            before, times = int(np.prod(shape[:axis])), int(multiples[axis])
            block = int(np.prod(shape[axis:]))
            name = f"_{axis}"
            rows = rewire.add_tensor(self.graph, result, (1, before, 1, block), f"{name}_rows")
            yield self._reshape(source, rows)
            source = rewire.add_tensor(self.graph, result, (1, before, times, block), name)
            size = rewire.add_integers(self.model, self.graph, (before, times), f"size{name}")
            kind = "RESIZE_NEAREST_NEIGHBOR"
            options = "ResizeNearestNeighborOptions"
            yield rewire.operator(self.model, kind, [rows, size], source, options)
            shape[axis] *= times
        yield self._reshape(source, output)

    def newer_selects(self) -> bool:
        """Write every SELECT as SELECT_V2; they differ where the condition has another shape."""
        found = False
        for place, op in enumerate(self.graph.operators):
            shapes = {tuple(self.graph.tensors[int(index)].shape) for index in op.inputs}
            if self._kind(op) == "SELECT" and len(shapes) == 1:
                output = int(op.outputs[0])
                newer = rewire.operator(self.model, SELECT, op.inputs, output, "SelectV2Options")
                self.graph.operators[place] = newer
                found = True
        return found

    def _reshape(self, source: int, output: int) -> Any:
        shape = [int(size) for size in self.graph.tensors[output].shape]
        wanted = rewire.add_integers(self.model, self.graph, shape, f"shape_{output}")
        return rewire.operator(self.model, "RESHAPE", [source, wanted], output, "ReshapeOptions")

    def _kind(self, op: Any) -> str:
        return edit.operator_name(self.model, op)

    def _type(self, index: int) -> str:
        return edit.tensor_type(self.graph.tensors[index])

    def _values(self, index: int) -> np.ndarray | None:
        return edit.constant(self.model, self.graph.tensors[index]) if index >= 0 else None

    def _readers(self, index: int) -> list[Any]:
        return [op for op in self.graph.operators if index in map(int, op.inputs)]

    def _maker(self, index: int) -> Any:
        return next((op for op in self.graph.operators if index in map(int, op.outputs)), None)

    def _outputs(self) -> list[int]:
        return [int(index) for index in self.graph.outputs]

    def _replace(self, old: int, new: int) -> None:
        """Let everyone who reads `old` read `new`."""
        for op in self._readers(old):
            op.inputs = np.array([new if int(i) == old else int(i) for i in op.inputs], np.int32)
        self.graph.outputs = np.array([new if i == old else i for i in self._outputs()], np.int32)
