"""What onnxruntime computes for the source model: the truth that an import is proved against."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit.importers._onnx_file import AGAIN, first_line, label

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Reference:
    """The source model in onnxruntime, called with arrays as the flatbuffer has them.

    Attributes:
        path: Of the model, for messages.
        proto: The model as the file has it.
        session: onnxruntime's.
        inputs_moved: Per input, whether the source is channels-first where the flatbuffer is
            channels-last.
        outputs_moved: The same per output.
    """

    path: Path
    proto: Any
    session: Any
    inputs_moved: tuple[bool, ...]
    outputs_moved: tuple[bool, ...]

    def __call__(self, rows: Arrays) -> Arrays:
        """Outputs for `rows`, both in the flatbuffer's layout."""
        results = self._run(self.session, rows)
        return tuple(
            to_last(y) if moved else y for y, moved in zip(results, self.outputs_moved, strict=True)
        )

    def intermediates(self, rows: Arrays) -> list[tuple[str, np.ndarray]]:
        """What every node makes of `rows`, named, in the order of the graph."""
        import onnx

        copy = onnx.ModelProto()
        copy.CopyFrom(self.proto)
        made = [(label(node), name) for node in copy.graph.node for name in node.output if name]
        del copy.graph.output[:]
        copy.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for _, name in made)
        results = self._run(_session(copy.SerializeToString(), optimise=False), rows)
        return [(name, np.asarray(y)) for (name, _), y in zip(made, results, strict=True)]

    def rows(self, seed: int) -> Arrays:
        """Seeded inputs in the flatbuffer's layout: normal floats; zeros where integers."""
        random = np.random.default_rng(seed)
        dtypes, rows = self._dtypes(), []
        for value, moved in zip(self.session.get_inputs(), self.inputs_moved, strict=True):
            shape, dtype = (1, *value.shape[1:]), dtypes[value.name]
            row = random.standard_normal(shape) if dtype.kind == "f" else np.zeros(shape)
            rows.append(to_last(row.astype(dtype)) if moved else row.astype(dtype))
        return tuple(rows)

    def placed(self, results: Sequence[np.ndarray], rows: Arrays) -> Reference:
        """This reference with `outputs_moved` as the converted model's `results` have them.

        Sizes decide; where both layouts have the same sizes, the values do.
        """
        expected = self._run(self.session, rows)
        return replace(
            self,
            outputs_moved=tuple(
                _is_moved(y, result) for y, result in zip(expected, results, strict=True)
            ),
        )

    def _dtypes(self) -> dict[str, np.dtype[Any]]:
        """Of each input as the ONNX file has it; the flatbuffer takes indices as int32."""
        import onnx

        convert = onnx.helper.tensor_dtype_to_np_dtype
        inputs = self.proto.graph.input
        return {value.name: convert(value.type.tensor_type.elem_type) for value in inputs}

    def _run(self, session: Any, rows: Arrays) -> list[np.ndarray]:
        dtypes = self._dtypes()
        feeds = {
            value.name: (to_first(row) if moved else row).astype(dtypes[value.name], copy=False)
            for value, row, moved in zip(session.get_inputs(), rows, self.inputs_moved, strict=True)
        }
        try:
            results = session.run(None, feeds)
        except Exception as error:  # onnxruntime has a dozen types without a common base
            raise ModelError(f"{self.path.name} does not run: {_reason(error)}", AGAIN) from error
        return [np.asarray(y) for y in results]


def open_reference(path: Path, proto: Any, moved: frozenset[str]) -> Reference:
    """Open the model in onnxruntime.

    Args:
        path: Of the model, for messages.
        proto: The model as the file has it, weights in memory.
        moved: Names of the channels-first inputs.

    Raises:
        ModelError: onnxruntime refuses the model; it names the node.
    """
    try:
        session = _session(proto.SerializeToString(), optimise=True)
    except Exception as error:  # onnxruntime has a dozen types without a common base
        raise ModelError(
            f"{path.name} cannot be run by onnxruntime: {_reason(error)}", AGAIN
        ) from error
    names = [value.name for value in session.get_inputs()]
    count = len(session.get_outputs())
    return Reference(path, proto, session, tuple(name in moved for name in names), (False,) * count)


def to_last(array: np.ndarray) -> np.ndarray:
    """(N, C, spatial...) to (N, spatial..., C)."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


def to_first(array: np.ndarray) -> np.ndarray:
    """(N, spatial..., C) to (N, C, spatial...)."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def _is_moved(source: np.ndarray, result: np.ndarray) -> bool:
    if source.ndim < 3:
        return False
    other = to_last(source)
    if source.shape != result.shape or other.shape != result.shape:
        return other.shape == result.shape
    as_is, moved = (np.abs(x.astype(np.float64) - result).max() for x in (source, other))
    return bool(moved < as_is)


def _session(data: bytes, *, optimise: bool) -> Any:
    import onnxruntime

    level = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if not optimise:
        options.graph_optimization_level = level.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _reason(error: Exception) -> str:
    """onnxruntime's message without error numbers, source files and C++ signatures."""
    text = first_line(error).rsplit("[ONNXRuntimeError] : ", 1)[-1].split(" : ", 2)[-1]
    text = re.sub(r"^(Exception during initialization: )?\S+\.(cc|h):\d+ ", "", text)
    return re.sub(r"^.*::\w+\(.*?\)( \[with .*?\])? ", "", text)[:300]
