"""`edgekit build` for a microcontroller: the model as C beside the array for an interpreter."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from c_nets import residual_net, unknown_net
from digits_example import DATA, contents, manifest_of
from made_tflite import Made, one_op

import edgekit
from edgekit.cli import main
from edgekit.compiler.kernels.add.add import Add
from edgekit.errors import TargetError, UsageError

FILES = ("CMakeLists.txt", "README.md", "examples/plain/main.c", "net.c", "net.h", "net_golden.h")


needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current one, with models in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.tflite").write_bytes(residual_net())
    (tmp_path / "strange.tflite").write_bytes(unknown_net())
    tensors = [Made("x", (1, 4)), Made("y", (1, 4))]
    (tmp_path / "float.tflite").write_bytes(one_op("LOGISTIC", tensors))
    return tmp_path


def problems(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    found = manifest["problems"]
    return [(one["severity"], one["message"]) for one in found if one["where"] == "c_project"]


def test_a_build_has_it_with_hashes_and_a_section_of_its_own(folder: Path) -> None:
    build = edgekit.build("net.tflite", target="cortex-m4")
    listed = {one["path"] for one in build.manifest["artifacts"] if one["kind"] == "c_project"}
    assert {f"c_project/{name}" for name in FILES} < listed
    assert build.damaged() == []
    section = build.manifest["c_project"]
    assert {key: section[key] for key in ("prefix", "folder", "core", "isa", "optimize")} == {
        **{"prefix": "net", "folder": "c_project", "core": "cortex-m4"},
        **{"isa": "dsp", "optimize": "balanced"},
    }
    assert section["cflags"] == ["-O2"]
    assert section["golden"] == 8
    assert 0 < section["arena_bound_bytes"] <= section["arena_bytes"] < 4096
    assert section["layers"][1] == {
        "symbol": "net_layer_01_conv_2d",
        "name": "second",
        "op": "CONV_2D",
        "fused": ["ADD"],
        "macs": 9216,
        "input_shapes": [[1, 8, 8, 4], [1, 8, 8, 4]],
        "output_shape": [1, 8, 8, 4],
        "scratch_bytes": section["layers"][1]["scratch_bytes"],
    }
    source = (build.folder / "c_project" / "net.c").read_text()
    assert all(layer["symbol"] in source for layer in section["layers"])
    fits = build.manifest["fit"]["c_project"]
    assert fits["flash"]["need"] < build.manifest["fit"]["flash"]["need"]
    assert fits["flash"]["state"] == fits["ram"]["state"] == "estimated"


def test_verify_builds_it_again_byte_for_byte(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "net.tflite", "-t", "cortex-m0plus", "-o", "b"]) == 0
    said = capsys.readouterr().out
    assert "KB of constants, arena 0.6 KB, bit-exact with tflite-micro on 8 vectors" in said
    assert "compile c_project/net.c into the device's program" in said
    assert main(["verify", "b"]) == 0
    before = contents(folder / "b")
    assert main(["build", "net.tflite", "-t", "cortex-m0plus", "-o", "c"]) == 0
    assert contents(folder / "c") == before
    kernels = folder / "b" / "c_project" / "net_kernels.h"
    kernels.write_text(kernels.read_text() + "\n")
    assert main(["verify", "b", "--no-rebuild"]) == 1


def test_what_it_is_made_for_can_be_chosen(folder: Path) -> None:
    assert main(["build", "net.tflite", "-t", "cortex-m7", "-o", "b", "--optimize", "size"]) == 0
    small = manifest_of(folder / "b")["c_project"]
    assert (small["optimize"], small["cflags"]) == ("size", ["-Os"])
    toml = '[model]\npath = "net.tflite"\n[build]\ntargets = ["cortex-m7"]\noutput = "c"\n'
    (folder / "edgekit.toml").write_text(f'{toml}[compile]\noptimize = "speed"\n')
    assert main(["build"]) == 0
    assert manifest_of(folder / "c")["c_project"]["optimize"] == "speed"


def test_any_target_has_it_when_asked(folder: Path) -> None:
    assert edgekit.build("net.tflite", target="rpi4", output="a").manifest["c_project"] is None
    build = edgekit.build("net.tflite", target="rpi4", output="b", export="c_project")
    assert build.manifest["c_project"]["isa"] == "portable"
    assert list(build.manifest["project"]["build"]["export"]) == ["c_project"]
    assert main(["verify", "b"]) == 0


def test_a_library_that_is_asked_for_has_golden_vectors_of_its_own(folder: Path) -> None:
    build = edgekit.build("net.tflite", target="cortex-m4", output="b", export="python_package")
    assert (build.folder / "python" / "net" / "golden.npz").is_file()
    assert build.manifest["golden"] is None
    assert not (build.folder / "golden.npz").exists()


def test_an_unknown_operator_is_named_and_the_other_files_are_written(folder: Path) -> None:
    build = edgekit.build("strange.tflite", target="cortex-m4")
    assert build.manifest["c_project"] is None
    assert {one["kind"] for one in build.manifest["artifacts"]} == {"tflite", "c_array"}
    assert not (build.folder / "c_project").exists()
    message = (
        "no C project: operator 1 L2_NORMALIZATION 'strange': the C project has no such operation"
    )
    assert problems(build.manifest) == [("warning", message)]


def test_a_build_that_had_it_loses_it(folder: Path) -> None:
    build = edgekit.build("net.tflite", target="cortex-m4", output="b")
    assert (build.folder / "c_project").is_dir()
    edgekit.build("strange.tflite", target="cortex-m4", output="b")
    assert not (build.folder / "c_project").exists()


ASKED = {
    ("strange.tflite",): "L2_NORMALIZATION 'strange'",
    ("float.tflite", "--quantize", "float32"): "this one is float32",
}


@pytest.mark.parametrize(("model", "why"), ASKED.items(), ids=["unknown operator", "float32"])
def test_where_it_was_asked_for_the_build_is_refused(
    model: tuple[str, ...], why: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["build", *model, "-t", "cortex-m4", "-o", "b", "--export", "c_project"])
    assert code == 3
    assert why in capsys.readouterr().err
    assert not (folder / "b").exists()


def test_float_models_get_a_note(folder: Path) -> None:
    build = edgekit.build("float.tflite", target="cortex-m4", quantize="float32")
    message = "no C project: it is for int8 models, and this one is float32"
    assert problems(build.manifest) == [("note", message)]


def test_a_wrong_kernel_is_not_published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Add.run
    monkeypatch.setattr(Add, "run", lambda self, *inputs: honest(self, *inputs) ^ 64)
    build = edgekit.build("net.tflite", target="cortex-m4")
    ((severity, message),) = problems(build.manifest)
    assert severity == "warning"
    assert "differs from TensorFlow Lite Micro on 8 of 8 golden vectors" in message
    assert "first seen in layer 'second' (CONV_2D)" in message
    assert not (build.folder / "c_project").exists()
    with pytest.raises(TargetError, match="differs from TensorFlow Lite Micro"):
        edgekit.build("net.tflite", target="cortex-m4", export="c_project", force=True)


def test_the_plan_lists_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "net.tflite", "-t", "cortex-m4", "--dry-run", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["plans"][0]["steps"]
    wanted = {"kind": "export", "name": "c_project", "options": {"optimize": "balanced"}}
    assert wanted in steps
    arguments = ["-t", "rpi4", "--export", "c_array", "--export", "c_project", "--dry-run"]
    assert main(["build", "net.tflite", *arguments]) == 0
    assert "export c_project (optimize=balanced)" in capsys.readouterr().out


def test_an_unknown_exporter_is_refused_before_anything_is_done(folder: Path) -> None:
    with pytest.raises(UsageError, match="no exporter 'c_projekt'") as caught:
        edgekit.build("net.tflite", target="cortex-m4", export="c_projekt")
    assert caught.value.hint == "did you mean c_project?"


def test_a_target_by_its_other_name(folder: Path) -> None:
    build = edgekit.build("net.tflite", target="nrf52840dk")
    assert build.folder.name == "net-nrf52840-dk"
    assert main(["verify", str(build.folder)]) == 0


SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def run_example(build: Path, binary: Path) -> None:
    """Compile the C project of a build under sanitizers, and run its golden vectors."""
    project = build / "c_project"
    sources = [*sorted(project.glob("*.c")), project / "examples/plain/main.c"]
    command = [
        "gcc",
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        *SANITIZED,
        "-I",
        project,
        *sources,
    ]
    subprocess.run([*command, "-o", binary], check=True)
    subprocess.run([binary], check=True)


@needs_gcc
def test_the_digit_reader_as_c(built: Path, tmp_path: Path) -> None:
    build = built / "digits-cortex-m4"
    section = manifest_of(build)["c_project"]
    assert (section["golden"], section["golden_by"]) == (8, "tflite-micro")
    assert sum(layer["macs"] for layer in section["layers"]) == section["channels"]["macs_left"]
    run_example(build, tmp_path / "run")


@needs_gcc
def test_the_motion_classifier_as_c(folder: Path) -> None:
    build = edgekit.build(
        DATA / "motion.keras",
        target="cortex-m0plus",
        calibration=f"{DATA}/motion_calibration.npz",
        fidelity=False,
        export="c_project",
    )
    assert build.manifest["c_project"]["isa"] == "portable"
    assert "MEAN" in {layer["op"] for layer in build.manifest["c_project"]["layers"]}
    run_example(build.folder, folder / "run")


def small(folder: Path, flash: int, ram: int = 65_536) -> str:
    path = folder / "small.toml"
    path.write_text(
        f'title = "s"\nextends = "cortex-m4"\n[memory]\nflash_bytes = {flash}\nram_bytes = {ram}\n'
    )
    return str(path)


def test_where_the_c_alone_fits_the_build_is_not_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "net.tflite", "-t", small(folder, 16_384), "-o", "b"]) == 0
    said = capsys.readouterr().out
    assert "with TensorFlow Lite Micro, flash of small: needs 56,608 B, has 16,384 B" in said
    assert "compile c_project/ into the program, which fits, instead" in said
    assert manifest_of(folder / "b")["fit"]["fits"] is True


def test_where_neither_fits_it_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "net.tflite", "-t", small(folder, 2048), "-o", "b"]) == 3
    assert "as C, flash of small: needs" in capsys.readouterr().err
    assert main(["build", "strange.tflite", "-t", small(folder, 16_384), "-o", "b"]) == 3
    assert not (folder / "b").exists()


def test_the_array_has_an_estimate_of_the_arena(folder: Path) -> None:
    build = edgekit.build("net.tflite", target="cortex-m4")
    header = (build.folder / "model_data.h").read_text()
    (line,) = [one for one in header.splitlines() if "NET_ARENA_BYTES_ESTIMATE" in one]
    size = int(line.split()[2].rstrip("u"))
    assert 2624 < size < 3000
    assert size % 16 == 0
    assert "An\n   estimate, not a bound" in header
