"""TensorFlow Lite's metadata, written into a finished flatbuffer.

Android Studio, the task libraries and other readers learn from it what the inputs are divided by
and what the outputs are called. Nothing that computes is changed.
Source: tflite-support, tensorflow_lite_support/metadata/metadata_schema.fbs, version 1.0.0 (field
order never changes; later fields are not used).
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgekit.data.prepare import INTEGERS
from edgekit.graph.edit import pack, set_metadata, unpack
from edgekit.graph.graph import Tensor
from edgekit.graph.read import read
from edgekit.preprocess import NAMED, Preprocess

NAME = "TFLITE_METADATA"
LABELS = "labels.txt"
_IDENTIFIER = b"M001"
_PARSER = "1.0.0"
_MODEL = {"name": 0, "subgraph_metadata": 3, "min_parser_version": 7}
_GRAPH = {"input_tensor_metadata": 2, "output_tensor_metadata": 3}
_TENSOR = {"name": 0, "content": 3, "process_units": 4, "associated_files": 6}
_FEATURE, _IMAGE, _NORMALIZATION, _AXIS_LABELS = 1, 2, 1, 2
_COLOURS = {3: 1, 1: 2}
"""Channels of a picture to ColorSpaceType: RGB, GRAYSCALE."""


def described(tflite: bytes, name: str, preprocess: Preprocess, labels: Sequence[str]) -> bytes:
    """The flatbuffer with metadata; as it is where it has some, or files appended, already.

    Args:
        tflite: A finished model.
        name: Of the model, for people.
        preprocess: What its inputs want, written as mean and standard deviation.
        labels: Names of its classes, appended as `labels.txt` where an output has as many values.
    """
    model = unpack(tflite)
    if _entry(model) is not None or zipfile.is_zipfile(io.BytesIO(tflite)):
        return tflite
    graph = read(tflite)
    inputs, outputs = graph.input_tensors(), graph.output_tensors()
    labelled = next((tensor for tensor in outputs if _holds(tensor, labels)), None)
    writer = _Writer()
    metadata = writer.model(name, inputs, outputs, preprocess, labelled)
    set_metadata(model, NAME, metadata)
    packed = pack(model)
    return packed if labelled is None else _with_file(packed, LABELS, "\n".join(labels) + "\n")


def is_picture(tensor: Tensor, preprocess: Preprocess) -> bool:
    """Whether an input is a picture: RGB, or grey where the preprocessing is that of pictures."""
    if len(tensor.shape) != 4 or tensor.shape[3] not in _COLOURS:
        return False
    bytes_like = preprocess.dtype == "uint8" or any(
        preprocess.scale == named.scale for key, named in NAMED.items() if key != "raw"
    )
    return tensor.shape[3] == 3 or bytes_like or preprocess.resize is not None


def normalization(preprocess: Preprocess) -> tuple[list[float], list[float]]:
    """Mean and standard deviation m, s with (x - m) / s = ((x * scale + offset) - mean) / std."""
    means, stds = preprocess.mean or (0.0,), preprocess.std or (1.0,)
    scale, offset = preprocess.scale, preprocess.offset
    return [(mean - offset) / scale for mean in means], [std / scale for std in stds]


def _entry(model: Any) -> Any:
    return next((each for each in model.metadata or [] if bytes(each.name) == NAME.encode()), None)


def _holds(tensor: Tensor, labels: Sequence[str]) -> bool:
    return bool(labels) and tensor.elements == math.prod(tensor.shape[-1:]) == len(labels)


def _with_file(packed: bytes, name: str, text: str) -> bytes:
    """With a file as readers look for it: the model is a zip archive, too."""
    whole = io.BytesIO(packed)
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)  # of 1980, stored
    return whole.getvalue()


class _Writer:
    """The tables of the schema, written from the leaves up."""

    def __init__(self) -> None:
        import flatbuffers

        self._to = flatbuffers.Builder(1024)

    def model(
        self,
        name: str,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        preprocess: Preprocess,
        labelled: Tensor | None,
    ) -> bytes:
        """The finished flatbuffer of the root table ModelMetadata."""
        ins = [self._input(each, preprocess) for each in inputs]
        outs = [self._output(each, each is labelled) for each in outputs]
        sides = {
            "input_tensor_metadata": self._vector(ins),
            "output_tensor_metadata": self._vector(outs),
        }
        graph = self._table({_GRAPH[key]: vector for key, vector in sides.items()})
        values = {
            "name": self._text(name),
            "subgraph_metadata": self._vector([graph]),
            "min_parser_version": self._text(_PARSER),
        }
        self._to.Finish(
            self._table({_MODEL[key]: value for key, value in values.items()}), _IDENTIFIER
        )
        return bytes(self._to.Output())

    def _input(self, tensor: Tensor, preprocess: Preprocess) -> int:
        if tensor.dtype in INTEGERS:
            return self._tensor(tensor, {"content": self._feature()})
        picture = is_picture(tensor, preprocess)
        more = {"content": self._picture(tensor) if picture else self._feature()}
        if not preprocess.identity:
            mean, std = (self._floats(values) for values in normalization(preprocess))
            options = self._table({0: mean, 1: std})
            unit = self._table({1: options}, {0: _NORMALIZATION})
            more["process_units"] = self._vector([unit])
        return self._tensor(tensor, more)

    def _output(self, tensor: Tensor, labelled: bool) -> int:
        more = {"content": self._feature()}
        if labelled:
            file = self._table({0: self._text(LABELS)}, {2: _AXIS_LABELS})
            more["associated_files"] = self._vector([file])
        return self._tensor(tensor, more)

    def _tensor(self, tensor: Tensor, more: dict[str, int]) -> int:
        values = {"name": self._text(tensor.name), **more}
        return self._table({_TENSOR[key]: value for key, value in values.items()})

    def _feature(self) -> int:
        return self._table({1: self._table({})}, {0: _FEATURE})

    def _picture(self, tensor: Tensor) -> int:
        _, height, width, channels = tensor.shape
        self._to.StartObject(2)
        self._to.PrependUint32Slot(0, width, 0)
        self._to.PrependUint32Slot(1, height, 0)
        size = self._to.EndObject()
        picture = self._table({1: size}, {0: _COLOURS[channels]})
        return self._table({1: picture}, {0: _IMAGE})

    def _table(self, offsets: dict[int, int], small: dict[int, int] | None = None) -> int:
        """A table with references in the slots `offsets`, and bytes in the slots `small`."""
        small = small or {}
        self._to.StartObject(max([*offsets, *small], default=-1) + 1)
        for slot, value in offsets.items():
            self._to.PrependUOffsetTRelativeSlot(slot, value, 0)
        for slot, value in small.items():
            self._to.PrependUint8Slot(slot, value, 0)
        return int(self._to.EndObject())

    def _vector(self, offsets: Sequence[int]) -> int:
        self._to.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._to.PrependUOffsetTRelative(offset)
        return int(self._to.EndVector())

    def _floats(self, values: Sequence[float]) -> int:
        return int(self._to.CreateNumpyVector(np.asarray(values, np.float32)))

    def _text(self, value: str) -> int:
        return int(self._to.CreateString(value))
