"""A model of the user's besides the one that is built: imported, proved, and held against it."""

from __future__ import annotations

from edgekit.bridge.call import compact
from edgekit.bridge.heads import head_of
from edgekit.errors import UsageError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers.base import load
from edgekit.model import Model
from edgekit.passes.base import Context
from edgekit.quantizers.base import quantized_already

_HEADS = {"softmax": "probabilities (softmax)", "sigmoid": "probabilities (sigmoid)"}


def user_model(path: str, key: str, context: Context) -> Model:
    """The model at `path`, which takes and gives what the original does.

    Args:
        path: As the user wrote it.
        key: Of the option that names it, for messages.
        context: The original, and where paths begin.

    Raises:
        ModelError: As `importers.base.load`.
        UsageError: It is quantized, or takes or gives something else.
    """
    context.progress.step(f"importing {path}, proving it equal")
    model = load(context.root / path, context.modules)
    mine, original = read(model.tflite, path), read(context.original)
    if dtype := quantized_already(mine):
        raise UsageError(f"{key}: {path} is quantized ({dtype})", "give the float model")
    for what, theirs, ours in (
        ("takes", _shapes(original, original.inputs), _shapes(mine, mine.inputs)),
        ("gives", _shapes(original, original.outputs), _shapes(mine, mine.outputs)),
        ("gives", _heads(original), _heads(mine)),
    ):
        if theirs != ours:
            raise UsageError(
                f"{key}: {path} {what} {ours}, and the model {what} {theirs}",
                "give a network with the same inputs and outputs",
            )
    return model


def _shapes(graph: Graph, indices: tuple[int, ...]) -> str:
    tensors = [graph.tensors[index] for index in indices]
    return " and ".join(f"{[1, *compact(t.shape)]} {t.dtype}" for t in tensors)


def _heads(graph: Graph) -> str:
    heads = (head_of(graph, output)[0] for output in graph.outputs)
    return " and ".join(_HEADS.get(head, "scores or values") for head in heads)
