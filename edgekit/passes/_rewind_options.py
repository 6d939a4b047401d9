"""What `rewind` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option


@dataclass(frozen=True)
class RewindOptions(PassOptions):
    """A mask says which weights there are; they begin at the values of `initial`."""

    sparsity: float = option(
        0.9,
        "share of zeros in each layer, where the model has none: its smallest weights go",
        least=0,
        below=1,
        hint="write 0.9 for 90 %",
    )
    initial: str = option(
        "",
        "the model before it was trained: .keras, .h5, .onnx, SavedModel or float .tflite",
        file=True,
    )
    method: Literal["ticket", "signs", "supermask"] = option(
        "ticket",
        "ticket: weights begin at their initial values; signs: at their initial signs times one "
        "number a layer (arXiv:1905.01067); supermask: they stay at them, and only which there are "
        "is learned (arXiv:1911.13299)",
    )
    rounds: int = option(
        1, "trainings, each with fewer weights than the one before, all from the start", least=1
    )
    reinitialise: bool = option(
        False,
        "for comparison: the same mask over initial values that changed places within their layer",
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that keep all weights")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.initial and self.method != "supermask":
            raise UsageError(
                f"method = {self.method} needs the weights that the model began with",
                'save the model before you train it, and write initial="untrained.keras"',
            )
        if self.method == "supermask" and (self.rounds > 1 or self.reinitialise):
            raise UsageError(
                "rounds and reinitialise are for tickets: a supermask trains no weights",
                "leave them out, or write method=ticket",
            )
