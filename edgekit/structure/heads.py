"""Layers that read attention heads, and how wide the heads are."""

from __future__ import annotations

import numpy as np

from edgekit.bridge.names import layer_names
from edgekit.graph.read import read
from edgekit.structure.dependencies import dependencies


def widths(tflite: bytes) -> dict[str, int]:
    """Layer name -> inputs in a row that belong to one head, for layers that read several heads.

    A head is a unit of the dependency graph that several inputs in a row stand for.
    """
    known = dependencies(read(tflite))
    names = layer_names(known.graph)
    found = {}
    for site in known.made("columns"):
        steps = np.flatnonzero(np.diff(site.units)) + 1
        runs = np.diff([0, *steps, len(site.units)])
        alike = len(runs) > 1 and runs[0] > 1 and bool((runs == runs[0]).all())
        if alike and len(np.unique(site.units)) == len(runs):
            found[names[site.op]] = int(runs[0])
    return found
