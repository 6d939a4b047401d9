"""Other forms of a built network: narrower ones, each a file of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.evaluate.accuracy import Accuracy
from edgekit.evaluate.fidelity import Fidelity
from edgekit.graph import count
from edgekit.graph.read import read


@dataclass(frozen=True)
class BuiltVariant:
    """One of them, in the number format of the build.

    Attributes:
        name: Its width, `0.5`.
        tflite: The flatbuffer.
        fidelity: Against the original; None where it was not measured.
        accuracy: Beside the original's; None without labels.
    """

    name: str
    tflite: bytes
    fidelity: Fidelity | None
    accuracy: Accuracy | None

    @property
    def file_name(self) -> str:
        """What it is written as."""
        return f"model_{self.name.replace('.', '_')}.tflite"

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it."""
        graph, found = read(self.tflite), self.fidelity
        return {
            "name": self.name,
            "path": self.file_name,
            "parameters": count.parameters(graph),
            "macs": count.macs(graph),
            "bytes": len(self.tflite),
            "top1_agreement": found.to_json()["top1_agreement"] if found else None,
            "accuracy": self.accuracy.to_json() if self.accuracy else None,
        }
