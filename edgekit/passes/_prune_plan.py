"""Which layers are pruned, and how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.errors import ModelError, UsageError
from edgekit.passes import _fused
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._allocate import Costs
from edgekit.passes._chosen import choose_layers, note, notes, sort_out
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes._shares import allocated, amounts, budget
from edgekit.passes._zeros import matrix, zeros
from edgekit.passes.base import Candidate, Context
from edgekit.passes.select import meant, settings
from edgekit.problem import Problem
from edgekit.structure.heads import widths

PRUNABLE = ("Conv2D", "Conv2DTranspose", "Conv3D", "Dense", "DepthwiseConv2D")
_IN_BLOCKS = ("Conv2D", "Dense", "DepthwiseConv2D")


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        layers: Layer name -> its own options, `sparsity` being the share of zeros it is to have.
        fused: Name of a recurrent layer that cannot be trained -> the share of zeros it is to have.
        costs: Layer name -> what a weight counts in the share of several layers together.
        problems: About the layers that are left as they are.
    """

    layers: dict[str, PruneOptions]
    fused: dict[str, float] = field(default_factory=dict)
    costs: Costs = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def plan(candidate: Candidate, options: PruneOptions, context: Context) -> Plan:
    """The layers that are pruned, each with its share.

    Args:
        candidate: Before the pass.
        options: Of the pass.
        context: Its rows tell how sensitive layers are.

    Raises:
        ModelError: No layer can be pruned, or weights are NaN.
        UsageError: The user named a layer that cannot be pruned, or all have enough zeros.
    """
    layers = lift(candidate.tflite).layers
    heads, recurrent = widths(candidate.tflite), _fused.find(candidate.tflite)
    chosen = choose_layers([*layers, *recurrent], options)  # type: ignore[list-item]
    fused = _recurrent(recurrent, chosen, options)
    wanted = {
        layer.name: _settled(layer, chosen[layer.name], heads.get(layer.name, 0))
        for layer in layers
        if layer.name in chosen and chosen[layer.name].target
    }

    def why(layer: LiftedLayer, own: PruneOptions) -> str:
        named = any(meant(layer, each) for each in (options.layers, dict(options.per_layer)))
        return _unfit(layer, own, named)

    found, unfit, fit = sort_out(layers, options, wanted, why)
    if fused and not fit:
        return Plan({}, fused, problems=notes("prune", found, unfit))
    if not fit:
        raise _nothing(found, unfit)
    _refuse_nan(fit)
    plain = _pool(fit, chosen, options)
    pruned = {layer.name: wanted[layer.name] for layer in fit}
    costs, share = budget(candidate.tflite, layers, plain, pruned, options)
    wanted |= allocated(candidate, plain, wanted, costs, share, options, context)
    done = [layer for layer in fit if _done(layer, wanted[layer.name])]
    if len(done) == len(fit) and not fused:
        raise UsageError(
            f"{_share(fit, wanted):.3g} of the weights are to be zero, "
            f"{_share(fit):.3g} are already",
            "ask for more, or leave this pass out",
        )
    return Plan(
        {
            each.name: wanted[each.name]
            for each in fit
            if each not in done and wanted[each.name].target
        },
        fused,
        costs,
        [
            *notes("prune", found, unfit),
            *note(done, "prune leaves {} as is: it has enough zeros", "nothing needs doing"),
        ],
    )


def _recurrent(
    layers: Sequence[_fused.Fused], chosen: Mapping[str, PruneOptions], options: PruneOptions
) -> dict[str, float]:
    """Name -> share of zeros of those that are named: what they lose no training gives back."""
    found = {}
    for layer in layers:
        named = any(meant(layer, each) for each in (options.layers, dict(options.per_layer)))
        own = chosen.get(layer.name)
        if not named or own is None or not own.target:
            continue
        if own.shaped or own.schedule == "splicing":
            raise UsageError(
                f"{layer.name} ({layer.kind}) is one operator, whose weights go one by one and "
                "before the training",
                "leave block, heads, n_m and splicing out for it, or import it with unroll=True",
            )
        found[layer.name] = amounts(layer, own).target
    return found


def _settled(layer: LiftedLayer, own: PruneOptions, head: int) -> PruneOptions:
    """With the sides of blocks, and the share of the weights, that the options mean here."""
    if own.heads and head:
        own = replace(own, heads=False, block=(head, 0))
    if own.blocks and layer.kind in _IN_BLOCKS:
        shape = matrix(layer, wrapped.kernel_of(layer)).shape
        height, width = (side or whole for side, whole in zip(own.block, shape, strict=True))
        own = replace(own, block=(height, width))
    return amounts(layer, own)


def _pool(
    fit: Sequence[LiftedLayer], chosen: Mapping[str, PruneOptions], options: PruneOptions
) -> list[LiftedLayer]:
    """The layers whose zeros are a common matter: those that no exception is made of."""
    if options.n_m or options.threshold or options.sigma:
        return []
    return [layer for layer in fit if chosen[layer.name] == options.variant({})]


def together(
    layers: Sequence[LiftedLayer],
    plans: Mapping[str, PruneOptions],
    options: PruneOptions,
    costs: Costs,
) -> dict[tuple[str, ...], float]:
    """Names of layers that share their zeros -> the share of zeros in all of them together.

    Args:
        layers: All that there are.
        plans: Layer name -> its own options, of those whose zeros are solved for.
        options: Of the pass.
        costs: Layer name -> what a weight counts.
    """
    alone = settings(layers, dict(options.per_layer)) if options.allocate == "auto" else plans
    pool = tuple(name for name in plans if name not in alone)
    groups: dict[tuple[str, ...], float] = {
        (name,): own.target for name, own in plans.items() if name not in pool
    }
    if pool:
        sizes = [e.kernel_array().size * costs.get(e.name, 1.0) for e in layers if e.name in pool]
        shares = [plans[layer.name].target for layer in layers if layer.name in pool]
        groups[pool] = float(np.average(shares, weights=sizes))
    return groups


def _share(layers: Sequence[LiftedLayer], plans: Mapping[str, PruneOptions] | None = None) -> float:
    """Share of zeros among the weights of all these layers: that there are, or are planned."""
    sizes = [wrapped.kernel_of(layer).size for layer in layers]
    shares = [plans[layer.name].target if plans else zeros(layer) for layer in layers]
    return float(np.average(shares, weights=sizes))


def _unfit(layer: LiftedLayer, own: PruneOptions, named: bool) -> str:
    """Why a layer cannot be pruned in that way, empty where it can."""
    if layer.kind not in PRUNABLE:
        return f"cannot be pruned: there is no pruner for {layer.kind} kernels"
    if layer.kind == "DepthwiseConv2D" and not named:
        return "is a DepthwiseConv2D, and not named: its few weights are missed most"
    if own.heads:
        return "reads no attention heads"
    if own.blocks and layer.kind not in _IN_BLOCKS:
        return f"cannot be pruned in blocks: they are for {', '.join(_IN_BLOCKS)} layers"
    if own.n_m and layer.kind not in ("Conv2D", "Dense"):
        return "cannot be pruned N:M: that is for Conv2D and Dense layers"
    if own.n_m and layer.layer.kernel.shape[-2] < own.pattern[1]:
        return f"cannot be pruned {own.n_m}: it has fewer than {own.pattern[1]} inputs"
    return ""


def _refuse_nan(layers: Sequence[LiftedLayer]) -> None:
    for layer in layers:
        if not np.isfinite(layer.kernel_array()).all():
            raise ModelError(
                f"the weights of {layer.name} hold NaN or infinity", "export the model anew"
            )


def _done(layer: LiftedLayer, options: PruneOptions) -> bool:
    """Whether a layer has the zeros already; blocks and rows are always looked at anew."""
    if options.shaped:
        return False
    return zeros(layer) * layer.kernel_array().size > options.target * layer.kernel_array().size - 1


def _nothing(found: Sequence[LiftedLayer], unfit: dict[str, str]) -> ModelError:
    if not found:
        return ModelError("there is nothing to prune: sparsity is 0", "give a share above 0")
    first = found[0]
    return ModelError(
        f"there is nothing to prune: {first.name} ({first.kind}) {unfit[first.name]}",
        "leave prune out, or choose other layers or another kind of zeros",
    )
