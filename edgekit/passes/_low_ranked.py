"""How `low_rank` works: ranks are chosen, layers split from first to last, then it trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.makers import thinned
from edgekit.bridge.names import layer_names
from edgekit.errors import ModelError, UsageError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._factors import Kernel, damped
from edgekit.passes._fisher import fisher
from edgekit.passes._low_rank_options import LowRankOptions
from edgekit.passes._low_rank_plan import Choice, Splittable, choose, places_of
from edgekit.passes._moments import own
from edgekit.passes._solve import LARGEST, fits
from edgekit.passes._thin import centred, thin
from edgekit.passes.base import Candidate, Context
from edgekit.passes.promises import Promise
from edgekit.structure.split import Made, Parts, split

Array = NDArray[Any]
NAME = "low_rank"
_LEAST_FELT = 0.01
"""Of the mean over channels: that few rows did not feel a channel does not mean that none does."""


def low_ranked(
    name: str, candidate: Candidate, options: LowRankOptions, context: Context
) -> Candidate:
    """The candidate with split layers, fine-tuned; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    after, told = split_layers(candidate, options, context)
    planned, lifted = wrapped.training(context), lift(after.tflite)
    count = sum(each["parameters"] < each["parameters_before"] for each in told.values())
    title = f"{count} layer{'s' * (count > 1)} split"
    trained = wrapped.train(after, context, lifted, planned, title=title)
    entry = wrapped.make_entry(name, options, planned, trained, told)
    return wrapped.finish(after, lifted, entry=entry)


def split_layers(
    candidate: Candidate, options: LowRankOptions, context: Context
) -> tuple[Candidate, dict[str, dict[str, float]]]:
    """The candidate with split layers before any training, and what each layer has now.

    Raises:
        EdgekitError: As `Base.run`.
    """
    lifted, graph = lift(candidate.tflite, form="folded"), read(candidate.tflite)
    settings = wrapped.choose(lifted.layers, options)
    found, unfit, able = wrapped.sort_out(lifted.layers, options, settings, _why)
    if not able:
        raise ModelError(f"there is nothing to split: {_whys(unfit)}", "leave low_rank out")
    context.progress.step(f"choosing the ranks of {len(able)} layer{'s' * (len(able) > 1)}")
    kernels = weighed(lifted, able, options.weighted, context)
    layers = [
        Splittable(layer, kernel, places_of(graph, layer), settings[layer.name])
        for layer, kernel in zip(able, kernels, strict=True)
    ]
    chosen = choose(layers, graph, _parameters(lifted.layers), options)
    if not chosen:
        raise _nothing(layers)
    unfit |= {each.layer.name: _COSTS_MORE for each in layers if each.layer.name not in chosen}
    thick = [each for each in layers if each.layer.name in chosen]
    parts = thin(thick, chosen, candidate.tflite, context)
    tflite, made = split(candidate.tflite, parts)
    traits = {"sparse"} if any(each.beside is not None for each in parts.values()) else set()
    after = dataclasses.replace(
        candidate,
        tflite=tflite,
        traits=candidate.traits | traits,
        promises=(*candidate.promises, *_promises(read(tflite), parts, made)),
        problems=(*candidate.problems, *wrapped.notes(NAME, found, unfit)),
    )
    return after, _told(layers, chosen)


def _nothing(layers: Sequence[Splittable]) -> UsageError:
    others = " and the others" if layers[1:] else ""
    return UsageError(
        f"no layer is split: two thin ones would cost more than {layers[0].layer.name}{others}",
        "ask for less: a lower energy, or macs=0.5 or parameters=0.5; or leave low_rank out",
    )


_COSTS_MORE = "costs less whole than as two thin ones that lose as little as is asked for"


def _why(layer: LiftedLayer, options: LowRankOptions) -> str:
    """Why a layer cannot be split, "" where it can."""
    if fits(layer):
        return ""
    if layer.kind == "DepthwiseConv2D":
        return "has a kernel of one input a channel, which has no rank to lower"
    if layer.kind not in ("Conv2D", "Dense"):
        return f"is a {layer.kind}"
    if len(layer.ops) > 1:
        return "is called several times"
    if layer.kind == "Conv2D" and (layer.layer.groups > 1 or thinned(layer.op)):
        return "has groups, or both strides and dilations"
    return f"has more than {LARGEST:,} inputs"


def _whys(unfit: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {why}" for name, why in list(unfit.items())[:6])


def _parameters(layers: Sequence[LiftedLayer]) -> int:
    biases = [layer.bias_array() for layer in layers]
    return sum(layer.kernel_array().size for layer in layers) + sum(
        bias.size for bias in biases if bias is not None
    )


def weighed(
    lifted: Lifted, layers: Sequence[LiftedLayer], weighted: bool, context: Context
) -> list[Kernel]:
    """The weights of each layer, and what their errors weigh.

    Raises:
        ModelError: The model gives what is no number.
    """
    values = [_values(layer) for layer in layers]
    if not weighted:
        return [Kernel(v, np.eye(v[..., 0].size), np.ones(v.shape[-1])) for v in values]
    temperature = context.fine_tune.temperature
    felt = fisher(lifted, layers, context.rows, temperature=temperature, seed=context.seed)
    unknown = max((float(each.mean()) for each in felt.values()), default=1.0)
    moments = [centred(m)[0] for m in own(lifted, layers, context.rows)]
    _refuse_nan(moments)
    return [
        Kernel(v, damped(m), _floor(felt.get(layer.name, np.full(v.shape[-1], unknown))))
        for layer, v, m in zip(layers, values, moments, strict=True)
    ]


def _values(layer: LiftedLayer) -> Array:
    kernel = layer.kernel_array().astype(np.float64)
    return kernel.reshape(1, 1, *kernel.shape) if kernel.ndim == 2 else kernel


def _floor(felt: Array) -> Array:
    return np.asarray(felt + _LEAST_FELT * felt.mean() + np.finfo(np.float32).tiny)


def _refuse_nan(moments: Sequence[Array]) -> None:
    if not all(np.isfinite(each).all() for each in moments):
        raise ModelError(
            "the model gives NaN or infinity, so that its layers cannot be judged",
            "check the model and its preprocessing",
        )


def _promises(graph: Graph, parts: Mapping[int, Parts], made: Mapping[int, Made]) -> list[Promise]:
    """Of each first layer its rank, of what lies beside its zeros."""
    makers = {op.inputs[1]: op for op in graph.ops if len(op.inputs) > 1}
    names, found = layer_names(graph), []
    for number, each in parts.items():
        first = made[number].first
        rank = float(each.first.shape[-1])
        found.append(Promise(names[makers[first].index], first, "rank", rank))
        if each.beside is not None:
            beside = made[number].beside
            zeros = float((each.beside == 0).mean())
            found.append(Promise(names[makers[beside].index], beside, "sparsity", zeros))
    return found


def _told(
    layers: Sequence[Splittable], chosen: Mapping[str, Choice]
) -> dict[str, dict[str, float]]:
    """Layer name -> rank, parameters and multiply-accumulates, now and before, and what is kept."""
    told = {}
    for each in layers:
        choice = chosen.get(each.layer.name, each.whole)
        energy = 1 - choice.lost / each.kernel.energy if each.kernel.energy else 1.0
        told[each.layer.name] = {
            "rank": float(choice.rank),
            "of": float(min(each.kernel.matrix.shape)),
            "energy": round(energy, 4),
            "parameters": float(choice.parameters),
            "parameters_before": float(each.whole.parameters),
            "macs": float(choice.macs),
            "macs_before": float(each.whole.macs),
        }
    return told
