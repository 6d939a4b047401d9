"""From a built flatbuffer to its C project, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.c_project.prefix import prefix_of
from edgekit.c_project.project import CProject
from edgekit.c_project.prove import prove
from edgekit.c_project.sizes import sizes
from edgekit.compiler.compiled import compile_graph
from edgekit.compiler.cores import Core
from edgekit.errors import EdgekitError, TargetError
from edgekit.exits.exits import Exits
from edgekit.graph.graph import Graph
from edgekit.problem import Problem, Severity

NAME = "c_project"
_FAULT = "please report it with the model; the other files of the build are not affected"


@dataclass(frozen=True)
class Made:
    """What came of it: the project, or the problems that were in the way."""

    project: CProject | None = None
    problems: tuple[Problem, ...] = ()


def make_project(
    name: str,
    tflite: bytes,
    graph: Graph,
    target: str,
    core: Core,
    *,
    asked: bool = False,
    exits: Exits | None = None,
    gates: int = 0,
) -> Made:
    """Compile a model and prove the result against tflite-micro.

    Args:
        name: Of the model.
        tflite: The built flatbuffer.
        graph: Of `tflite`.
        target: Name of the target, for the texts.
        core: What kernels and layouts are for.
        asked: Whether the user asked for the project: then it is an error that there is none.
        exits: Of a network that may answer early.
        gates: So many outputs at the end are gates of branches that may be skipped.
    """
    if kind := other_than_int8(graph):
        severity: Severity = "error" if asked else "note"
        message = f"no C project: it is for int8 models, and this one is {kind}"
        return Made(None, (Problem(severity, NAME, message, "build it with --quantize int8"),))
    try:
        return Made(_project(name, tflite, graph, target, core, exits, gates))
    except EdgekitError as error:
        message, hint = error.message, error.hint
    except Exception as error:  # a fault of ours must not cost the other files of the build
        message, hint = f"the compiler failed: {type(error).__name__}: {error}", _FAULT
    problem = Problem("error" if asked else "warning", NAME, f"no C project: {message}", hint)
    return Made(None, (problem,))


def flash_of(graph: Graph, like: CProject) -> int | None:
    """Bytes of constants and code of another graph, compiled as `like` was; None if it cannot be.

    It is for comparison only: nothing is proved and nothing written.
    """
    try:
        return sizes(compile_graph(graph, like.compiled.core, like.prefix)).flash
    except Exception:  # a figure for comparison must not cost the build
        return None


def other_than_int8(graph: Graph) -> str:
    """What a model computes with where that is not int8, else nothing."""
    types = {
        graph.tensors[index].dtype
        for op in graph.ops
        if op.name not in ("QUANTIZE", "DEQUANTIZE")
        for index in op.outputs
        if index >= 0
    }
    if not types or "int8" in types:
        return ""
    return "int16x8" if "int16" in types else min(types)


def _project(
    name: str,
    tflite: bytes,
    graph: Graph,
    target: str,
    core: Core,
    exits: Exits | None,
    gates: int,
) -> CProject:
    for tensor in graph.input_tensors():
        if tensor.dynamic and tensor.signature[1:] != tensor.shape[1:]:
            raise TargetError(
                f"the size of the input '{tensor.name}' is known only when the model runs",
                "give the model's inputs fixed sizes",
            )
    prefix = prefix_of(name)
    compiled = compile_graph(graph, core, prefix, exits.least if exits else (), gates)
    golden = prove(compiled.program, graph, tflite)
    return CProject(name, prefix, target, compiled, golden, sizes(compiled), exits)
