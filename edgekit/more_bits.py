"""The rung that gives the worst layers more bits: 16x8, or float."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from edgekit.bridge.activations import activations
from edgekit.bridge.names import layer_names
from edgekit.evaluate.blame import suspects
from edgekit.evaluate.layers import Layer
from edgekit.evaluate.matching import match
from edgekit.graph import edit
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.graph.tied import around, names_of, tied
from edgekit.graph.widen import VERSIONS
from edgekit.ladder import Attempt, Change, Judged
from edgekit.passes.base import load
from edgekit.plan import Plan
from edgekit.sensitivities.rank import Cost
from edgekit.target.op_table import OpTable

_TITLES = {"keep_int16": "16x8", "keep_float": "float"}


@dataclass(frozen=True)
class MoreBits:
    """`count` layers that are worst by their own fault; by tensor, since ops around must follow.

    Attributes:
        count: How many more layers than the best attempt so far has.
        runtime: Of the target: what it runs.
        samples: Calibration rows that there are.
        costs: Of layers in int8 by name, the dearest first, from a sensitivity analysis; where
            there are some, they say which layers are worst.

    16x8 has the weights and the min-max ranges of int8: it mends neither bad weights nor values
    that calibration did not see. Those are left to more samples, where there are more, else they
    stay float.
    """

    count: int
    runtime: OpTable
    samples: int = 0
    costs: Mapping[str, Cost] = field(default_factory=dict)
    name: str = "more bits for the worst layers"

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        """More layers in `keep_int16` or `keep_float`."""
        if attempt.plan.scheme != "int8":
            return "it is for int8 builds"
        if judged.fidelity is None or not judged.fidelity.layers:
            return "there is no table of layers"
        options = attempt.plan.quantize.options
        kept = {key: tuple(options.get(key, ())) for key in _TITLES}
        unseen = options.get("estimator", "minmax") == "minmax"
        few = unseen and attempt.samples < self.samples and not learned(attempt.plan)
        useless = {"keep_int16": {"weights"} | ({"saturation"} if unseen else set())}
        useless["keep_float"] = {"saturation"} if few else set()
        chosen = list(islice(self._choose(judged, kept, useless), self.count))
        if not chosen:
            return "no layer is to blame that the target could run in more bits"
        more = {key: tuple(name for name, where in chosen if where == key) for key in _TITLES}
        what = ", ".join(f"{name} as {_TITLES[key]}" for name, key in chosen)
        return Change(attempt.quantizing(**{key: kept[key] + more[key] for key in _TITLES}), what)

    def _choose(
        self,
        judged: Judged,
        kept: Mapping[str, tuple[str, ...]],
        useless: Mapping[str, Collection[str]],
    ) -> Iterator[tuple[str, str]]:
        """Names of layers, each with the option that is to hold it; the worst first."""
        assert judged.fidelity is not None
        graph, floats = read(judged.built), read(judged.reference)
        pairs = match(floats, graph)
        done = {key: set(_covered(judged.reference, names)) for key, names in kept.items()}
        for layer in self._worst(judged.fidelity.layers, graph, floats):
            index = _place(layer, graph)
            if index not in pairs or _stays_int8(index, graph):
                continue
            name = _name(pairs[index], floats)
            tensor = floats.tensors[pairs[index]].name
            for key in self._runnable(layer, judged.built):
                if tensor not in done[key] and layer.why not in useless[key]:
                    for names in done.values():
                        names |= _covered(judged.reference, [name])
                    yield name, key
                    break

    def _worst(self, layers: Sequence[Layer], graph: Graph, floats: Graph) -> Sequence[Layer]:
        """The layers that more bits may help, the worst first, each with what is to blame."""
        if not self.costs:
            return suspects(layers, graph)
        pairs = match(floats, graph)
        named = {
            _name(pairs[index], floats): layer
            for layer in layers
            if (index := _place(layer, graph)) in pairs
        }
        return [
            replace(named[name], why="weights" if cost.weights > cost.output else "range")
            for name, cost in self.costs.items()
            if name in named and cost.total > 0
        ]

    def _runnable(self, layer: Layer, built: bytes) -> list[str]:
        """What the target runs the ops around the layer's output in, the leaner first."""
        kinds = {kind for kind, _ in around(built, [layer.name])}
        wide = all(_runs_wide(kind, self.runtime) for kind in kinds)
        floating = all(_has_type(kind, "float32", self.runtime) for kind in kinds)
        return ["keep_int16"] * wide + ["keep_float"] * floating


def learned(plan: Plan) -> bool:
    """Whether a pass of the plan learns ranges, so that calibration has no say in them."""
    return any("qat" in load(step.name).leaves for step in plan.compress)


def _runs_wide(kind: str, runtime: OpTable) -> bool:
    if kind not in VERSIONS:
        return False
    highest = runtime.versions.get(kind, (1, VERSIONS[kind]))[1]
    return VERSIONS[kind] <= highest and _has_type(kind, "int16", runtime)


def _has_type(kind: str, dtype: str, runtime: OpTable) -> bool:
    """Whether the target runs the op on the type; runtimes that list no types run what exists."""
    types = runtime.types.get(kind, ())
    return not types or dtype in types


def _place(layer: Layer, graph: Graph) -> int:
    outputs = graph.inputs if layer.index < 0 else graph.ops[layer.index].outputs
    return next((i for i in outputs if graph.tensors[i].name == layer.name), -1)


def _name(index: int, floats: Graph) -> str:
    """Of the layer that makes the float tensor; the tensor's own where it is one of several."""
    makers = [op for op in floats.ops if op.outputs == (index,)]
    return layer_names(floats)[makers[0].index] if makers else floats.tensors[index].name


def _stays_int8(index: int, graph: Graph) -> bool:
    """Whether the tensor is an integer input or output of the model: more bits are of no use."""
    ends = (*graph.inputs, *graph.outputs)
    return index in ends and graph.tensors[index].dtype != "float32"


def _covered(reference: bytes, names: Collection[str]) -> frozenset[str]:
    """Names of all tensors that get more bits along with these layers."""
    model = edit.unpack(reference)
    return names_of(model, tied(model, activations(reference, names)))
