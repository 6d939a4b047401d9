"""The share of zeros of each layer: by thresholds, or a part of what layers have together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import LiftedLayer
from edgekit.errors import UsageError
from edgekit.graph.count import layer_macs
from edgekit.graph.read import read
from edgekit.passes import _allocate
from edgekit.passes._allocate import Costs
from edgekit.passes._by_sensitivity import parted
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes.base import Candidate, Context
from edgekit.sensitivities.allocate import Unit

_MOST = 0.999


class HasKernel(Protocol):
    """What thresholds are compared with."""

    def kernel_array(self) -> NDArray[Any]:
        """The weights as they are used."""


def amounts(layer: HasKernel, own: PruneOptions) -> PruneOptions:
    """Options with the share of zeros that a threshold comes to."""
    if not own.threshold and not own.sigma:
        return own
    kernel = layer.kernel_array()
    limit = own.threshold or own.sigma * float(kernel.std())
    share = float((np.abs(kernel) < limit).mean())
    most = 1 - 1 / kernel.size
    return replace(
        own, sparsity=min(share, most), threshold=0.0, sigma=0.0, schedule=_by_magnitude(own)
    )


def _by_magnitude(own: PruneOptions) -> Any:
    """A threshold is of magnitudes, also when it has become a share."""
    return "polynomial" if own.schedule == "auto" else own.schedule


def budget(
    tflite: bytes,
    layers: Sequence[LiftedLayer],
    pool: Sequence[LiftedLayer],
    wanted: Mapping[str, PruneOptions],
    options: PruneOptions,
) -> tuple[dict[str, float], float]:
    """What a weight of each layer of the pool costs, and the share of all costs that is to go.

    Args:
        tflite: The float flatbuffer.
        layers: All with weights.
        pool: Those whose zeros are a common matter.
        wanted: Layer name -> its own options, for those that are pruned.
        options: Of the pass.

    Raises:
        UsageError: A count of multiply-accumulates that the other layers alone exceed.
    """
    if not options.macs:
        return {}, options.sparsity
    counts = layer_macs(read(tflite))
    macs = {each.name: float(sum(counts[op] for op in each.ops)) for each in layers}
    names = {each.name for each in pool}
    rest = sum(
        macs[each.name] * _left(each, wanted.get(each.name))
        for each in layers
        if each.name not in names
    )
    mine, allowed = sum(macs[name] for name in names), options.macs * sum(macs.values())
    share = 1 - (allowed - rest) / max(mine, 1.0)
    if share > _MOST:
        raise UsageError(
            f"macs = {options.macs:g} cannot be reached: the layers that are not pruned by it have "
            f"{rest / sum(macs.values()):.2f} of them",
            "ask for less, or let more layers be pruned",
        )
    costs = {each.name: macs[each.name] / each.kernel_array().size for each in pool}
    return costs, max(share, 0.0)


def _left(layer: LiftedLayer, own: PruneOptions | None) -> float:
    there = 1 - float((layer.kernel_array() == 0).mean())
    return there if own is None else min(there, 1 - own.target)


def allocated(
    candidate: Candidate,
    pool: Sequence[LiftedLayer],
    wanted: Mapping[str, PruneOptions],
    costs: Costs,
    share: float,
    options: PruneOptions,
    context: Context,
) -> dict[str, PruneOptions]:
    """Layer name -> its options with its part of the common share.

    Args:
        candidate: Before the pass.
        pool: Layers whose zeros are a common matter.
        wanted: Layer name -> its own options.
        costs: Of a weight.
        share: Of all costs, that is to go.
        options: Of the pass.
        context: Rows to measure sensitivity on.
    """
    if not pool:
        return {}
    kernels = {layer.name: layer.kernel_array() for layer in pool}
    return {
        name: replace(
            wanted[name],
            sparsity=one,
            initial=min(wanted[name].initial, one),
            macs=0.0,
        )
        for name, one in _parts(candidate, kernels, costs, share, options, context).items()
    }


def _parts(
    candidate: Candidate,
    kernels: Mapping[str, NDArray[Any]],
    costs: Costs,
    share: float,
    options: PruneOptions,
    context: Context,
) -> dict[str, float]:
    if options.allocate == "sensitivity":
        unit: Unit = "macs" if costs else "parameters"
        names = list(kernels)
        return parted(candidate.tflite, names, share, unit, options.sensitivity, context)
    if options.allocate == "sigma":
        return _allocate.sigmas(kernels, share, costs)
    if options.allocate == "uniform" or options.shaped:
        return dict.fromkeys(kernels, share)
    return _allocate.lamp(kernels, share, costs)
