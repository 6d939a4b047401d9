"""The firmware of `serial/` compiled for this machine: no warning, its side of the protocol."""

from __future__ import annotations

import os
import pty
import shutil
import struct
import subprocess
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from c_nets import residual_net
from made_tflite import Made, Step, build, options

from edgekit.c_project.make import make_project
from edgekit.c_project.serial.files import model_header
from edgekit.compiler.cores import core_of
from edgekit.compiler.program import Value
from edgekit.devices.base import Job, Request
from edgekit.devices.serial import Driver
from edgekit.exporters.base import ExportInput
from edgekit.exporters.c_project import Exporter
from edgekit.graph.read import read
from edgekit.target.profile import load_profile

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")

WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Wmissing-prototypes", "-Wshadow", "-Werror")
SANITIZED = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def float_net() -> bytes:
    """Float in and out, int8 between: quantize, dense 6 to 3, dequantize."""
    rng = np.random.default_rng(5)
    weights = rng.integers(-127, 128, (3, 6)).astype(np.int8)
    tensors = [
        Made("in", (1, 6)),
        Made("q", (1, 6), "INT8", None, (0.05,), (-3,)),
        Made("w", (3, 6), "INT8", weights, (0.01,), (0,)),
        Made("b", (3,), "INT32", np.arange(3, dtype=np.int32), (0.0005,), (0,)),
        Made("y", (1, 3), "INT8", None, (0.3,), (7,)),
        Made("out", (1, 3)),
    ]
    steps = [
        Step("QUANTIZE", (0,), (1,), options("Quantize")),
        Step("FULLY_CONNECTED", (1, 2, 3), (4,), options("FullyConnected"), version=4),
        Step("DEQUANTIZE", (4,), (5,), options("Dequantize"), version=2),
    ]
    return build(tensors, steps, (0,), (5,))


NETS = {"int8": residual_net, "float": float_net}


def export(name: str, data: bytes, folder: Path) -> dict[str, object]:
    """`c_project/` in `folder`; the manifest."""
    profile = load_profile("cortex-m0plus")
    made = make_project(name, data, read(data), profile.name, core_of("cortex-m0plus"))
    assert made.project is not None, made.problems
    Exporter().export(ExportInput(name, data, read(data), profile, None, made.project), folder)
    return {"c_project": made.project.to_json()}


@cache
def compile_c(project: Path, *flags: str) -> Path:
    """The firmware as a program."""
    sources = [*project.glob("serial/*.c"), *project.glob("*.c")]
    binary = project / f"firmware{len(list(project.glob('firmware*')))}"
    command = ["gcc", *WARNINGS, *flags, *map(str, sources), "-o", str(binary)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return binary


def said(binary: Path, commands: str) -> list[str]:
    """What the firmware answers, without its greeting."""
    done = subprocess.run([binary], input=commands.encode(), capture_output=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().split("\r\n")
    assert lines[:3] == ["m-timestamp-mode-performance", "m-init-done", "m-ready"]
    return lines[3:-1]


@contextmanager
def on_a_port(binary: Path) -> Iterator[str]:
    """The firmware with a pseudo-terminal as its UART."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    process = subprocess.Popen([binary], stdin=ours, stdout=ours)
    try:
        yield os.ttyname(theirs)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, object]]]:
    """Folder of a build and its manifest, by kind of input."""
    made = {}
    for name, net in NETS.items():
        folder = tmp_path_factory.mktemp(name)
        made[name] = (folder, export(f"{name}_net", net(), folder))
    return made


@pytest.mark.parametrize("standard", ["-std=c99", "-std=c17"])
@pytest.mark.parametrize("net", NETS)
def test_firmware_compiles_without_a_warning(
    projects: dict[str, tuple[Path, dict[str, object]]], net: str, standard: str
) -> None:
    compile_c(projects[net][0] / "c_project", standard, "-Os")


@pytest.mark.parametrize("net", NETS)
def test_driver_and_firmware_understand_each_other(
    projects: dict[str, tuple[Path, dict[str, object]]], net: str
) -> None:
    folder, manifest = projects[net]
    binary = compile_c(folder / "c_project", "-std=c99", *SANITIZED)
    with on_a_port(binary) as port, Driver() as driver:
        driver.deploy(Job(folder, manifest, None, {"port": port, "quick": True}))
        golden = driver.check()
        window = driver.run(Request(seconds=0.1, warmup_seconds=0.01))
        environment = driver.environment()
    assert golden.ok, golden.detail
    assert (golden.vectors, golden.tolerance) == (8, 0)
    assert golden.compared == 8 * {"int8": 5, "float": 12}[net]
    assert environment["firmware"] == "edgekit serial 1"
    assert environment["model"].startswith(f"{net}_net-")
    assert window.codes == ()
    assert 0 < window.latency_ms[0] < 50


def test_printed_results_are_those_of_the_bits(
    projects: dict[str, tuple[Path, dict[str, object]]],
) -> None:
    binary = compile_c(projects["float"][0] / "c_project", "-std=c99")
    given = struct.pack("<6f", 1.5, -2.0, 0.25, 3.0, -0.5, 1.0)
    *_, results, _, out, _ = said(binary, f"db load 24%db {given.hex()}%infer 1 0%results%out%")
    values = struct.unpack("<3f", bytes.fromhex(out.removeprefix("m-out-[").removesuffix("]")))
    assert results == f"m-results-[{','.join(f'{value:.3f}' for value in values)}]"
    assert len(set(values)) == 3


def test_replies_are_those_of_the_protocol(
    projects: dict[str, tuple[Path, dict[str, object]]],
) -> None:
    binary = compile_c(projects["int8"][0] / "c_project", "-std=c99")
    size = 8 * 8 * 3
    first, rest = "0A" * 31, "ff" * (size - 31)
    lines = said(binary, f"name%profile%db load {size}%db {first}%")
    assert lines[0] == "m-name-dut-[unspecified]"
    assert lines[2] == "m-profile-[edgekit serial 1]"
    assert lines[3].startswith("m-model-[int8_net-")
    assert lines[5] == f"m-[Expecting {size} bytes]"
    assert lines[-1] == "m-ready"
    parts = "".join(f"db {rest[i : i + 62]}%" for i in range(0, len(rest), 62))
    lines = said(binary, f"db load {size}%db {first}%{parts}db print%infer 3 2%")
    assert lines[2 + len(rest) // 62 + 1 :][:2] == ["m-load-done", "m-ready"]
    rows = [line for line in lines if line.startswith("m-buffer-")]
    assert len(rows) == size / 8
    assert (rows[0], rows[3]) == ("m-buffer" + "-0a" * 8, "m-buffer" + "-0a" * 7 + "-ff")
    laps = [line for line in lines if line.startswith("m-lap-us-")]
    begin = lines.index("m-warmup-start-2")
    assert [line for line in lines[begin:] if not line.startswith(("m-lap", "m-results"))] == [
        *("m-warmup-start-2", "m-warmup-done", "m-infer-start-3", "m-infer-done", "m-ready")
    ]
    assert [lines[begin + 3], lines[begin + 4]] == laps


ERRORS = {
    "nonsense": "e-[Unknown command: nonsense]",
    "": "e-[Unknown command: ]",
    "db": "e-[Command 'db' requires a subcommand]",
    "db load": "e-[The input has 192 bytes]",
    "db load 193": "e-[The input has 192 bytes]",
    "db load -1": "e-[The input has 192 bytes]",
    "db 0": "e-[Not two hexadecimal digits a byte]",
    "db 0g": "e-[Not two hexadecimal digits a byte]",
    "infer 0 0": "e-[Inference iterations must be >0]",
    "infer x": "e-[Inference iterations must be >0]",
    "n" * 81: "e-[The command is too long]",
    "n" * 9999: "e-[The command is too long]",
}


@pytest.mark.parametrize("command", ERRORS, ids=lambda text: text[:12] or "empty")
def test_wrong_command_is_answered_and_survived(
    projects: dict[str, tuple[Path, dict[str, object]]], command: str
) -> None:
    binary = compile_c(projects["int8"][0] / "c_project", "-std=c99", *SANITIZED)
    lines = said(binary, f"db load 192%{command}%name%")[2:]
    assert lines == [ERRORS[command], "m-ready", "m-name-dut-[unspecified]", "m-ready"]


def test_inference_without_a_whole_input_says_so(
    projects: dict[str, tuple[Path, dict[str, object]]],
) -> None:
    binary = compile_c(projects["int8"][0] / "c_project", "-std=c99")
    assert said(binary, "db load 192%db 0102%infer 1%")[3] == (
        "e-[2 of 192 bytes of the input are there]"
    )


def test_names_are_those_that_the_compiler_is_told(
    projects: dict[str, tuple[Path, dict[str, object]]],
) -> None:
    """As the guide says, for the runner of MLPerf Tiny and for a power meter."""
    names = {"TH_MODEL_VERSION": "kws01", "TH_VENDOR_NAME_STRING": "me", "EE_FW_VERSION": "mine"}
    flags = [f'-D{name}="{value}"' for name, value in names.items()]
    project = projects["int8"][0] / "c_project"
    binary = compile_c(project, "-std=c99", "-DEE_CFG_ENERGY_MODE=1", *flags)
    done = subprocess.run([binary], input=b"name%profile%", capture_output=True, timeout=20)
    assert done.stdout.decode().split("\r\n")[:-1] == [
        *("m-timestamp-mode-energy", "m-init-done", "m-ready", "m-name-dut-[me]", "m-ready"),
        *("m-profile-[mine]", "m-model-[kws01]", "m-ready"),
    ]


def test_header_describes_every_kind_of_output() -> None:
    outputs = [
        Value("a", (1, 4), "float32", 0.0, 0),
        Value("b", (1, 4), "uint8", 0.5, 128),
        Value("c", (2,), "int32", 0.0, 0),
        Value("d", (1,), "bool", 0.0, 0),
    ]
    text = model_header("m", "m-123", 2, outputs)
    for row in (
        "{M_OUTPUT_0_BYTES, 4, 'f', 1.0f, 0}",
        "{M_OUTPUT_1_BYTES, 1, 'u', 0.5f, 128}",
        "{M_OUTPUT_2_BYTES, 4, 'i', 1.0f, 0}",
        "{M_OUTPUT_3_BYTES, 1, 'u', 1.0f, 0}",
    ):
        assert row in text
    assert "#define MODEL_INPUT_BYTES (M_INPUT_0_BYTES + M_INPUT_1_BYTES)" in text


def test_guide_names_the_files_and_functions_of_a_port(
    projects: dict[str, tuple[Path, dict[str, object]]],
) -> None:
    folder = projects["int8"][0] / "c_project" / "serial"
    text, port = (folder / "README.md").read_text(), (folder / "port_posix.c").read_text()
    functions = ("th_serialport_initialize", "th_getchar", "th_putchar", "th_timestamp_initialize")
    for function in (*functions, "th_timestamp", "ee_benchmark_initialize", "ee_serial_callback"):
        assert function in text
        assert function in port
    for path in folder.glob("*.c"):
        assert path.name in text
    assert "../int8_net.c" in text
    assert "@" not in text


def test_command_of_the_guide_compiles_the_firmware(
    projects: dict[str, tuple[Path, dict[str, object]]], tmp_path: Path
) -> None:
    folder = shutil.copytree(projects["int8"][0] / "c_project", tmp_path / "c_project") / "serial"
    (line,) = (one for one in (folder / "README.md").read_text().splitlines() if one[:3] == "cc ")
    subprocess.run(["sh", "-c", line], cwd=folder, check=True, timeout=60)
    assert said(folder / "firmware", "name%")[0] == "m-name-dut-[unspecified]"
