"""How `early_exit` works: places are chosen, heads put in, then all answers learn together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from edgekit.bridge.heads import head_of
from edgekit.bridge.lift import Lifted, lift
from edgekit.bridge.names import layer_names
from edgekit.errors import ModelError, UsageError
from edgekit.exits.exits import Heads
from edgekit.graph import count
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._early_exit_options import MOST, EarlyExitOptions
from edgekit.passes.base import Candidate, Context
from edgekit.problem import Problem
from edgekit.structure.exit_heads import Dense, Layer, initial
from edgekit.structure.exits import add_exits, joints, readable

_RATE = 1e-2
"""Learning rate: the heads begin with random weights."""


def early_exited(
    name: str, candidate: Candidate, options: EarlyExitOptions, context: Context
) -> Candidate:
    """The candidate with exits, fine-tuned; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    graph = read(candidate.tflite)
    _refuse(graph)
    places = _named(graph, options.layers) if options.layers else _found(graph, options.exits)
    names = layer_names(graph)
    heads = _heads(graph, places, options, context.seed)
    after = dataclasses.replace(
        candidate,
        tflite=add_exits(candidate.tflite, places, heads, options.grid, options.chained),
        heads=Heads(tuple(names[place] for place in places), options.max_drop, options.weight),
    )
    lifted = lift(after.tflite)
    if options.train == "exits":
        _freeze(lifted, len(graph.tensors))
        # what does not learn cannot come closer to the original's inner activations
        context = context.tuned({"feature_weight": 0.0})
    title = f"{len(places)} exit{'s' * (len(places) > 1)}"
    return wrapped.trained(
        name,
        options,
        after,
        context,
        told=_told(graph, places),
        lifted=lifted,
        learning_rate=_RATE,
        problems=_few(len(context.guard), options.max_drop),
        title=title,
    )


def _heads(
    graph: Graph, places: Sequence[int], options: EarlyExitOptions, seed: int
) -> list[list[Layer]]:
    """The layers of each exit, with random weights."""
    random, before, heads = np.random.default_rng(seed), 0, []
    for place in places:
        shape = graph.tensors[graph.ops[place].outputs[0]].shape
        form = {"convs": options.convs, "grid": options.grid, "hidden": options.hidden}
        classes = graph.output_tensors()[0].shape[-1]
        heads.append(initial(random, shape, classes, before=before, **form))
        if options.chained:
            before = next(each for each in heads[-1] if isinstance(each, Dense)).kernel.shape[-1]
    return heads


def _freeze(lifted: Lifted, known: int) -> None:
    """Have only those layers learn whose kernels are behind the first `known` tensors."""
    for layer in lifted.model.layers:
        layer.trainable = False
    for each in lifted.layers:
        if each.kernel >= known:
            each.layer.trainable = True
            if each.scale is not None:
                each.scale.trainable = True


def _few(rows: int, max_drop: float) -> list[Problem]:
    """A warning where the guard rows are too few to see a loss of `max_drop` points."""
    if 100 / rows <= max_drop or not max_drop:
        return []
    return [
        Problem(
            "warning",
            "early_exit",
            f"thresholds are chosen on {rows:,} guard rows: one of them is {100 / rows:.2g} "
            f"points, and max_drop is {max_drop:g}",
            "give more rows with --training, of which a part guards",
        )
    ]


def _refuse(graph: Graph) -> None:
    """Raise ModelError for a model whose answer is not one score a class."""
    hint = "leave early_exit out: it is for models that tell classes apart"
    outputs = graph.output_tensors()
    if len(outputs) != 1:
        raise ModelError(f"the model has {len(outputs)} outputs, and exits are for one", hint)
    if len(outputs[0].shape) != 2 or outputs[0].shape[-1] < 2:
        shape = list(outputs[0].shape)
        raise ModelError(f"the output {shape} is not one score for each of two classes", hint)
    head, op = head_of(graph, graph.outputs[0])
    if head == "sigmoid" or (op is not None and op.name != "SOFTMAX"):
        raise ModelError("the output is no softmax and no plain scores", hint)


def _found(graph: Graph, wanted: int) -> list[int]:
    """Joints whose shares of the multiply-accumulates are nearest to 1/(n + 1), 2/(n + 1), ..."""
    free = list(joints(graph))
    if len(free) < wanted:
        raise UsageError(
            f"exits = {wanted}: there are {len(free)} places where one activation is all that the "
            "rest needs",
            f"give exits = {len(free)}, or name layers" if free else "name layers: layers=NAME",
        )
    done = np.cumsum(count.layer_macs(graph))
    chosen: list[int] = []
    for number in range(1, wanted + 1):
        share = done[-1] * number / (wanted + 1)
        chosen.append(min(free, key=lambda op: (abs(done[op] - share), op)))
        free.remove(chosen[-1])
    return sorted(chosen)


def _named(graph: Graph, layers: Sequence[str]) -> list[int]:
    found = {name: index for index, name in layer_names(graph).items()}
    if len(layers) > MOST or len(set(layers)) < len(layers):
        raise UsageError(
            f"layers: {len(layers)} exits", f"name 1 to {MOST} layers, each of them once"
        )
    for name in layers:
        if name not in found:
            raise UsageError(f"layers: there is no layer '{name}'", f"there are {', '.join(found)}")
        if not readable(graph, graph.ops[found[name]].outputs[0]):
            raise UsageError(
                f"layers: {name} has no mean over places to answer from",
                "name a layer whose output is [1, ..., channels]",
            )
    return sorted(found[name] for name in layers)


def _told(graph: Graph, places: Sequence[int]) -> dict[str, dict[str, float]]:
    """By layer: the share of the multiply-accumulates that is done when its exit answers."""
    names, done = layer_names(graph), np.cumsum(count.layer_macs(graph))
    return {names[place]: {"macs": round(float(done[place] / done[-1]), 4)} for place in places}
