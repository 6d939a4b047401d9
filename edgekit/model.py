"""The value that flows through a build: a model in one of two forms, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgekit.problem import Problem

if TYPE_CHECKING:
    import numpy as np

Form = Literal["keras", "tflite"]
Format = Literal["keras", "h5-keras3", "h5", "saved_model", "onnx", "tflite"]


@dataclass(frozen=True)
class Source:
    """The file a model came from.

    Attributes:
        path: As the user gave it.
        sha256: Of the file; of a folder, over the sorted (relative path, file hash) pairs.
        format: What the content is, whatever the suffix says.
        parameters: Count of weights as the source framework counts them.
    """

    path: Path
    sha256: str
    format: Format
    parameters: int


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a model: name, shape with the batch axis fixed to 1, dtype name."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Learned:
    """What compression decided about the integer form of a model; empty where nothing did.

    Attributes:
        ranges: By tensor index of the float flatbuffer: the (low, high) that an activation is to
            have, as quantization-aware training learned it.
        weight_scales: By the tensor index of a kernel: the scales [output channels] that its
            integers are to have; one code book then serves all channels.
    """

    ranges: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    weight_scales: Mapping[int, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A model between two steps; never mutated.

    Attributes:
        name: Short, a C identifier after `-` and `.` are replaced; from the file's name.
        source: Where it came from.
        tflite: The float (or already quantized) flatbuffer: inputs NHWC, batch 1, proved
            equal to the source framework.
        keras: The Keras 3 or tf_keras object where the source has one, else None.
        saved_model: Folder of the SavedModel where there is one on disk, else None.
        inputs: In the order of the flatbuffer.
        outputs: In the order of the flatbuffer.
        channels_first: Whether the *source's* inputs are NCHW (data may come either way).
        proof: How the import was proved: samples, tolerance, largest difference.
        traits: What passes left behind: `sparse`, `clustered`, `qat`, `quantized`.
        learned: What they decided about the integer form.
        history: One line a step.
        problems: What the import wants to say.
    """

    name: str
    source: Source
    tflite: bytes
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    keras: Any = None
    saved_model: Path | None = None
    channels_first: bool = False
    proof: dict[str, Any] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    learned: Learned = field(default_factory=Learned)
    history: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def form(self) -> Form:
        """`keras` when layers can be worked on, else `tflite`."""
        return "keras" if self.keras is not None else "tflite"

    def step(self, what: str, **changes: Any) -> Model:
        """A copy with `changes` and `what` added to the history."""
        return replace(self, history=(*self.history, what), **changes)
