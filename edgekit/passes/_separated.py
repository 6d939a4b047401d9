"""How `depthwise_separable` works: layers are replaced from first to last, then it trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.bridge.makers import thinned
from edgekit.errors import ModelError, UsageError
from edgekit.graph.count import layer_macs
from edgekit.graph.read import read
from edgekit.passes._chosen import choose_layers, notes, sort_out
from edgekit.passes._depthwise import separated
from edgekit.passes._depthwise_options import DepthwiseOptions
from edgekit.passes._low_rank_options import LowRankOptions
from edgekit.passes._low_rank_plan import by_budget
from edgekit.passes._solve import LARGEST, fits
from edgekit.passes._splittable import Choice, Splittable, places_of
from edgekit.passes._thin import thin
from edgekit.passes._weighed import weighed
from edgekit.passes._wrapped import trained
from edgekit.passes.base import Candidate, Context
from edgekit.structure.split import split

NAME = "depthwise_separable"
_MOST = 4  # channels of an input that a budget tries
_COSTS_MORE = "costs less whole than as a depthwise and a 1 x 1 layer, or as the budget is kept"
Told = dict[str, dict[str, float]]


@dataclass(frozen=True, eq=False)
class Separable(Splittable):
    """A convolution that may become a depthwise and a 1 x 1 one.

    Attributes:
        multiplier: Channels of an input, where no budget finds it.
    """

    multiplier: int = 1

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The multipliers that pay: one, or all that a budget may choose from."""
        height, width = self.kernel.window
        most = min(_MOST, height * width)
        tried = range(1, most + 1) if self.options.macs else [self.multiplier]
        found = [self.separate(multiplier) for multiplier in tried]
        return tuple(each for each in found if self.pays(each))

    def separate(self, multiplier: int) -> Choice:
        """What it costs and loses."""
        lost = self.kernel.error(separated(self.kernel, multiplier).product)
        return self.choice("depthwise", multiplier * self.kernel.values.shape[2], lost)


def separable(
    name: str, candidate: Candidate, options: DepthwiseOptions, context: Context
) -> Candidate:
    """The candidate with layers replaced, fine-tuned; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    after, told = separate_layers(candidate, options, context)
    count = sum(each["multiplier"] > 0 for each in told.values())
    title = f"{count} layer{'s' * (count > 1)} replaced"
    return trained(name, options, after, context, told=told, title=title)


def separate_layers(
    candidate: Candidate, options: DepthwiseOptions, context: Context
) -> tuple[Candidate, Told]:
    """The candidate with layers replaced before any training, and what each layer has now.

    Raises:
        EdgekitError: As `Base.run`.
    """
    lifted, graph = lift(candidate.tflite, form="folded"), read(candidate.tflite)
    settings = choose_layers(lifted.layers, options)
    found, unfit, able = sort_out(lifted.layers, options, settings, _why)
    if not able:
        shown = "; ".join(f"{layer} {why}" for layer, why in list(unfit.items())[:6])
        raise ModelError(f"there is nothing to replace: {shown}", f"leave {NAME} out")
    context.progress.step(f"looking at {len(able)} convolution{'s' * (len(able) > 1)}")
    kernels = weighed(lifted, able, options.weighted, context)
    inner = LowRankOptions(weighted=options.weighted, macs=options.macs)
    layers = [
        Separable(layer, kernel, places_of(graph, layer), inner, settings[layer.name].multiplier)
        for layer, kernel in zip(able, kernels, strict=True)
    ]
    chosen = _chosen(layers, sum(layer_macs(graph)), inner)
    if not chosen:
        raise UsageError(
            f"no layer is replaced: {layers[0].layer.name}"
            f"{' and the others' * bool(layers[1:])} would cost more",
            f"ask for less: a lower multiplier, or a budget (macs=0.5); or leave {NAME} out",
        )
    unfit |= {each.layer.name: _COSTS_MORE for each in layers if each.layer.name not in chosen}
    thick = [each for each in layers if each.layer.name in chosen]
    parts = thin(thick, chosen, candidate.tflite, context)
    after = dataclasses.replace(
        candidate,
        tflite=split(candidate.tflite, parts)[0],
        problems=(*candidate.problems, *notes(NAME, found, unfit)),
    )
    return after, {each.layer.name: _told(each, chosen.get(each.layer.name)) for each in layers}


def _chosen(layers: Sequence[Separable], macs: int, options: LowRankOptions) -> dict[str, Choice]:
    """Layer name -> how it is replaced; layers that stay are left out."""
    if options.macs:
        found = by_budget(layers, {"macs": macs}, options, "a multiplier of 1 everywhere")
        return {name: choice for name, choice in found.items() if choice.split}
    return {each.layer.name: each.choices[0] for each in layers if each.choices}


def _why(layer: LiftedLayer, options: DepthwiseOptions) -> str:
    """Why a layer cannot be replaced, "" where it can."""
    if layer.kind != "Conv2D":
        return f"is a {layer.kind}"
    of: Any = layer.layer
    if tuple(of.kernel_size) == (1, 1):
        return "has a window of 1 x 1"
    if len(layer.ops) > 1:
        return "is called several times"
    if of.groups > 1 or thinned(layer.op):
        return "has groups, or both strides and dilations"
    if of.strides[0] != of.strides[1]:
        return "has another stride down than across, which depthwise layers cannot have"
    return "" if fits(layer) else f"has more than {LARGEST:,} inputs"


def _told(each: Separable, choice: Choice | None) -> dict[str, float]:
    """Multiplier (0: whole), and what the layer is and was."""
    multiplier = choice.rank // each.kernel.values.shape[2] if choice else 0
    return {"multiplier": float(multiplier), **each.told(choice or each.whole)}
