"""A sensitivity analysis as a heat map: what each layer costs when it alone is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.reports._names import distinct
from edgekit.reports._sources import Analysis
from edgekit.reports.base import Section, columns, rows

if TYPE_CHECKING:
    from edgekit.sensitivities.result import Kind, Sensitivity


def sections(analysis: Analysis) -> list[Section]:
    """One for each kind of change."""
    return [_section(analysis.name, analysis.found, kind) for kind in analysis.found.kinds]


def _section(name: str, found: Sensitivity, kind: Kind) -> Section:
    from edgekit.sensitivities.result import KINDS
    from edgekit.sensitivities.shade import level, shade

    curves = found.of(kind)
    described = columns(
        ("layer", "layer"),
        ("level", "level"),
        ("value", "level as a number"),
        ("metric", found.metric),
        ("drop", "drop"),
        ("loss", "distance of the scores"),
        ("shade", "shade"),
    )
    values = [
        (
            layer,
            level(kind, point.level),
            point.level,
            point.metric,
            found.drop(point),
            point.loss,
            round(shade(found, point), 4),
        )
        for curve, layer in zip(curves, distinct([c.layer for c in curves]), strict=True)
        for point in curve.points
    ]
    return Section(
        f"sensitivity-{kind}",
        "heat",
        name,
        f"Sensitivity to {_OF[kind]}",
        "measured",
        f"{found.metric} on {found.samples:,} rows, one layer changed at a time, by the "
        f"{KINDS[kind]}; the original has {found.original:.4g}",
        described,
        rows(described, values),
        "nothing is trained after a change, so training does better than this; "
        "the shade is by the distance of the scores, on a logarithmic scale",
    )


_OF: dict[Kind, str] = {
    "prune": "zero weights",
    "quantize": "fewer bits of weights",
    "activations": "fewer bits of activations",
    "remove": "fewer channels",
}
