"""Amounts layer by layer: they start from a sensitivity analysis, and single layers may depart.

The amount of `prune` or `remove` is parted among the layers by what the analysis measured
(`edgekit.sensitivities.allocate`); of the largest layers each has a dimension of its own, the share
that is added to what the analysis gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from edgekit.project import Project
from edgekit.sensitivities.allocate import Unit, allocate
from edgekit.sensitivities.result import Kind, Sensitivity

PREFIX = "layer "
SHIFTS = (-0.2, -0.1, 0.0, 0.1, 0.2)
BEGIN = SHIFTS.index(0.0)
MOST = 0.98
_PARTED: Mapping[str, tuple[Kind, str, Unit]] = {
    "prune": ("prune", "sparsity", "parameters"),
    "remove": ("remove", "macs", "macs"),
}
"""Pass -> kind of curve, the option whose amount is parted, and the unit that it saves."""


def layers_of(name: str, project: Project) -> Iterator[str]:
    """Layers of the pass that have a dimension of their own: the largest, by what they cost."""
    if not project.search.sensitivity or name not in _PARTED:
        return
    kind, _, unit = _PARTED[name]
    curves = sorted(_read(project.search.sensitivity).of(kind), key=lambda c: -getattr(c, unit))
    yield from (curve.layer for curve in curves[: project.search.layers])


def parted(name: str, options: dict[str, Any], project: Project) -> dict[str, Any]:
    """The options with the amount layer by layer, where an analysis is given.

    Args:
        name: Of the pass.
        options: As they were chosen; shifts by `layer NAME` among them.
        project: Names the analysis.

    Raises:
        UsageError: No such analysis, or the amount is more than what was measured saves.
    """
    shifts = {key: options.pop(key) for key in list(options) if key.startswith(PREFIX)}
    if not project.search.sensitivity or name not in _PARTED:
        return options
    kind, key, unit = _PARTED[name]
    amount = options.get(key)
    if amount is None:
        return options
    share = 1 - amount if key == "macs" else amount
    levels = allocate(_read(project.search.sensitivity), kind, share, unit)
    for layer in levels:
        level = levels[layer] + shifts.get(f"{PREFIX}{layer}", 0.0)
        levels[layer] = round(min(max(level, 0.0), MOST), 4)
    if name == "remove":  # a share of each group instead of one budget for all
        del options[key]
        options["share"] = 0.0
    return {**options, "per_layer": {**levels, **options.get("per_layer", {})}}


@lru_cache(maxsize=4)
def _read(path: str) -> Sensitivity:
    return Sensitivity.from_file(Path(path))
