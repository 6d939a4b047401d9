"""Golden vectors of a C project: the outputs that the device must give, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgekit.golden.inputs import Row


@dataclass(frozen=True, eq=False)
class Golden:
    """Inputs and outputs of a model.

    Attributes:
        inputs: One row of arrays a vector, as the model takes them.
        outputs: The same, as it must return them.
        by: What computed the outputs: `tflite-micro`, or the `host` twins of edgekit's kernels
            where there is no tflite-micro for the machine.
    """

    inputs: Sequence[Row]
    outputs: Sequence[Row]
    by: Literal["tflite-micro", "host"]

    def __len__(self) -> int:
        return len(self.inputs)
