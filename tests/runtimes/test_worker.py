"""The child process: its frames, its noise, its death."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hand_made import O, T, dense_int8, flatbuffer

from edgekit.errors import EdgekitError, ModelError
from edgekit.graph.read import read
from edgekit.runtimes import _frames
from edgekit.runtimes._children import Children
from edgekit.runtimes.base import Arena, map_rows, open_runtime, run_float

ROOT = Path(__file__).parents[2]
MODEL = dense_int8([np.eye(4)], [0.1, 0.1])


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int8).reshape(1, 2, 3),
        np.zeros((1, 0), np.float32),
        np.array(3.5, np.float32),
        np.array([[True, False]]),
        np.arange(4, dtype=np.int64)[::2],
    ],
    ids=["int8", "empty", "scalar", "bool", "strided"],
)
def test_arrays_survive_the_pipe(array: np.ndarray) -> None:
    rows = [(array, array), (), (array,)]
    found = _frames.unpack_rows(_frames.pack_rows(rows))
    assert [len(row) for row in found] == [2, 0, 1]
    np.testing.assert_array_equal(found[0][1], array)
    assert (found[2][0].dtype, found[2][0].shape) == (array.dtype, array.shape)


@pytest.mark.parametrize("length", [0, 5, 12], ids=["at once", "in the head", "in the payload"])
def test_a_pipe_that_closes_reads_as_none(length: int) -> None:
    stream = io.BytesIO()
    _frames.write(stream, _frames.ROWS, b"payload")
    assert _frames.read(io.BytesIO(stream.getvalue())) == (_frames.ROWS, b"payload")
    assert _frames.read(io.BytesIO(stream.getvalue()[:length])) is None


def test_a_crash_in_cpp_is_an_error_here() -> None:
    claimed = 1 << 26  # the constant claims far more values than the file holds
    model = flatbuffer(
        [T("x", (1, 4)), T("c", (1, claimed), data=np.zeros(4, np.float32)), T("y", (1, claimed))],
        [O("RELU", (1,), (2,))],
        (0,),
        (2,),
    )
    with (
        pytest.raises(ModelError, match=r"brings tflite-micro down \(SIGSEGV\)"),
        open_runtime("tflite-micro", model) as runtime,
    ):
        runtime.run((np.zeros((1, 4), np.float32),))


@pytest.mark.parametrize("name", [signal.SIGABRT, signal.SIGKILL])
def test_a_child_that_dies_between_rows_is_an_error(name: signal.Signals) -> None:
    with Children("tflite-micro", MODEL) as runtime:
        process = runtime._children[0]._process
        process.send_signal(name)
        process.wait()
        with pytest.raises(ModelError, match=name.name):
            runtime.run((np.zeros((1, 4), np.int8),))


def test_a_row_that_takes_too_long_ends_the_child(real_models: Path) -> None:
    model = (real_models / "vww_mobilenetv1/vww_96_float.tflite").read_bytes()
    row = (np.zeros((1, 96, 96, 3), np.float32),)
    with Children("litert-reference", model, seconds=30) as runtime:
        began = time.monotonic()
        runtime.run(row)
        usual = time.monotonic() - began
    with (
        pytest.raises(ModelError, match="took longer than"),
        Children("litert-reference", model, seconds=min(usual / 50, 0.01)) as runtime,
    ):
        runtime.run(row)


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)"], ids=["exit", "kill"])
def test_no_child_outlives_its_parent(how: str) -> None:
    code = (
        "import os, sys; from edgekit.runtimes._children import Children;"
        "r = Children('tflite-micro', sys.stdin.buffer.read());"
        f"print(r._children[0]._process.pid, flush=True); {how}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=MODEL, capture_output=True, cwd=ROOT, check=False
    )
    child = Path("/proc") / done.stdout.decode().strip()
    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _alive(child)


def test_a_refused_model_leaves_no_process_behind() -> None:
    before = _children_of_this_process()
    with pytest.raises(ModelError):
        open_runtime("tflite-micro", b"garbage" * 20, workers=2)
    assert _children_of_this_process() == before


def test_a_failing_model_prints_nothing(real_models: Path) -> None:
    code = (
        "import sys; from edgekit.runtimes.base import open_runtime\n"
        "try: open_runtime('tflite-micro', open(sys.argv[1], 'rb').read())\n"
        "except Exception as error: print(type(error).__name__)"
    )
    path = real_models / "kws_dscnn/kws_ref_model_dynrange.tflite"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, cwd=ROOT, check=True
    )
    assert (done.stdout, done.stderr) == (b"TargetError\n", b"")


def test_the_child_imports_no_tensorflow_and_ends_with_its_input(tmp_path: Path) -> None:
    request = io.BytesIO()
    header = {"runtime": "tflite-micro", "seconds": 60}
    _frames.write(request, _frames.LOAD, _frames.pack_json(header, MODEL))
    probe = (
        "import sys; from edgekit.runtimes.worker import main; main();"
        f"open({str(tmp_path / 'modules')!r}, 'w').write(' '.join(sys.modules))"
    )
    with (tmp_path / "stderr").open("w+b") as stderr:
        done = subprocess.run(
            [sys.executable, "-c", probe],
            input=request.getvalue(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            check=True,
            cwd=ROOT,
            timeout=60,
        )
    assert done.stdout[:1] == _frames.READY
    modules = set((tmp_path / "modules").read_text().split())
    assert "tflite_micro" in modules
    assert not modules & {"tensorflow", "keras", "tf_keras"}


def test_the_child_starts_hardly_slower_than_numpy() -> None:
    """0.18 s against 0.12 s on a quiet machine; a ratio holds on a busy one, too."""

    def numpy() -> None:
        subprocess.run([sys.executable, "-c", "import numpy"], check=True)

    def child() -> None:
        open_runtime("tflite-micro", MODEL).close()

    both = [(_seconds(numpy), _seconds(child)) for _ in range(4)]
    assert min(pair[1] for pair in both) < 3 * min(pair[0] for pair in both)


@pytest.mark.parametrize(
    ("path", "arena"),
    [
        ("kws_dscnn/kws_ref_model_int8.tflite", Arena(24272, 16000, 8272)),
        ("ic_resnet8/pretrainedResnet_int8.tflite", Arena(55984, 49152, 6832)),
        ("tflm_examples/hello_world_int8.tflite", Arena(1504, 32, 1472)),
        ("stm_audio/miniresnet_1stacks_64x50_int8.tflite", Arena(116720, 109952, 6768)),
    ],
)
def test_the_arena_is_reported(real_models: Path, path: str, arena: Arena) -> None:
    with open_runtime("tflite-micro", (real_models / path).read_bytes()) as runtime:
        assert runtime.arena == arena


def test_small_files_with_large_activations_get_arena_enough() -> None:
    size = 1 << 22  # 16 MB in and out, a file of a few hundred bytes
    model = flatbuffer([T("x", (1, size)), T("y", (1, size))], [O("RELU", (0,), (1,))], (0,), (1,))
    with open_runtime("tflite-micro", model) as runtime:
        assert runtime.arena is not None
        assert runtime.arena.head == 8 * size


def test_outputs_on_keyword_spotting_equal_those_of_the_board(real_models: Path) -> None:
    """EK-RA8D1 running TFLM printed its outputs for each of the 500 inputs, to 3 decimals."""
    model = (real_models / "kws_dscnn/kws_ref_model_int8.tflite").read_bytes()
    with np.load(real_models / "kws_dscnn/kws01_even500.npz") as data:
        inputs, names = data["x_int8"], [str(name) for name in data["name"]]
    anchor = real_models / "device_anchors/kws_outputs_renesas_ra8d1_tflm_even500.csv"
    with anchor.open(newline="") as file:
        board = {row[0]: [float(v) for v in row[1:]] for row in list(csv.reader(file))[1:]}
    outputs = map_rows("tflite-micro", model, ((row[None],) for row in inputs))
    tensor = read(model).output_tensors()[0]
    assert tensor.quantization is not None
    scale, zero = float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0])
    for name, (output,) in zip(names, outputs, strict=True):
        ours = (output[0].astype(int) - zero) * scale
        assert np.abs(ours - board[name]).max() <= 0.0005 + 1e-9, name


def test_a_reference_and_a_micro_run_agree_where_there_is_no_dense_layer_rounding(
    real_models: Path,
) -> None:
    model = (real_models / "ic_resnet8/pretrainedResnet_int8.tflite").read_bytes()
    with np.load(real_models / "ic_resnet8/cifar10_test_0_499.npz") as data:
        rows = [(image[None].astype(np.float32),) for image in data["x"][:12]]
    found = []
    for name in ("tflite-micro", "litert-reference"):
        with open_runtime(name, model, isolated=True) as runtime:
            found.append(np.stack([out[0] for out in run_float(runtime, read(model), rows)]))
    np.testing.assert_array_equal(*found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tflite-micro", "litert"])
def test_flipped_bytes_give_errors_and_nothing_else(real_models: Path, name: str) -> None:
    model = (real_models / "tflm_examples/micro_speech_int8.tflite").read_bytes()
    draw = np.random.default_rng(0)
    refused = []
    for _ in range(150):
        damaged = bytearray(model)
        for place in draw.integers(0, len(model), 8):
            damaged[place] = int(draw.integers(256))
        try:
            with Children(name, bytes(damaged), seconds=20) as runtime:
                runtime.run(tuple(np.zeros(spec.shape, spec.dtype) for spec in runtime.inputs))
        except EdgekitError as error:
            refused.append(error.message)
    assert refused
    assert not [message for message in refused if "\n" in message]


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _children_of_this_process() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()
