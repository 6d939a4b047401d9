"""How `early_exit` works: places are chosen, heads put in, then all answers learn together."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from edgekit.bridge.heads import head_of
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
from edgekit.structure.exits import Dense, add_exits, joints, pooled

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
    random = np.random.default_rng(context.seed)
    classes = graph.output_tensors()[0].shape[-1]
    sizes = [pooled(graph, graph.ops[place].outputs[0], options.grid) for place in places]
    heads = [_head(random, size, options.hidden, classes) for size in sizes]
    after = dataclasses.replace(
        candidate,
        tflite=add_exits(candidate.tflite, places, heads, options.grid),
        heads=Heads(tuple(names[place] for place in places), options.max_drop, options.weight),
    )
    title = f"{len(places)} exit{'s' * (len(places) > 1)}"
    return wrapped.trained(
        name,
        options,
        after,
        context,
        told=_told(graph, places),
        learning_rate=_RATE,
        problems=_few(len(context.guard), options.max_drop),
        title=title,
    )


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
        if not pooled(graph, graph.ops[found[name]].outputs[0]):
            raise UsageError(
                f"layers: {name} has no mean over places to answer from",
                "name a layer whose output is [1, ..., channels]",
            )
    return sorted(found[name] for name in layers)


def _head(random: np.random.Generator, inputs: int, hidden: int, classes: int) -> list[Dense]:
    """Dense layers as He et al. 2015 (arXiv:1502.01852) begin them."""
    sizes = [inputs, *([hidden] if hidden else []), classes]
    return [
        Dense(
            random.normal(0, math.sqrt(2 / before), (behind, before)).astype(np.float32),
            np.zeros(behind, np.float32),
        )
        for before, behind in pairwise(sizes)
    ]


def _told(graph: Graph, places: Sequence[int]) -> dict[str, dict[str, float]]:
    """By layer: the share of the multiply-accumulates that is done when its exit answers."""
    names, done = layer_names(graph), np.cumsum(count.layer_macs(graph))
    return {names[place]: {"macs": round(float(done[place] / done[-1]), 4)} for place in places}
