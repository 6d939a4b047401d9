"""What a model in the making loses on the guard rows, in points."""

from __future__ import annotations

from edgekit.graph.read import read
from edgekit.sensitivities.judge import Judge
from edgekit.sensitivities.probe import Probe
from edgekit.training.rows import Rows


def lost(original: bytes, made: bytes, rows: Rows) -> float:
    """Points that are lost: of accuracy with labels, of agreement without.

    Of values, percent: of the original's error with labels, of its power without.

    Args:
        original: A float flatbuffer.
        made: Of the same inputs and outputs.
        rows: To be judged on.

    Raises:
        DataError: Labels that do not fit the outputs.
        ModelError: The original gives NaN or infinity.
    """
    theirs, ours = (Probe(data, rows, {}).outputs for data in (original, made))
    shapes = [tensor.shape for tensor in read(original).output_tensors()]
    judge = Judge(rows, shapes, theirs, "")
    if judge.metric == "sqnr_db":
        return float(100 * 10 ** (-judge(ours) / 10))
    before, after = judge(theirs), judge(ours)
    drop = before - after if judge.better == "higher" else after - before
    return drop if judge.metric in _PERCENT else 100 * drop / max(before, _TINY)


_PERCENT = ("top1", "auc", "agreement")
_TINY = 1e-12
