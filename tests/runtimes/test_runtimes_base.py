"""What every runtime promises, on models small enough to check by head and on real ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_made import O, T, dense, dense_int8, flatbuffer

from edgekit.errors import DataError, MissingExtra, ModelError, TargetError, UsageError
from edgekit.graph.read import read
from edgekit.runtimes.base import (
    RUNTIMES,
    Row,
    evaluation_runtime,
    map_rows,
    open_runtime,
    run_float,
    runtime_version,
)
from edgekit.runtimes.litert import tensors

DOUBLE = dense([2 * np.eye(4)])
DOUBLE_INT8 = dense_int8([2 * np.eye(4)], [0.1, 0.2], [2 / 127])
LITERT = [name for name in RUNTIMES if name.startswith("litert")]


def unary(op: str, custom: str | None = None) -> bytes:
    return flatbuffer(
        [T("x", (1, 4)), T("y", (1, 4))], [O(op, (0,), (1,), custom=custom)], (0,), (1,)
    )


def rows_of(count: int) -> list[Row]:
    return [(np.full((1, 4), number % 100, np.int8),) for number in range(count)]


@pytest.mark.parametrize("isolated", [False, True], ids=["in this process", "in a child"])
@pytest.mark.parametrize("name", RUNTIMES)
def test_every_runtime_runs_an_int8_layer(name: str, isolated: bool) -> None:
    with open_runtime(name, DOUBLE_INT8, isolated=isolated) as runtime:
        (output,) = runtime.run((np.array([[1, -2, 30, 100]], np.int8),))
        assert output.tolist() == [[1, -2, 30, 100]]
        assert output.dtype == np.int8
        assert runtime.name == name
        assert runtime.version == runtime_version(name)
        assert [spec.shape for spec in runtime.inputs + runtime.outputs] == [(1, 4), (1, 4)]
        assert [spec.dtype for spec in runtime.inputs + runtime.outputs] == ["int8", "int8"]


def test_float_rows_are_quantised_and_outputs_dequantised() -> None:
    rows = [(np.array([[0.1, -0.31, 2.0, 99.0]], np.float32),)]
    with open_runtime("tflite-micro", DOUBLE_INT8) as runtime:
        ((output,),) = run_float(runtime, read(DOUBLE_INT8), rows)
    assert output == pytest.approx(np.array([[0.2, -0.6, 4.0, 25.4]]))
    assert output.dtype == np.float32


def test_rows_come_back_in_order_from_two_children() -> None:
    rows = rows_of(203)
    found = list(map_rows("tflite-micro", DOUBLE_INT8, iter(rows), workers=2))
    assert [int(output[0, 0]) for (output,) in found] == [int(row[0, 0]) for (row,) in rows]


def test_rows_are_taken_as_they_are_needed() -> None:
    taken = 0

    def counted() -> Iterator[Row]:
        nonlocal taken
        for row in rows_of(10_000):
            taken += 1
            yield row

    for number, _ in enumerate(map_rows("tflite-micro", DOUBLE_INT8, counted(), workers=2)):
        assert taken - number <= 32
        if number == 500:
            break


def test_a_runtime_can_be_used_on_after_its_rows_were_left_in_the_middle() -> None:
    with open_runtime("tflite-micro", DOUBLE_INT8, workers=2) as runtime:
        for _ in runtime.map_rows(rows_of(100)):
            break
        assert runtime.run(rows_of(8)[7])[0].tolist() == [[7, 7, 7, 7]]
        assert len(list(runtime.map_rows(rows_of(30)))) == 30


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((np.zeros((1, 5), np.int8),), r"int8 \[1, 4\].* int8 \[1, 5\]"),
        ((np.zeros((1, 4), np.float32),), r"int8 \[1, 4\].* float32 \[1, 4\]"),
        ((np.zeros((1, 4), np.int8),) * 2, "1 inputs, the row has 2"),
    ],
    ids=["wrong shape", "wrong dtype", "too many arrays"],
)
def test_rows_that_do_not_fit_are_refused(name: str, row: Row, said: str) -> None:
    with open_runtime(name, DOUBLE_INT8) as runtime:
        with pytest.raises(DataError, match=said):
            runtime.run(row)
        with pytest.raises(DataError, match=said):
            list(runtime.map_rows([row]))
        assert len(list(runtime.map_rows(rows_of(3)))) == 3


def test_a_float_row_with_too_many_arrays_is_refused() -> None:
    with open_runtime("litert", DOUBLE) as runtime, pytest.raises(DataError, match="1 inputs"):
        next(run_float(runtime, read(DOUBLE), [(np.zeros((1, 4), np.float32),) * 2]))


@pytest.mark.parametrize("isolated", [False, True], ids=["in this process", "in a child"])
@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize(
    "data", [b"", b"garbage" * 99, DOUBLE_INT8[:300]], ids=["empty", "garbage", "truncated"]
)
def test_a_broken_file_is_one_clean_error(name: str, isolated: bool, data: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        open_runtime(name, data, isolated=isolated)
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        pytest.param("tflite-micro", unary("GELU"), "has no op GELU", id="TFLM lacks an op"),
        pytest.param("tflite-micro", unary("CUSTOM", "MyOp"), "no op MyOp", id="TFLM, custom op"),
        pytest.param("litert", unary("CUSTOM", "MyOp"), "custom op MyOp", id="LiteRT, custom op"),
    ],
)
def test_a_missing_op_is_named(name: str, model: bytes, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        open_runtime(name, model)


@pytest.mark.parametrize("name", RUNTIMES)
def test_an_op_that_fails_is_named(name: str) -> None:
    beyond = np.array([2**30, 0], np.int32)
    model = flatbuffer(
        [T("x", (4, 4)), T("i", (2,), "INT32", beyond), T("y", (2, 4))],
        [O("GATHER", (0, 1), (2,), ("GatherOptions", {}))],
        (0,),
        (2,),
    )
    with (
        open_runtime(name, model) as runtime,
        pytest.raises((ModelError, TargetError), match=r"op 0 \(GATHER\)"),
    ):
        runtime.run((np.zeros((4, 4), np.float32),))


def test_hybrid_models_are_refused_by_tflite_micro_with_the_op_and_a_mend(
    real_models: Path,
) -> None:
    model = (real_models / "kws_dscnn/kws_ref_model_dynrange.tflite").read_bytes()
    with pytest.raises(TargetError, match=r"op 0 \(CONV_2D\): Hybrid models") as caught:
        open_runtime("tflite-micro", model)
    assert "--quantize int8" in caught.value.hint


def test_an_op_without_a_reference_kernel_runs_all_the_same() -> None:
    with open_runtime("litert-reference", unary("ELU")) as runtime:
        (output,) = runtime.run((np.array([[0, 1, -1, 2]], np.float32),))
    assert output == pytest.approx(np.array([[0, 1, np.expm1(-1), 2]]))


@pytest.mark.parametrize("name", RUNTIMES)
def test_state_of_one_row_does_not_reach_the_next(name: str, real_models: Path) -> None:
    model = (real_models / "tflm_examples/mnist_lstm_int8.tflite").read_bytes()
    values = np.random.default_rng(0).integers(-128, 128, (2, 1, 28, 28)).astype(np.int8)
    with open_runtime(name, model) as runtime:
        first, _, again = runtime.map_rows([(values[0],), (values[1],), (values[0],)])
    np.testing.assert_array_equal(first[0], again[0])


def test_intermediate_tensors_are_those_of_every_op() -> None:
    model = dense([2 * np.eye(3), 5 * np.eye(3)])
    found = tensors(model, (np.array([[1, 2, 3]], np.float32),))
    assert {index: value.tolist() for index, value in found.items()} == {
        2: [[2, 4, 6]],
        4: [[10, 20, 30]],
    }


def test_opening_litert_is_silent_and_brings_no_tensorflow() -> None:
    code = (
        "import sys; from edgekit.runtimes.base import open_runtime;"
        "import numpy as np;"
        "model = sys.stdin.buffer.read();"
        "[r.run((np.zeros((1, 4), np.float32),)) for n in ('litert', 'litert-reference')"
        " for r in [open_runtime(n, model)]];"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=dense([np.eye(4)]),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert (done.stdout, done.stderr) == (b"False\n", b"")


def test_an_unknown_runtime_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="tflite-mirco") as caught:
        open_runtime("tflite-mirco", DOUBLE)
    assert caught.value.hint == "did you mean 'tflite-micro'?"
    with pytest.raises(UsageError, match="there is no runtime 'tensorrt'"):
        evaluation_runtime("tensorrt")


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_wanted_runtime_evaluates_where_it_is_installed(name: str) -> None:
    assert evaluation_runtime(name) == (name, None)


def test_reference_kernels_stand_in_where_tflite_micro_has_no_wheel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tflite_micro", None)  # as if it were not installed
    name, problem = evaluation_runtime("tflite-micro")
    assert name == "litert-reference"
    assert problem is not None
    assert problem.severity == "warning"
    assert "stand in" in problem.message
    with pytest.raises(MissingExtra) as caught:
        open_runtime("tflite-micro", DOUBLE_INT8)
    assert "pip install 'edgekit-toolkit'" in caught.value.hint
