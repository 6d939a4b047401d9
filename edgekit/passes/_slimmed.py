"""How `slim` works: channels are cut at each width, all widths learn in each step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.bridge.weights import KINDS
from edgekit.errors import ModelError, UsageError
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._sliced import KINDS as ABLE
from edgekit.passes._sliced import Slices, part, sliced
from edgekit.passes._slim_options import SlimOptions
from edgekit.passes.base import Candidate, Context, Variant
from edgekit.structure.dependencies import Dependencies, dependencies
from edgekit.structure.groups import groups
from edgekit.structure.shrink import shrink
from edgekit.structure.units import Mask

_RATE = 1e-2
"""Learning rate: narrow networks begin far from what they are to answer."""


@dataclasses.dataclass(frozen=True, eq=False)
class _Narrow:
    """A narrower network, lifted with parts of the whole one's kernels.

    Attributes:
        share: Of the channels.
        lifted: Its layers hold kernels that are not trained; their scales and biases are.
        slices: Layer name -> the part of the whole layer's kernel.
    """

    share: float
    lifted: Lifted
    slices: Mapping[str, Slices]


def slimmed(name: str, candidate: Candidate, options: SlimOptions, context: Context) -> Candidate:
    """The candidate trained at all widths, and each other width of it; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    whole, known = lift(candidate.tflite), dependencies(read(candidate.tflite))
    _refuse(whole, known)
    narrow = [_cut(candidate.tflite, whole, known, share, options) for share in options.widths]
    together = _together(whole, narrow)
    planned = wrapped.training(context, _RATE)
    title = f"{1 + len(narrow)} widths"
    trained = wrapped.train(candidate, context, together, planned, title=title)
    variants = tuple(Variant(f"{each.share:g}", _lowered(each, whole)) for each in narrow)
    entry = wrapped.make_entry(name, options, planned, trained, _told(variants))
    after = wrapped.finish(candidate, whole, entry=entry)
    return dataclasses.replace(after, variants=variants)


def _refuse(whole: Lifted, known: Dependencies) -> None:
    """Raise ModelError where nothing can be narrower, or a layer cannot be cut."""
    if not known.free.any():
        raise ModelError("no layer has channels that could leave", "leave slim out")
    cut = {site.op for site in known.sites if known.free[site.units].any()}
    for layer in whole.layers:
        grouped = layer.kind == "Conv2D" and layer.layer.groups > 1
        again = len(layer.ops) > 1
        many = layer.kind == "DepthwiseConv2D" and layer.layer.depth_multiplier > 1
        if cut.intersection(layer.ops) and (layer.kind not in ABLE or grouped or many or again):
            raise ModelError(
                f"{layer.name} ({layer.kind}) cannot be cut to a width",
                "leave slim out: it cuts Conv2D, Dense and plain DepthwiseConv2D, each called once",
            )


def _keep(known: Dependencies, share: float, least: int) -> Mask:
    """The first channels of each group of layers; what is frozen stays."""
    keep = np.ones(known.count, bool)
    rows: dict[int, None] = {}
    for site in known.made("rows"):
        rows |= {int(unit): None for unit in site.units}
    place = {unit: number for number, unit in enumerate(rows)}
    for group in groups(known):
        if group.why:
            continue
        units = sorted(map(int, group.units), key=place.__getitem__)
        width = min(len(units), max(least, round(share * len(units))))
        keep[units[width:]] = False
    return keep


def _cut(
    tflite: bytes, whole: Lifted, known: Dependencies, share: float, options: SlimOptions
) -> _Narrow:
    keep = _keep(known, share, options.least)
    if keep.all():
        raise UsageError(
            f"widths: {share:g} of the channels is as wide as the whole network",
            "give a smaller share, or a lower least",
        )
    slices = {layer.name: _slices(layer, known, keep) for layer in whole.layers}
    by_name = {layer.name: layer for layer in whole.layers}

    def wrap(layer: LiftedLayer) -> Any:
        return sliced(layer, by_name[layer.name], slices[layer.name])

    lifted = lift(shrink(tflite, known, keep), wrap=wrap)
    for layer in lifted.layers:
        _begin(layer, by_name[layer.name], slices[layer.name])
    return _Narrow(share, lifted, slices)


def _slices(layer: LiftedLayer, known: Dependencies, keep: Mask) -> Slices:
    kind = KINDS[layer.op.name]
    return {
        kind.order.index(site.axis): np.flatnonzero(keep[site.units])
        for site in known.sites
        if site.op == layer.op.index and site.place == kind.kernel
    }


def _begin(narrow: LiftedLayer, whole: LiftedLayer, slices: Slices) -> None:
    """Give a narrow layer the whole one's scales and biases, which it then trains as its own."""
    assert narrow.scale is not None, "lifted in the normalised form"
    assert whole.scale is not None, "lifted in the normalised form"
    channel = KINDS[whole.op.name].order.index(KINDS[whole.op.name].channel)
    kept = slices.get(channel)
    weights = whole.scale.get_weights()
    narrow.scale.set_weights([each if kept is None else each[kept] for each in weights])


def _together(whole: Lifted, narrow: Sequence[_Narrow]) -> Lifted:
    """All widths as one network with an output each, so that every step trains all of them."""
    inputs = list(whole.scores.inputs)
    given = inputs[0] if len(inputs) == 1 else inputs
    outputs = list(whole.scores.outputs)
    if len(outputs) != 1:
        raise ModelError(
            f"the model has {len(outputs)} outputs, and slim is for one", "leave slim out"
        )
    scores = [*outputs, *(each.lifted.scores(given) for each in narrow)]
    model = _tf.tf_keras().Model(inputs, scores)
    heads = whole.heads * len(scores)
    return dataclasses.replace(whole, model=model, scores=model, heads=heads, exits=len(narrow))


def _lowered(narrow: _Narrow, whole: Lifted) -> bytes:
    """The narrow network as a flatbuffer, with parts of the trained kernels."""
    trained = {layer.name: layer for layer in whole.layers}
    for layer in narrow.lifted.layers:
        kernel = part(trained[layer.name].kernel_variable, narrow.slices[layer.name])
        layer.kernel_variable.assign(kernel)
    return lower(narrow.lifted)


def _told(variants: Sequence[Variant]) -> dict[str, dict[str, float]]:
    """Width -> parameters and multiply-accumulates."""
    graphs = {each.name: read(each.tflite) for each in variants}
    return {
        f"width {name}": {
            "parameters": float(count.parameters(graph)),
            "macs": float(count.macs(graph)),
        }
        for name, graph in graphs.items()
    }
