"""The figures that compressed networks are judged by: what each is, in what unit, and whose it is.

Rates are of the built model against the float one it was made of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Better = Literal["higher", "lower"]
Place = Literal["manifest", "report", "bench", "compare"]
_SURVEY = "Cheng et al. 2017, arXiv:1710.09282"
_MILLION, _THOUSAND_MILLION = 1e6, 1e9


@dataclass(frozen=True)
class Criterion:
    """One figure.

    Attributes:
        name: In JSON.
        unit: Empty for a ratio.
        better: Which way.
        formula: What is counted or computed, in words.
        source: Where the definition comes from.
        place: Where it is found: a build's `manifest.json` (the same at each build) or
            `report.json` (of this run), what `edgekit bench` or `edgekit compare` print.
    """

    name: str
    unit: str
    better: Better
    formula: str
    source: str
    place: Place

    def to_json(self) -> dict[str, str]:
        """As `edgekit criteria --json` prints it."""
        return asdict(self)


CRITERIA = (
    Criterion(
        "parameters",
        "",
        "lower",
        "weights and biases; zeros count",
        "edgekit/graph/count.py",
        "manifest",
    ),
    Criterion(
        "macs",
        "MAC",
        "lower",
        "multiply-accumulates of one inference; those with a zero count",
        "edgekit/graph/count.py",
        "manifest",
    ),
    Criterion("bytes", "B", "lower", "size of the .tflite", "edgekit/ledger.py", "manifest"),
    Criterion(
        "compression_rate",
        "x",
        "higher",
        "bytes of the float .tflite / bytes of the built one",
        f"{_SURVEY}, there of parameters",
        "manifest",
    ),
    Criterion(
        "theoretical_speed_up",
        "x",
        "higher",
        "macs of the float model / macs of the built one; no number format counts",
        f"{_SURVEY}, there of times; of operations: He et al. 2017, arXiv:1707.06168",
        "manifest",
    ),
    Criterion(
        "accuracy",
        "metric",
        "higher",
        "of the built model on labelled rows, by the manifest's metric (mse, mae: lower is better)",
        "edgekit/evaluate/accuracy.py",
        "manifest",
    ),
    Criterion(
        "information_density",
        "%/M",
        "higher",
        "a / p: top-1 accuracy in percent / millions of parameters",
        "Canziani et al. 2016, arXiv:1605.07678",
        "manifest",
    ),
    Criterion(
        "netscore",
        "",
        "higher",
        "20 log10(a^2 / (p^0.5 m^0.5)): a in percent, p in millions of parameters, m in 10^9 MAC",
        "Wong 2018, arXiv:1806.05512",
        "manifest",
    ),
    Criterion(
        "training_seconds",
        "s",
        "lower",
        "wall time of the passes of this run: choosing, solving, training",
        "edgekit/training/spent.py",
        "report",
    ),
    Criterion(
        "training_peak_bytes",
        "B",
        "lower",
        "largest resident memory of the process while passes ran, sampled 20 times a second",
        "edgekit/training/spent.py",
        "report",
    ),
    Criterion(
        "latency_ms",
        "ms",
        "lower",
        "of an inference: median, or estimated from emulated instructions",
        "edgekit/measure/latency.py",
        "bench",
    ),
    Criterion(
        "energy_mj",
        "mJ",
        "lower",
        "of an inference, the idle device's share included",
        "edgekit/measure/energy.py",
        "bench",
    ),
    Criterion(
        "speed_up",
        "x",
        "higher",
        "latency of A / latency of B on one device: 1 / (B / A)",
        _SURVEY,
        "compare",
    ),
)


@dataclass(frozen=True)
class Measured:
    """What criteria of a model are computed from.

    Attributes:
        parameters: Of the model.
        macs: Of an inference.
        bytes: Of the flatbuffer.
        accuracy: By `metric`; None where there were no labels.
        metric: As in the manifest; `top1` is in percent.
    """

    parameters: int
    macs: int
    bytes: int
    accuracy: float | None = None
    metric: str = ""


def criteria(original: Measured, built: Measured) -> dict[str, dict[str, float | None]]:
    """The criteria of the manifest: name -> of the `original` and of the `built` model.

    What is not known, or not defined for the metric, is None; a rate is the built model's alone.
    """
    rates = {
        "compression_rate": _ratio(original.bytes, built.bytes),
        "theoretical_speed_up": _ratio(original.macs, built.macs),
    }
    sides: dict[str, Mapping[str, float | None]] = {
        "original": _of(original),
        "built": _of(built) | rates,
    }
    names = [each.name for each in CRITERIA if each.place == "manifest"]
    return {name: {side: found.get(name) for side, found in sides.items()} for name in names}


def of_manifest(manifest: Mapping[str, Any]) -> dict[str, float | None]:
    """The built model's criteria by name; empty for a build of an earlier edgekit."""
    return {name: each["built"] for name, each in manifest.get("criteria", {}).items()}


def information_density(accuracy: float, parameters: int) -> float | None:
    """Percent of top-1 accuracy for each million of parameters."""
    return _ratio(accuracy, parameters / _MILLION)


def netscore(accuracy: float, parameters: int, macs: int) -> float | None:
    """NetScore with alpha = 2, beta = gamma = 0.5; None where it is not defined.

    Args:
        accuracy: Top-1, in percent.
        parameters: Count.
        macs: Count.
    """
    if min(accuracy, parameters, macs) <= 0:
        return None
    costs = math.sqrt(parameters / _MILLION * macs / _THOUSAND_MILLION)
    return _rounded(20 * math.log10(accuracy**2 / costs))


def _of(model: Measured) -> dict[str, float | None]:
    counts: dict[str, float | None] = {
        "parameters": model.parameters,
        "macs": model.macs,
        "bytes": model.bytes,
        "accuracy": model.accuracy,
    }
    if model.accuracy is None or model.metric != "top1":
        return counts
    density = information_density(model.accuracy, model.parameters)
    score = netscore(model.accuracy, model.parameters, model.macs)
    return counts | {"information_density": density, "netscore": score}


def _ratio(one: float, other: float) -> float | None:
    return _rounded(one / other) if other > 0 else None


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
