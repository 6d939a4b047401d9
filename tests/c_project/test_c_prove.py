"""A program that computes something else than tflite-micro does is found out, with its layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from c_nets import residual_net

from edgekit.c_project import prove as proving
from edgekit.c_project.make import make_project
from edgekit.c_project.prove import first_wrong, prove
from edgekit.compiler.compiled import compile_graph
from edgekit.compiler.cores import core_of
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.errors import MissingExtra, TargetError
from edgekit.graph.read import read

CORE = core_of("cortex-m4")
NET = residual_net()
GRAPH = read(NET)


def spoil(monkeypatch: pytest.MonkeyPatch, layer: int) -> None:
    """Make convolution number `layer` of the net wrong in one element."""
    honest, calls = Conv2D.run, [0]

    def wrong(self: Conv2D, *inputs: Any) -> Any:
        out = honest(self, *inputs).copy()
        if calls[0] % 3 == layer:
            out.flat[-1] ^= 64
        calls[0] += 1
        return out

    monkeypatch.setattr(Conv2D, "run", wrong)


def test_outputs_are_those_of_tflite_micro() -> None:
    golden = prove(compile_graph(GRAPH, CORE, "net").program, GRAPH, NET)
    assert golden.by == "tflite-micro"
    assert len(golden) == len(golden.inputs) == len(golden.outputs) == 8
    assert golden.outputs[0][0].shape == (1, 5)
    assert len({row[0].tobytes() for row in golden.outputs}) > 4


@pytest.mark.parametrize(("layer", "name"), [(0, "first/Relu"), (1, "second"), (2, "scores")])
def test_the_first_wrong_layer_is_named(
    layer: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = compile_graph(GRAPH, CORE, "net").program
    spoil(monkeypatch, layer)
    with pytest.raises(TargetError, match=rf"differs .* first seen in layer '{name}'"):
        prove(program, GRAPH, NET)


def test_a_right_program_has_no_wrong_layer() -> None:
    program = compile_graph(GRAPH, CORE, "net").program
    row = (np.full((1, 8, 8, 3), 5, np.int8),)
    assert first_wrong(program, GRAPH, NET, row) is None


def test_elsewhere_the_host_twins_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    program = compile_graph(GRAPH, CORE, "net").program
    wanted = prove(program, GRAPH, NET)

    def missing(*_: Any, **__: Any) -> Any:
        raise MissingExtra("tflite-micro is not installed on Linux aarch64", "run it elsewhere")

    monkeypatch.setattr(proving, "open_runtime", missing)
    golden = prove(program, GRAPH, NET)
    assert golden.by == "host"
    for one, two in zip(golden.outputs, wanted.outputs, strict=True):
        assert np.array_equal(one[0], two[0])


@pytest.mark.parametrize(("asked", "severity"), [(False, "warning"), (True, "error")])
def test_nothing_is_published_that_differs(
    asked: bool, severity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, 0)
    made = make_project("net", NET, GRAPH, "cortex-m4", CORE, asked=asked)
    assert made.project is None
    (problem,) = made.problems
    assert problem.severity == severity
    assert "differs from TensorFlow Lite Micro on 8 of 8 golden vectors" in problem.message


def test_a_fault_of_the_compiler_is_a_problem_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(self: Conv2D, *inputs: Any) -> Any:
        raise IndexError("list index out of range")

    monkeypatch.setattr(Conv2D, "run", fault)
    made = make_project("net", NET, GRAPH, "cortex-m4", CORE)
    (problem,) = made.problems
    assert problem.severity == "warning"
    assert problem.message == (
        "no C project: the compiler failed: IndexError: list index out of range"
    )
