"""Units that nobody hears: the weights that read them are zero, and all sizes stay."""

from __future__ import annotations

import numpy as np

from edgekit.graph import edit
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.units import Mask


def silence(data: bytes, known: Dependencies, keep: Mask) -> bytes:
    """The flatbuffer, which computes what `shrink` would give it to compute.

    Args:
        data: That `known` is about.
        known: Its units.
        keep: bool [units].
    """
    model = edit.unpack(data)
    for site in known.made("columns"):
        tensor = model.subgraphs[0].tensors[known.graph.ops[site.op].inputs[site.place]]
        values = edit.constant(model, tensor)
        assert values is not None, "sites are constants"
        np.moveaxis(values, site.axis, 0)[~keep[site.units]] = 0
        edit.set_constant(model, tensor, values)
    return edit.pack(model)
