"""The native worker by itself, on this machine: values as the Interpreter's, and faults."""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import json
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from made_tflite import Made, Step, build, options

from edgekit.devices._adb.compile import SOURCES, abi_of, worker_for
from edgekit.devices._adb.runtime import runtime_for
from edgekit.errors import TargetError, UsageError

RESOLVERS = {
    "default": OpResolverType.AUTO,
    "plain": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}
Event = dict[str, Any]


@pytest.fixture
def worker(native: Path, library: Path) -> list[str]:
    return [str(native), "--runtime", str(library)]


def tell(worker: list[str], model: Path, commands: str, *more: str) -> tuple[list[Event], int]:
    """Events that come of commands, one a line, and the exit code."""
    done = subprocess.run(
        [*worker, "--model", str(model), *more],
        input=commands,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return events, done.returncode


def random_rows(model: Path, count: int) -> list[list[np.ndarray]]:
    """Seeded inputs: one list of arrays a vector."""
    details = Interpreter(str(model)).get_input_details()
    rng = np.random.default_rng(7)
    return [
        [
            (rng.uniform(-1, 1, d["shape"]) if d["dtype"] == np.float32
             else rng.integers(-100, 100, d["shape"])).astype(d["dtype"])
            for d in details
        ]
        for _ in range(count)
    ]  # fmt: skip


def interpreted(model: Path, rows: list[list[np.ndarray]], kernels: str) -> bytes:
    interpreter = Interpreter(
        str(model), num_threads=1, experimental_op_resolver_type=RESOLVERS[kernels]
    )
    interpreter.allocate_tensors()
    found = []
    for row in rows:
        for detail, value in zip(interpreter.get_input_details(), row, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        found += [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    return b"".join(value.tobytes() for value in found)


def golden(worker: list[str], model: Path, rows: list[list[np.ndarray]], kernels: str) -> bytes:
    source, target = model.with_suffix(".in"), model.with_suffix(".out")
    source.write_bytes(b"".join(value.tobytes() for row in rows for value in row))
    command = f"golden {source} {target} {len(rows)}\n"
    events, code = tell(worker, model, command, "--kernels", kernels)
    assert (events[-1], code) == ({"event": "golden", "vectors": len(rows)}, 0)
    return target.read_bytes()


@pytest.mark.parametrize("kernels", RESOLVERS)
@pytest.mark.parametrize(
    "name",
    [
        "ic_resnet8/pretrainedResnet_int8",
        "kws_dscnn/kws_ref_model_dynrange",
        "tflm_examples/hello_world_float",
        "vww_mobilenetv1/vww_96_int8",
    ],
)
def test_real_models_give_the_bits_of_the_interpreter(
    worker: list[str], real_models: Path, tmp_path: Path, name: str, kernels: str
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes((real_models / f"{name}.tflite").read_bytes())
    rows = random_rows(model, 3)
    assert golden(worker, model, rows, kernels) == interpreted(model, rows, kernels)


def test_shipped_model_gives_the_bits_of_the_interpreter(
    worker: list[str], built: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes((built / "digits-android" / "model.tflite").read_bytes())
    rows = random_rows(model, 4)
    assert golden(worker, model, rows, "default") == interpreted(model, rows, "default")


def signature(model: Any) -> None:
    """Names the inputs in the other order than the graph has them."""
    found = schema.SignatureDefT()
    found.signatureKey = b"serving_default"
    found.inputs, found.outputs = [], []
    for side, name, index in (("inputs", b"b", 1), ("inputs", b"a", 0), ("outputs", b"c", 2)):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        getattr(found, side).append(entry)
    model.signatureDefs = [found]


def test_tensors_come_in_the_order_of_the_graph(worker: list[str], tmp_path: Path) -> None:
    tensors = [Made("a", (1, 4)), Made("b", (1, 4)), Made("c", (1, 4))]
    steps = [Step("SUB", (0, 1), (2,), options("Sub"))]
    model = tmp_path / "sub.tflite"
    model.write_bytes(build(tensors, steps, (0, 1), (2,), signature))
    a, b = (np.full((1, 4), value, np.float32) for value in (5, 3))
    got = np.frombuffer(golden(worker, model, [[a, b]], "default"), np.float32)
    assert got.tolist() == [2, 2, 2, 2]


def test_open_dimension_is_one(worker: list[str], tmp_path: Path) -> None:
    def open_batch(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            tensor.shapeSignature = [-1, 4]

    model = tmp_path / "open.tflite"
    tensors = [Made("x", (1, 4)), Made("y", (1, 4))]
    model.write_bytes(build(tensors, [Step("RELU", (0,), (1,))], (0,), (1,), open_batch))
    row = np.array([[-1, 2, -3, 4]], np.float32)
    got = np.frombuffer(golden(worker, model, [[row]], "plain"), np.float32)
    assert got.tolist() == [0, 2, 0, 4]


def test_random_inputs_of_indices_stay_in_range(worker: list[str], tmp_path: Path) -> None:
    table = np.arange(4, dtype=np.float32).reshape(2, 2)
    tensors = [Made("table", (2, 2), data=table), Made("at", (64,), "INT32"), Made("y", (64, 2))]
    model = tmp_path / "gather.tflite"
    steps = [Step("GATHER", (0, 1), (2,), options("Gather"))]
    model.write_bytes(build(tensors, steps, (1,), (2,)))
    events, code = tell(worker, model, "run 0.05 0 3 5\n")
    assert (events[-1]["event"], code) == ("window", 0)


def test_a_window(worker: list[str], built: Path) -> None:
    model = built / "digits-android" / "model.tflite"
    events, code = tell(worker, model, "ping\nrun 0.5 0.1 5 10\nping\nstate\nquit\n")
    ready, before, *samples, window, after, state = events
    assert code == 0
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    assert (ready["schema"], ready["worker"], ready["model_sha256"]) == (1, "native", digest)
    told = [ns for event in samples for ns in event["ns"]]
    assert len(samples) >= 2  # they come while it goes on
    assert len(told) == window["inferences"]
    span = window["end_ns"] - window["start_ns"]
    assert 0.5e9 <= span < 1e9
    assert 0 < sum(told) <= span
    assert before["t_ns"] < window["start_ns"] < window["end_ns"] < after["t_ns"]
    assert window["end_real_ns"] - window["start_real_ns"] == pytest.approx(span, rel=0.01)
    assert state["processors"] >= 1
    assert state["load"] >= 0


def test_a_window_ends_in_time(worker: list[str], built: Path) -> None:
    model = built / "digits-android" / "model.tflite"
    (*_, long), _ = tell(worker, model, "run 0 0 2000000000 0.3\n")
    assert 0 < long["end_ns"] - long["start_ns"] < 1e9
    (*_, least), _ = tell(worker, model, "run 9 9 5 0\n")
    assert least["inferences"] == 1


@pytest.mark.parametrize(
    ("command", "kind", "what"),
    [
        ("golden {model} /dev/null 1", "model", "has fewer than 1 vectors"),
        ("golden {folder}/none /dev/null 1", "disk", "No such file"),
        ("golden /dev/zero /dev/full 1", "disk", "/dev/full: No space left on device"),
        ("fly", "model", "unknown command: fly"),
    ],
)
def test_what_a_worker_says_is_wrong(
    worker: list[str], built: Path, tmp_path: Path, command: str, kind: str, what: str
) -> None:
    model = built / "digits-android" / "model.tflite"
    (tmp_path / "short").write_bytes(b"x")
    words = command.format(model=tmp_path / "short", folder=tmp_path)
    events, code = tell(worker, model, f"{words}\n")
    assert (events[-1]["event"], events[-1]["kind"], code) == ("error", kind, 1)
    assert what in events[-1]["what"]


def test_what_a_worker_does_not_start_with(native: Path, library: Path, tmp_path: Path) -> None:
    math, model = ctypes.util.find_library("m"), tmp_path / "model.tflite"
    model.write_bytes(b"TFL3" * 8)
    for words, kind, what in (
        (["--runtime", "nothing.so"], "missing", "cannot be loaded"),
        (["--runtime", str(math)], "missing", "LiteRT 2.1.6 or newer is needed"),
        (["--runtime", str(library), "--kernels", "reference"], "missing", "no reference kernels"),
        ([], "model", "--runtime and --model are needed"),
        (["--runtime"], "model", "no value: --runtime"),
    ):
        (error,), code = tell([str(native)], model, "", *words)
        assert (error["event"], error["kind"], code) == ("error", kind, 1), words
        assert what in error["what"]


def test_worker_ends_when_nobody_listens(worker: list[str], built: Path) -> None:
    model = built / "digits-android" / "model.tflite"
    pipe = subprocess.PIPE
    process = subprocess.Popen([*worker, "--model", str(model)], stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"run 60 0 1 60\n")
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    begun = time.monotonic()
    assert process.wait(10) != 0
    assert time.monotonic() - begun < 3
    process.stdin.close()


def test_sha256_of_every_padding(tmp_path: Path) -> None:
    library = tmp_path / "sha256.so"
    source = SOURCES / "sha256.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    digest = ctypes.CDLL(str(library)).sha256
    digest.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]
    data = np.random.default_rng(1).integers(0, 256, 100_000, np.uint8).tobytes()
    for size in (*range(200), 4095, 4096, 100_000):
        hexadecimal = ctypes.create_string_buffer(65)
        digest(data[:size], size, hexadecimal)
        assert hexadecimal.value.decode() == hashlib.sha256(data[:size]).hexdigest(), size


def test_compiler_that_stands_in_for_the_ndk(tmp_path: Path) -> None:
    clang = tmp_path / "ndk" / "toolchains" / "llvm" / "prebuilt" / "linux-x86_64" / "bin" / "clang"
    clang.parent.mkdir(parents=True)
    clang.write_text(f'#!/bin/sh\necho $1 >{tmp_path}/target; shift; exec gcc "$@"\n')
    clang.chmod(0o755)
    made = worker_for("arm64-v8a", {"ndk": str(tmp_path / "ndk")}, tmp_path)
    assert (tmp_path / "target").read_text() == "--target=aarch64-linux-android24\n"
    done = subprocess.run([made], capture_output=True, text=True, check=False)
    assert "--runtime and --model are needed" in done.stdout
    clang.write_text("#!/bin/sh\necho no headers >&2; exit 1\n")
    with pytest.raises(UsageError, match=r"cannot be compiled: clang failed .* no headers"):
        worker_for("arm64-v8a", {"ndk": str(tmp_path / "ndk")}, tmp_path)


def test_library_out_of_an_archive_with_the_layout_of_the_aar(tmp_path: Path) -> None:
    archive = tmp_path / "litert.aar"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("jni/arm64-v8a/libLiteRt.so", b"arm")
        made.writestr("jni/x86_64/libLiteRt.so", b"x86")
    found = runtime_for("arm64-v8a", {"runtime": str(archive)}, tmp_path)
    assert found.read_bytes() == b"arm"
    with pytest.raises(UsageError, match="has no jni/armeabi-v7a/"):
        runtime_for("armeabi-v7a", {"runtime": str(archive)}, tmp_path)


def test_abi_of_a_device() -> None:
    assert abi_of("aarch64", {}) == "arm64-v8a"
    assert abi_of("aarch64", {"ro.product.cpu.abi": "armeabi-v7a"}) == "armeabi-v7a"
    assert abi_of("armv8l", {}) == "armeabi-v7a"
    with pytest.raises(TargetError, match="no worker for mips"):
        abi_of("mips", {})
