"""What `distill` can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option
from edgekit.zoo._spec import is_spec, parse

Pairs = tuple[tuple[str, str], ...]


def _pairs(value: Any) -> Pairs:
    """Name -> name, of a table or of pairs."""
    try:
        table = dict(value)
    except (TypeError, ValueError):
        raise ValueError("not a table") from None
    if not all(isinstance(name, str) for pair in table.items() for name in pair):
        raise ValueError("not names of layers")
    return tuple(table.items())


@dataclass(frozen=True)
class DistillOptions(PassOptions):
    """Without a student the model itself learns; without teachers it learns from the original."""

    student: str = option(
        "",
        "a network that learns in place of the model and is built: zoo:NAME, zoo:NAME/width=0.5, "
        "or a file of yours with the model's inputs and outputs: .keras, .h5, .onnx, SavedModel "
        "or float .tflite, trained or not",
        file=True,
    )
    teachers: tuple[str, ...] = option(
        (),
        "models to learn from in place of the original, several as an ensemble; it may be among "
        "them",
        file=True,
    )
    ensemble: Literal["probabilities", "scores"] = option(
        "probabilities",
        "what is averaged over several teachers: softened probabilities (arXiv:1503.02531) or "
        "scores",
    )
    features: tuple[tuple[str, str], ...] = option(
        (),
        'layers of the student and of the first teacher that it follows: { "conv2" = "conv5" }; '
        "other channels are matched by a 1 x 1 layer that trains along (arXiv:1412.6550); none: "
        "layers of the same name and shape",
        hint='write { "conv2" = "conv5" }, a layer of the student before one of the teacher',
        parse=_pairs,
    )
    feature_share: float = option(
        1.0,
        "weight of `features`, and of what a student follows, in place of feature_weight",
        least=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if is_spec(self.student):
            parse(self.student)
        if len(set(self.teachers)) < len(self.teachers):
            raise UsageError("teachers: one is named twice", "name each once")

    @property
    def starts(self) -> bool:
        """With a student, whatever was made of the model before is lost."""
        return bool(self.student)

    @property
    def files(self) -> tuple[str, ...]:
        """The models of the user that are named; a network of the zoo is no file."""
        return tuple(name for name in super().files if not is_spec(name))

    @property
    def own_teacher(self) -> bool:
        """Whether the teacher is other than the original with its inner activations."""
        return bool(self.student or self.teachers or self.features)

    def to_json(self) -> dict[str, Any]:
        """The options as the log and the manifest store them."""
        content: Mapping[str, Any] = super().to_json()
        return {**content, "features": dict(self.features)}
