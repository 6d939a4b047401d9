"""Runs, analyses and studies of tests of reports; a bench on the fake device is a real run."""

from __future__ import annotations

import json
from pathlib import Path

from edgekit.reports._studies import Study, Trial
from edgekit.sensitivities.result import Curve, Point, Sensitivity

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> | `a` @all &amp; \u2028"
"""What a layer may be called."""


def analysis(layer: str = "conv") -> Sensitivity:
    """Two layers, two kinds of change."""
    curves = [
        Curve(
            kind,
            name,
            (name,),
            "CONV_2D",
            100,
            1000,
            tuple(Point(x, 0.01 * (1 + i) * x, 98 - i * x) for x in levels),
        )
        for kind, levels in (("prune", (0.5, 0.9)), ("quantize", (8.0, 4.0)))
        for i, name in enumerate((layer, "dense"))
    ]
    return Sensitivity("digits", "ab", "agreement", "higher", 100.0, 40, "cd", tuple(curves))


def write_analysis(folder: Path, layer: str = "conv") -> Path:
    """As `edgekit sensitivity` leaves it."""
    folder.mkdir()
    (folder / "sensitivity.json").write_text(json.dumps(analysis(layer).to_json()))
    return folder


def study() -> Study:
    """Five trials: two on the front, one behind it, one over budget, one pruned."""
    how = {"accuracy": "measured", "latency_ms": "emulated"}

    def trial(number: int, accuracy: float, latency: float, **more: object) -> Trial:
        figures = {"accuracy": accuracy, "latency_ms": latency}
        folder = f"trials/{number:05}"
        known = {"choices": {"sparsity": number / 10}, "figures": figures, "how": how}
        return Trial(number, **{"state": "complete", "folder": folder, **known, **more})  # type: ignore[arg-type]

    return Study(
        "search",
        {"accuracy": "maximize", "latency_ms": "minimize"},
        ("flash at most 65,536 B", "latency_ms at most 25 ms", "accuracy at least 20 %"),
        (
            trial(0, 98.0, 20.0),
            trial(1, 97.0, 10.0),
            trial(2, 96.0, 15.0),
            trial(3, 99.0, 5.0, feasible=False),
            trial(4, 0.0, 30.0, state="pruned", stage="agreement", reason="agreement 12 %"),
        ),
        bounds={"flash": 65_536, "latency_ms": 25.0, "accuracy": 20.0},
    )
