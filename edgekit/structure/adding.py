"""New tensors of a float flatbuffer under edit, named after what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph import edit, rewire
from edgekit.graph.schema import generated


class Adding:
    """Adds tensors to a model; their names begin with a prefix.

    Args:
        model: A `ModelT`.
        prefix: Of names.
        source: Index of an activation: whether the batch is dynamic is as it is there.
    """

    def __init__(self, model: Any, prefix: str, source: int) -> None:
        self.model, self.main = model, model.subgraphs[0]
        self._prefix, self._source = prefix, source

    def activation(self, suffix: str, sizes: Sequence[int]) -> int:
        """A float tensor [1, *sizes]; its index."""
        tensor = self._tensor(suffix)
        tensor.shape, tensor.buffer = np.array([1, *sizes], np.int32), edit.EMPTY
        known = self.main.tensors[self._source].shapeSignature
        if known is not None and len(known):
            tensor.shapeSignature = np.array([int(known[0]), *sizes], np.int32)
        return self._add(tensor)

    def constant(self, suffix: str, values: NDArray[Any]) -> int:
        """A float constant; its index."""
        tensor = self._tensor(suffix)
        tensor.buffer = len(self.model.buffers)
        self.model.buffers.append(generated().BufferT())
        edit.set_constant(self.model, tensor, values.astype(np.float32))
        return self._add(tensor)

    def integers(self, suffix: str, values: Sequence[int]) -> int:
        """A constant vector of whole numbers, a shape or axes; its index."""
        return rewire.add_integers(self.model, self.main, values, f"{self._prefix}_{suffix}")

    def _tensor(self, suffix: str) -> Any:
        tensor = generated().TensorT()
        tensor.name, tensor.hasRank = f"{self._prefix}_{suffix}".encode(), True
        return tensor

    def _add(self, tensor: Any) -> int:
        self.main.tensors.append(tensor)
        return len(self.main.tensors) - 1
