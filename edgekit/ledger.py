"""What each step did to the bytes: never "80 % sparse" sold as "smaller"."""

from __future__ import annotations

import io
import zipfile
from dataclasses import asdict, dataclass, field
from typing import Any

from edgekit.artifact import gzip_bytes
from edgekit.evaluate.fidelity import Fidelity
from edgekit.evaluate.weights import Totals, kernels, totals
from edgekit.graph import count
from edgekit.graph.graph import Graph

_EPOCH = (1980, 1, 1, 0, 0, 0)  # of the zip format: the size must not depend on the day


@dataclass(frozen=True)
class Entry:
    """A model after one step.

    Attributes:
        step: What was done.
        parameters: Weights and biases.
        macs: Multiply-accumulates of one inference.
        bytes: Size of the flatbuffer.
        gzip: Size of the flatbuffer after `gzip -9`.
        zip: Size of a zip archive (deflate, level 9) with the flatbuffer in it.
        weights: Zeros, distinct values and bytes by encoding of all kernels.
        top1_agreement: Percent of rows with the original model's top class; None where it was not
            measured, or nothing is classified.
        sqnr_db: Of the outputs against the original model's; None where it was not measured.
        flash: Bytes of constants and, estimated, of code of the model as C; None where there is
            no C project of this step.
        instructions: Of one inference on the target; None, for the compiler's estimates are good
            for comparing two forms of a layer only, and a build runs nothing on a device
            (`edgekit bench` does).
    """

    step: str
    parameters: int
    macs: int
    bytes: int
    gzip: int
    zip: int = 0
    weights: Totals = field(default_factory=Totals)
    top1_agreement: float | None = None
    sqnr_db: float | None = None
    flash: int | None = None
    instructions: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry as the manifest stores it."""
        return asdict(self)


def entry(step: str, tflite: bytes, graph: Graph, fidelity: Fidelity | None = None) -> Entry:
    """Weigh a flatbuffer.

    Args:
        step: What was done: `float32`, the name of a pass, of a quantizer.
        tflite: What came out.
        graph: Of `tflite`.
        fidelity: Against the original model, where it was measured.
    """
    agreement = fidelity.top1_agreement if fidelity else None
    return Entry(
        step,
        count.parameters(graph),
        count.macs(graph),
        len(tflite),
        gzip_bytes(tflite),
        zip_bytes(tflite),
        totals(kernels(graph)),
        None if agreement is None else round(agreement, 3),
        None if fidelity is None else round(fidelity.sqnr_db, 3),
    )


def zip_bytes(content: bytes) -> int:
    """Size of a zip archive that holds `content` deflated, as an app package may."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        name = zipfile.ZipInfo("model.tflite", _EPOCH)
        file.writestr(name, content, zipfile.ZIP_DEFLATED, 9)
    return len(archive.getvalue())
