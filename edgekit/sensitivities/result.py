"""What a sensitivity analysis found: for each layer and kind of change a curve, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from edgekit.errors import UsageError

SCHEMA = 1
FILE = "sensitivity.json"
Kind = Literal["prune", "quantize", "activations", "remove"]
KINDS: Mapping[Kind, str] = {
    "prune": "share of the weights that are zero, the smallest first",
    "quantize": "bits of the weights",
    "activations": "bits of the output",
    "remove": "share of the channels that leave",
}
"""Kind -> what its levels are."""
_HINT = "make it with: edgekit sensitivity MODEL --calibration DATA"


@dataclass(frozen=True)
class Point:
    """One layer changed to one level, all others as they were, and nothing trained.

    Attributes:
        level: Share 0..1, or bits; see `KINDS`.
        loss: Distance of the scores from the original's, as `training.objective` measures it.
        metric: Of the changed model; see `Sensitivity.metric`.
        parameters: That it saves; zeros count as saved.
        macs: Multiply-accumulates that it saves; those with a zero count as saved.
        bits: Of weights that it saves against 32 a weight.
    """

    level: float
    loss: float
    metric: float
    parameters: int = 0
    macs: int = 0
    bits: int = 0


@dataclass(frozen=True)
class Curve:
    """One kind of change of one layer.

    Attributes:
        kind: One of `KINDS`.
        layer: Its name; for `activations` of the layer whose output it is, or of the input.
        layers: All that change with it: channels leave through several layers, a kernel may be
            several layers', an output's scale may be that of others.
        op: The operator, e.g. `CONV_2D`; `INPUT` for an input of the model.
        parameters: Weights that the change works on.
        macs: Multiply-accumulates that they take.
        points: The mildest change first.
    """

    kind: Kind
    layer: str
    layers: tuple[str, ...]
    op: str
    parameters: int
    macs: int
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Sensitivity:
    """The curves of a model.

    Attributes:
        model: Its name.
        model_sha256: Of its float flatbuffer, as passes get it (`Context.original`).
        metric: `top1`, `mse`, ... against labels; without labels `agreement`, percent of rows with
            the original's top class, or `sqnr_db` where nothing is classified.
        better: Whether a metric is better `higher` or `lower`.
        original: The metric of the original.
        samples: Rows it was measured on.
        rows_sha256: Of these rows.
        curves: In the order of `KINDS`, then of execution.
    """

    model: str
    model_sha256: str
    metric: str
    better: Literal["higher", "lower"]
    original: float
    samples: int
    rows_sha256: str
    curves: tuple[Curve, ...]

    def of(self, kind: Kind) -> tuple[Curve, ...]:
        """The curves of a kind, in the order of execution."""
        return tuple(curve for curve in self.curves if curve.kind == kind)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those that there are curves of."""
        return tuple(dict.fromkeys(curve.kind for curve in self.curves))

    def drop(self, point: Point) -> float:
        """What the change costs of the metric; positive is worse."""
        sign = 1 if self.better == "higher" else -1
        return sign * (self.original - point.metric)

    def to_json(self) -> dict[str, Any]:
        """As the file stores it; `from_json` reads it back."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sensitivity:
        """The result from what `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']}, this edgekit reads {SCHEMA}")
        fields = {key: value for key, value in data.items() if key not in ("schema", "curves")}
        return cls(**fields, curves=tuple(_curve(each) for each in data["curves"]))

    @classmethod
    def from_file(cls, path: Path, model_sha256: str | None = None) -> Sensitivity:
        """Read a file, or the one of its folder.

        Args:
            path: Of `sensitivity.json` or its folder.
            model_sha256: Of the float flatbuffer that it is to be about; None: of any.

        Raises:
            UsageError: It is not there, damaged, or about another model.
        """
        file = path / FILE if path.is_dir() else path
        try:
            found = cls.from_json(json.loads(file.read_text(encoding="utf-8")))
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(f"{file}: cannot be read: {reason}", _HINT) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{file}: no sensitivity analysis ({_why(error)})", _HINT) from error
        if model_sha256 is not None and found.model_sha256 != model_sha256:
            raise UsageError(
                f"{file} is about another model ({found.model}, {found.model_sha256[:12]}, not "
                f"{model_sha256[:12]})",
                "analyse this one with edgekit sensitivity; a model that was trained on is another",
            )
        return found


def _curve(data: Mapping[str, Any]) -> Curve:
    if data["kind"] not in KINDS:
        raise ValueError(f"kind {data['kind']}")
    points = tuple(Point(**{key: _number(v) for key, v in p.items()}) for p in data["points"])
    return Curve(**{**data, "layers": tuple(data["layers"]), "points": points})


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return value


def _why(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)[:120]
