"""How `quantize_bits` and `binarize` work: levels around layers, trained and taken off again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.errors import ModelError
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._bits_options import BinarizeOptions, Levels, QuantizeBitsOptions
from edgekit.passes._chosen import choose_layers, notes, sort_out
from edgekit.passes._few_values import achieved, numbers, promise, snap
from edgekit.passes._keep import clustered, positive, sparse
from edgekit.passes._levels import Leveled
from edgekit.passes._solve import fits
from edgekit.passes.base import Candidate, Context
from edgekit.problem import Problem

Options = QuantizeBitsOptions | BinarizeOptions
RATES = {"even": 2e-3, "sign": 1e-2, "threshold": 1e-2}
_BOOK = "shares values already: a pass before this one saw to that"


def leveled(name: str, candidate: Candidate, options: Options, context: Context) -> Candidate:
    """The candidate with weights on few levels, and the promise of how many.

    Args:
        name: Of the pass.
        candidate: The model, as the pass before left it.
        options: Of the pass.
        context: Rows, teacher, fine-tuning, seed, progress.

    Raises:
        EdgekitError: As `Base.run`.
    """
    found = lift(candidate.tflite).layers
    rules, problems = _plan(name, candidate, found, options)
    planned = wrapped.training(context, max(RATES[each.rule] for each in rules.values()))
    made: dict[str, Leveled] = {}

    def wrap(layer: LiftedLayer) -> Any:
        if layer.name not in rules:
            return layer.layer
        zeros = sparse(candidate, layer)
        made[layer.name] = Leveled(layer, rules[layer.name], zeros=zeros)
        return made[layer.name].wrapper

    lifted = lift(candidate.tflite, wrap=wrap)
    layers = [layer for layer in lifted.layers if layer.name in made]
    exact = [made[each.name] for each in found if each.name in made and fits(each)]
    snap(exact, lifted, candidate.tflite, context)
    trained = wrapped.train(
        candidate,
        context,
        lifted,
        planned,
        holding=made,
        above_zero=positive(layers),
        title=_title(rules),
    )
    scales = {each.layer.kernel: each.strip() for each in made.values()}
    return wrapped.finish(
        candidate,
        lifted,
        entry=wrapped.make_entry(
            name, options, planned, trained, {each.name: achieved(each) for each in layers}
        ),
        promises=[promise(each, rules[each.name].count) for each in layers],
        scales=scales,
        problems=problems,
    )


def _plan(
    name: str, candidate: Candidate, layers: Sequence[LiftedLayer], options: Options
) -> tuple[dict[str, Levels], list[Problem]]:
    """Layer name -> its levels, for those that are worked on, and notes about the others.

    Raises:
        ModelError: There is none.
        UsageError: The user named a layer that cannot be worked on.
    """

    def unfit(layer: LiftedLayer, own: Options) -> str:
        if clustered(candidate, layer):
            return _BOOK
        if own.rule.rule == "sign" and sparse(candidate, layer):
            return "has zeros that were promised, and signs have none: levels = 3 has"
        return own.unfit(layer.kind)

    wanted: Mapping[str, Options] = choose_layers(layers, options)
    found, reasons, fit = sort_out(layers, options, wanted, unfit)
    if not fit:
        first = found[0]
        raise ModelError(
            f"there is nothing for {name} to do: {first.name} ({first.kind}) {reasons[first.name]}",
            f"leave {name} out, or choose other layers",
        )
    rules = {layer.name: wanted[layer.name].rule for layer in fit}
    return rules, notes(name, found, reasons)


def _title(rules: Mapping[str, Levels]) -> str:
    count = numbers(rule.count for rule in rules.values())
    return f"training {len(rules)} layer{'s' * (len(rules) > 1)} on {count} levels"
