"""How `low_rank` works: ranks are chosen, layers split from first to last, then it trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.bridge.makers import thinned
from edgekit.bridge.names import layer_names
from edgekit.errors import ModelError, UsageError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.passes._chosen import choose_layers, notes, sort_out
from edgekit.passes._low_rank_options import LowRankOptions
from edgekit.passes._low_rank_plan import choose
from edgekit.passes._solve import LARGEST, fits
from edgekit.passes._splittable import Choice, Splittable, places_of
from edgekit.passes._thin import thin
from edgekit.passes._weighed import weighed
from edgekit.passes._wrapped import trained
from edgekit.passes.base import Candidate, Context
from edgekit.passes.promises import Promise
from edgekit.structure.split import Made, Parts, split

NAME = "low_rank"


def low_ranked(
    name: str, candidate: Candidate, options: LowRankOptions, context: Context
) -> Candidate:
    """The candidate with split layers, fine-tuned; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    after, told = split_layers(candidate, options, context)
    count = sum(each["parameters"] < each["parameters_before"] for each in told.values())
    title = f"{count} layer{'s' * (count > 1)} split"
    return trained(name, options, after, context, told=told, title=title)


def split_layers(
    candidate: Candidate, options: LowRankOptions, context: Context
) -> tuple[Candidate, dict[str, dict[str, float]]]:
    """The candidate with split layers before any training, and what each layer has now.

    Raises:
        EdgekitError: As `Base.run`.
    """
    lifted, graph = lift(candidate.tflite, form="folded"), read(candidate.tflite)
    settings = choose_layers(lifted.layers, options)
    found, unfit, able = sort_out(lifted.layers, options, settings, _why)
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
        problems=(*candidate.problems, *notes(NAME, found, unfit)),
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
    """Layer name -> rank, and what the layer is and was."""
    told = {}
    for each in layers:
        choice = chosen.get(each.layer.name, each.whole)
        of = float(min(each.kernel.matrix.shape))
        told[each.layer.name] = {"rank": float(choice.rank), "of": of, **each.told(choice)}
    return told
