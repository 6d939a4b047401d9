"""Which layers are pruned, how far, and at which steps of the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgekit.bridge.lift import LiftedLayer
from edgekit.errors import ModelError, UsageError
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._allocate import lamp
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes.select import settings
from edgekit.problem import Problem

PRUNABLE = ("Conv2D", "Conv2DTranspose", "Conv3D", "Dense")
_UPDATES = 50  # choices of zeros between begin and end, where no frequency is given


@dataclass(frozen=True)
class Steps:
    """When the zeros of a layer are chosen anew, in optimiser steps counted from 1.

    Attributes:
        begin: The first time.
        end: The last time; a whole number of `frequency` after `begin`, or TFMOT would never
            come to the last choice.
        frequency: From one time to the next.
    """

    begin: int
    end: int
    frequency: int

    @classmethod
    def of(cls, options: PruneOptions, total: int) -> Steps:
        """The steps of a layer in a training of `total` steps.

        Raises:
            UsageError: They do not fit into the training.
        """
        if options.n_m:
            return cls(1, 1, 1)  # TFMOT chooses these zeros at the first step, once and for all
        begin = 1 + int(options.begin * (total - 1))
        span = max(int(options.end * total) - begin, 0)
        frequency = options.frequency or max(span // _UPDATES, 1)
        if options.frequency > max(span, 1):
            raise UsageError(
                f"frequency = {frequency}: the schedule is longer than the training, which has "
                f"{total} steps, {span} of them between begin and end",
                f"give a frequency of at most {max(span, 1)}, or more epochs",
            )
        return cls(begin, begin + span // frequency * frequency, frequency)

    def counted(self, calls: int) -> Steps:
        """As TFMOT counts: each of the `calls` of a layer in a step is one more."""
        begin, end = (calls * (step - 1) + 1 for step in (self.begin, self.end))
        return Steps(begin, end, calls * self.frequency)


def plan(
    layers: Sequence[LiftedLayer], options: PruneOptions
) -> tuple[dict[str, PruneOptions], list[Problem]]:
    """Layer name -> its own options, for those that are pruned, and notes about the others.

    Args:
        layers: All that there are, unwrapped.
        options: Of the pass.

    Raises:
        ModelError: No layer can be pruned.
        UsageError: The user named a layer that cannot be pruned, or all have enough zeros.
    """
    wanted = {name: own for name, own in wrapped.choose(layers, options).items() if own.target}
    found, unfit, fit = wrapped.sort_out(layers, options, wanted, _unfit)
    if not fit:
        raise _nothing(found, unfit)
    wanted |= _allocated(fit, wanted, options)
    done = [layer for layer in fit if _done(layer, wanted[layer.name])]
    if len(done) == len(fit):
        raise UsageError(
            f"{options.target:.3g} of the weights are to be zero, {_share(fit):.3g} are already",
            "ask for more, or leave this pass out",
        )
    return {
        each.name: wanted[each.name]
        for each in fit
        if each not in done and wanted[each.name].target
    }, [
        *wrapped.notes("prune", found, unfit),
        *wrapped.note(done, "prune leaves {} as is: it has enough zeros", "nothing needs doing"),
    ]


def _allocated(
    fit: Sequence[LiftedLayer], wanted: Mapping[str, PruneOptions], options: PruneOptions
) -> dict[str, PruneOptions]:
    """The options of layers that share the pass' own sparsity, each with its part of it."""
    if options.allocate == "uniform" or options.block != (1, 1) or options.n_m:
        return {}
    plain = options.variant({})
    common = {layer.name: layer.kernel_array() for layer in fit if wanted[layer.name] == plain}
    if not common:
        return {}
    return {
        name: replace(plain, sparsity=share, initial=min(plain.initial, share))
        for name, share in lamp(common, options.sparsity).items()
    }


def together(
    layers: Sequence[LiftedLayer], plans: Mapping[str, PruneOptions], options: PruneOptions
) -> dict[tuple[str, ...], float]:
    """Names of layers that share their zeros -> the share of zeros in all of them together.

    Args:
        layers: All that there are.
        plans: Layer name -> its own options, of those whose zeros are solved for.
        options: Of the pass.
    """
    alone = settings(layers, dict(options.per_layer)) if options.allocate == "auto" else plans
    pool = tuple(name for name in plans if name not in alone)
    groups: dict[tuple[str, ...], float] = {
        (name,): own.target for name, own in plans.items() if name not in pool
    }
    if pool:
        sizes = [layer.kernel_array().size for layer in layers if layer.name in pool]
        shares = [plans[layer.name].target for layer in layers if layer.name in pool]
        groups[pool] = float(np.average(shares, weights=sizes))
    return groups


def zeros(layer: LiftedLayer) -> float:
    """Share of zeros among the weights of a layer."""
    return float((wrapped.kernel_of(layer) == 0).mean())


def _share(layers: Sequence[LiftedLayer]) -> float:
    """Share of zeros among the weights of all these layers."""
    sizes = [wrapped.kernel_of(layer).size for layer in layers]
    return float(np.average([zeros(layer) for layer in layers], weights=sizes))


def _unfit(layer: LiftedLayer, options: PruneOptions) -> str:
    """Why a layer cannot be pruned in that way, empty where it can."""
    if layer.kind not in PRUNABLE:
        return f"cannot be pruned: TFMOT prunes no {layer.kind} kernels"
    if options.block != (1, 1) and layer.kind != "Dense":
        return "cannot be pruned in blocks: they are for Dense layers"
    if options.n_m and layer.kind not in ("Conv2D", "Dense"):
        return "cannot be pruned N:M: that is for Conv2D and Dense layers"
    if options.n_m and layer.layer.kernel.shape[-2] < options.pattern[1]:
        return f"cannot be pruned {options.n_m}: it has fewer than {options.pattern[1]} inputs"
    return ""


def _done(layer: LiftedLayer, options: PruneOptions) -> bool:
    """Whether a layer has the zeros already; blocks and rows are always looked at anew."""
    if options.block != (1, 1) or options.n_m:
        return False
    size = int(np.prod(layer.layer.kernel.shape))
    return zeros(layer) * size > options.target * size - 1


def _nothing(found: Sequence[LiftedLayer], unfit: dict[str, str]) -> ModelError:
    if not found:
        return ModelError("there is nothing to prune: sparsity is 0", "give a share above 0")
    first = found[0]
    return ModelError(
        f"there is nothing to prune: {first.name} ({first.kind}) {unfit[first.name]}",
        "leave prune out, or choose other layers or another kind of zeros",
    )
