"""The contract of an importer: a path in, a proved `Model` out; the content decides which one.

To add a format: write `importers/<format>.py` with `load(path, modules) -> Model` that raises
`ModelError` for whatever is wrong with the file and executes nothing that comes out of it, teach
`_source.container` its first bytes, and prove the flatbuffer with `importers.prove.prove`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from edgekit.graph.graph import Graph
from edgekit.importers._source import SUFFIXES, container
from edgekit.importers._source import detect as detect
from edgekit.importers._source import hash_source as hash_source
from edgekit.model import Model, TensorSpec
from edgekit.problem import Problem


def load(path: Path, modules: Sequence[str] = ()) -> Model:
    """Import a model and prove the import.

    Args:
        path: File or SavedModel folder; what it is, its content says, not its suffix.
        modules: Python modules of the user to import first, that register custom layers.

    Returns:
        The model with its float (or already quantized) flatbuffer, batch 1.

    Raises:
        ModelError: There is no such file, it is damaged or no model, it holds code or
            unregistered layers, it cannot be converted, or the result is not equal to it.
        UsageError: A module of `modules` cannot be imported.
    """
    path = Path(path)
    kind = container(path)
    importer: Any = importlib.import_module(f"edgekit.importers.{kind}")
    model = cast(Model, importer.load(path, tuple(modules)))
    suffixes = SUFFIXES[kind]
    if not suffixes or path.suffix.lower() in suffixes:
        return model
    note = Problem(
        "note",
        str(path),
        f"the content is {model.source.format}, the suffix says {path.suffix or 'nothing'}",
        f"rename it to {path.stem}{suffixes[0]}",
    )
    return model.step("suffix ignored", problems=(*model.problems, note))


def model_name(path: Path) -> str:
    """A short name from the file's: letters, digits, `_`, `-`, `.`; starts with a letter."""
    resolved = Path(path).resolve()
    stem = resolved.name if resolved.is_dir() else resolved.stem
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).strip("_.-")
    return name if re.match(r"[A-Za-z]", name) else f"model_{name}".rstrip("_")


def specs(graph: Graph) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of a flatbuffer, in its order."""

    def spec(index: int) -> TensorSpec:
        tensor = graph.tensors[index]
        return TensorSpec(tensor.name, tensor.shape, tensor.dtype)

    return tuple(map(spec, graph.inputs)), tuple(map(spec, graph.outputs))
