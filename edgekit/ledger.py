"""What each step did to the bytes: never "80 % sparse" sold as "smaller"."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edgekit.artifact import gzip_bytes
from edgekit.graph import count
from edgekit.graph.graph import Graph


@dataclass(frozen=True)
class Entry:
    """A model after one step.

    Attributes:
        step: What was done.
        parameters: Weights and biases.
        macs: Multiply-accumulates of one inference.
        bytes: Size of the flatbuffer.
        gzip: Size of the flatbuffer after `gzip -9`.
    """

    step: str
    parameters: int
    macs: int
    bytes: int
    gzip: int

    def to_json(self) -> dict[str, Any]:
        """The entry as the manifest stores it."""
        return asdict(self)


def entry(step: str, tflite: bytes, graph: Graph) -> Entry:
    """Weigh a flatbuffer."""
    return Entry(step, count.parameters(graph), count.macs(graph), len(tflite), gzip_bytes(tflite))
