"""From files to programs: what vanishes, what old files leave out, and what is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_nets import residual_net, unknown_net
from c_project import interpret, random_rows, reference, same
from chains import Chain
from made_tflite import Made, Step, build, one_op, options, pack, small_net, unpack

from edgekit.compiler.lower import lower
from edgekit.compiler.program import Program
from edgekit.errors import TargetError
from edgekit.graph.read import read


def lowered(model: bytes) -> Program:
    return lower(read(model, "made.tflite"))


def refused(model: bytes) -> TargetError:
    with pytest.raises(TargetError) as caught:
        lowered(model)
    error = caught.value
    assert "\n" not in error.message + error.hint
    return error


def test_an_unknown_operator_is_named_with_what_to_do() -> None:
    error = refused(unknown_net())
    what = "the C project has no such operation"
    assert error.message == f"operator 1 L2_NORMALIZATION 'strange': {what}"
    assert error.hint.startswith("replace it in the source model, or use the other files")


def test_a_custom_operator_is_unknown_whatever_it_is_called() -> None:
    tensors = [Made("x", (1, 4), "INT8", None, (0.1,), (0,)), Made("mine", (1, 4), "INT8")]
    assert "'mine'" in refused(one_op("CUSTOM", tensors, custom="RESHAPE")).message


def test_a_type_that_it_has_not_is_named_with_the_tensor() -> None:
    tensors = [Made(name, (1, 4), "INT16", None, (0.1,), (0,)) for name in ("x", "sum")]
    tensors.insert(1, Made("k", (1, 4), "INT16", np.ones(4, np.int16), (0.1,), (0,)))
    message = refused(one_op("ADD", tensors, options("Add"))).message
    assert message.startswith("operator 0 ADD 'sum': ")
    assert "int16" in message


def test_branches_are_refused() -> None:
    model = unpack(small_net())
    model.subgraphs.append(model.subgraphs[0])
    assert "branches or loops" in refused(pack(model)).message


def test_an_output_that_is_constant_is_named() -> None:
    tensors = [
        Made("x", (1, 4), "INT8", None, (0.1,), (0,)),
        Made("y", (1, 4), "INT8", None, (0.1,), (0,)),
        Made("always", (1, 4), "INT8", np.ones(4, np.int8), (0.1,), (0,)),
    ]
    model = build(tensors, [Step("RELU", (0,), (1,))], (0,), (1, 2))
    assert refused(model).message == "the output 'always' does not depend on the input"


def test_views_leave_nothing_behind() -> None:
    tensors = [
        Made("x", (1, 4, 1), "INT8", None, (0.1,), (3,)),
        Made("a", (1, 4), "INT8", None, (0.1,), (3,)),
        Made("axis", (1,), "INT32", np.array([2], np.int32)),
        Made("b", (1, 4, 1), "INT8", None, (0.1,), (3,)),
        Made("c", (4,), "INT8", None, (0.1,), (3,)),
        Made("out", (4,), "INT8", None, (0.1,), (3,)),
    ]
    steps = [
        Step("SQUEEZE", (0,), (1,), options("Squeeze", squeezeDims=[2])),
        Step("EXPAND_DIMS", (1, 2), (3,), options("ExpandDims")),
        Step("RESHAPE", (3,), (4,), options("Reshape", newShape=[4])),
        Step("RELU", (4,), (5,)),
    ]
    program = lowered(build(tensors, steps, (0,), (5,)))
    assert [layer.kind for layer in program.layers] == ["RELU"]
    assert program.layers[0].inputs == program.inputs


def test_parts_that_nobody_reads_are_no_layers() -> None:
    tensors = [
        Made("axis", (), "INT32", np.array(1, np.int32)),
        Made("x", (1, 6), "INT8", None, (0.1,), (3,)),
        *(Made(name, (1, 2), "INT8", None, (0.1,), (3,)) for name in "abc"),
    ]
    made = options("Split", numSplits=3)
    program = lowered(build(tensors, [Step("SPLIT", (0, 1), (2, 3, 4), made)], (1,), (3,)))
    assert [layer.name for layer in program.layers] == ["b"]


def oldest(model: Any) -> None:
    """Operators named only by the field of old files."""
    for code in model.operatorCodes:
        code.builtinCode = 0


def bare(model: Any) -> None:
    """RESHAPE without options, its shape in a tensor alone."""
    for op in model.subgraphs[0].operators:
        if op.builtinOptionsType == schema.BuiltinOptions.ReshapeOptions:
            op.builtinOptionsType, op.builtinOptions = 0, None


def open_batch(model: Any) -> None:
    """Batch -1 in the signature of every activation."""
    for tensor in model.subgraphs[0].tensors:
        if tensor.shape is not None and len(tensor.shape) == 4 and tensor.shape[0] == 1:
            tensor.shapeSignature = [-1, *tensor.shape[1:]]


@pytest.mark.parametrize("edit", [oldest, bare, open_batch], ids=lambda edit: edit.__name__)
@pytest.mark.parametrize("net", [residual_net, small_net], ids=lambda net: net.__name__)
def test_files_as_they_come(edit: Callable[[Any], None], net: Callable[[], bytes]) -> None:
    model = unpack(net())
    edit(model)
    changed = pack(model)
    assert changed != net()
    rows = random_rows(changed, 2)
    for row, wanted in zip(rows, reference(net(), rows), strict=True):
        (got,) = interpret(lowered(changed), row)
        same(got, wanted[0], edit.__name__)


def test_a_value_knows_its_tensor() -> None:
    model = Chain((1, 4, 4, 2)).conv(3).relu().model()
    graph = read(model, "made.tflite")
    program = lower(graph)
    names = [graph.tensors[index].name for index in program.tensors]
    assert names == [value.name for value in program.values] == ["x", "t3", "t4"]
