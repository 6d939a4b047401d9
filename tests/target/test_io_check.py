"""What keeps a library from being made around a model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_tflite import Made, Step, build

from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.problem import Problem
from edgekit.target.io_check import library_problems


def graph_of(dtype: str = "FLOAT32", signature: tuple[int, ...] = (1, 4)) -> Graph:
    ends = [Made("x", (1, 4)), Made("y", (1, 4), dtype)]
    graph = read(build(ends, [Step("ABS", (0,), (1,))], [0], [1]))
    tensors = tuple(replace(tensor, signature=signature) for tensor in graph.tensors)
    return replace(graph, tensors=tensors)


def problems(graph: Graph) -> list[Problem]:
    return library_problems(graph, "box", "Box", ("float32", "int8"), "its class")


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        pytest.param(
            graph_of("FLOAT16"), "'y' is float16, which its class does not take", id="type"
        ),
        pytest.param(
            graph_of(signature=(1, -1)),
            "'x' has a size that is known only when it runs: [1, -1]",
            id="open size",
        ),
    ],
)
def test_the_first_that_does_not_fit_is_named(graph: Graph, reason: str) -> None:
    (problem,) = problems(graph)
    assert (problem.severity, problem.where) == ("error", "box")
    assert problem.message == f"no Box can be made: tensor {reason}"
    assert problem.hint.endswith("fixed sizes and are one of float32, int8")


@pytest.mark.parametrize("signature", [(1, 4), (-1, 4)], ids=["fixed", "any number of rows"])
def test_a_model_that_fits_has_none(signature: tuple[int, ...]) -> None:
    assert problems(graph_of(signature=signature)) == []
