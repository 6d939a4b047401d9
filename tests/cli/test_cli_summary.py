"""What `edgekit build` says at its end."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from edgekit.artifact import Build
from edgekit.cli._summary import print_build
from edgekit.criteria import Measured, criteria

MEMORY = {"need": 18816, "have": None, "state": "measured", "by": "the model file"}
STEP = {"step": "float32", "parameters": 12570, "macs": 934272, "bytes": 53836, "gzip": 48140}
MANIFEST: dict[str, Any] = {
    "model": {"path": "digits.keras"},
    "target": "rpi4",
    "compress": [],
    "ledger": [STEP, {**STEP, "step": "int8", "bytes": 18816}],
    "fidelity": {
        "samples": 200,
        "top1_agreement": 99.5,
        "sqnr_db": 44.163,
        "worst": {"index": 3, "sqnr_db": 21.2},
        "runtime": "ai-edge-litert 2.3.0",
    },
    "accuracy": None,
    "criteria": criteria(Measured(12570, 934272, 53836), Measured(12570, 934272, 18816)),
    "fit": {"fits": None, "flash": MEMORY, "ram": {**MEMORY, "need": None}},
    "problems": [{"severity": "warning", "message": "few samples", "hint": "give more"}],
    "artifacts": [{"kind": "tflite", "path": "model.tflite", "bytes": 18816, "sha256": "0"}],
}


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    return copy.deepcopy(MANIFEST)


def shown(manifest: dict[str, Any], capsys: pytest.CaptureFixture[str], folder: str = "out") -> str:
    print_build(Build(Path.cwd() / folder, manifest))
    return capsys.readouterr().out


def test_everything_a_person_needs(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        shown(manifest, capsys)
        == """\
digits.keras for rpi4
         parameters     MACs   bytes    gzip
float32      12,570  934,272  53,836  48,140
int8         12,570  934,272  18,816  48,140

fidelity    top-1 agrees on 99.50 %, SQNR 44.2 dB (worst row 21.2 dB); 200 rows on \
ai-edge-litert 2.3.0
criteria    2.86 x fewer bytes than the float model
fit         rpi4 has every operator
warning     few samples
            give more
files       out/
              model.tflite          18,816 B
              manifest.json    from what, how good, where it fits
              report.json      layer by layer, and this run
next        load model.tflite on the device
            edgekit inspect out/model.tflite
            edgekit verify out
            edgekit bench out --device ssh

"""
    )


def test_criteria_and_what_the_passes_took(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    small = Measured(6285, 467136, 18816, 91.0, "top1")
    manifest["criteria"] = criteria(Measured(12570, 934272, 53836, 92.0, "top1"), small)
    training = {"training_seconds": 93.4, "training_peak_bytes": 1_600_000_000, "passes": []}
    print_build(Build(Path.cwd() / "out", manifest, {"training": training}))
    text = " ".join(capsys.readouterr().out.split())
    assert "2.86 x fewer bytes than the float model, 2 x fewer MACs" in text
    assert "14,479 % a million parameters, NetScore 133.7" in text
    assert "passes 93 s, at most 1.60 GB of memory" in text


def test_need_of_have(manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    ram = {"need": 16828, "have": 20000, "state": "estimated", "by": "arena and stack"}
    manifest["fit"] = {"fits": True, "flash": MEMORY, "ram": ram}
    text = shown(manifest, capsys)
    assert "rpi4 has every operator, and its memory suffices" in text
    assert "ram         16,828 B of 20,000 B (84 %), estimated: arena and stack" in text
    assert "flash" not in text


def test_commands_can_be_pasted(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(manifest, capsys, "my builds")
    assert "edgekit verify 'my builds'" in text
    assert "edgekit inspect 'my builds/model.tflite'" in text


def test_compiled_in(manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    manifest["artifacts"] += [
        {"kind": "c_array", "path": path, "bytes": 9} for path in ("model_data.h", "model_data.c")
    ]
    compiled = "            or compile model_data.h and model_data.c into its program\n"
    assert f"load model.tflite on the device\n{compiled}" in shown(manifest, capsys)


LIBRARIES = {
    "aar": ("my net.aar", "add 'out/my net.aar' to the app's dependencies"),
    "npm": ("npm/package.json", "npm install out/npm"),
    "swift": ("swift/Package.swift", "add the package out/swift to the app in Xcode"),
    "python_package": ("python/net-1.whl", "pip install out/python/net-1.whl"),
}


@pytest.mark.parametrize("kind", LIBRARIES)
def test_a_library_is_what_an_app_takes(
    kind: str, manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path, use = LIBRARIES[kind]
    paths = ("some/source.txt", path, "some/more.txt")
    manifest["artifacts"] += [{"kind": kind, "path": each, "bytes": 9} for each in paths]
    found = shown(manifest, capsys)
    assert f"next        {use}\n            or load model.tflite on the device\n" in found


MADE = {
    "prefix": "net",
    "folder": "c_project",
    "weights_bytes": 31949,
    "arena_bytes": 10064,
    "channels": {"removed": 0},
    "weights": [],
    "golden": 4,
    "golden_by": "tflite-micro",
}


def test_the_model_as_c(manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    manifest["c_project"] = MADE
    needs = {"flash": {**MEMORY, "state": "estimated", "by": "constants"}, "ram": MEMORY}
    manifest["fit"]["c_project"] = needs
    path = "c_project/net.c"
    manifest["artifacts"] += [{"kind": "c_project", "path": path, "bytes": 9}] * 2
    text = shown(manifest, capsys)
    line = "31.2 KB of constants, arena 9.8 KB, bit-exact with tflite-micro on 4 vectors"
    assert f"C project   {line}\n" in text
    assert "            flash 18,816 B, estimated: constants\n" in text
    assert "  c_project/                18 B\n" in text
    assert "compile c_project/net.c into the device's program (c_project/README.md)" in text
    counts = {"weights": 9000, "weights_left": 1000, "macs": 8000, "macs_left": 4000}
    dropped = {"removed": 10, "channels": 16, **counts}
    manifest["c_project"] = {**MADE, "golden_by": "host", "channels": dropped}
    line = "10 of 16 channels never change an output and are left out: 9,000 -> 1,000 weights"
    assert line in shown(manifest, capsys)
    assert "not compared with tflite-micro, which this machine has not" in shown(manifest, capsys)


def test_what_a_compiler_made_of_it(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    manifest["c_project"] = MADE
    manifest["fit"]["c_project"] = {"flash": MEMORY, "ram": MEMORY}
    found = {"text": 4000, "rodata": 900, "data": 100, "bss": 0, "compiler": "some-gcc 12.2.1"}
    print_build(Build(Path.cwd() / "out", manifest, {"c_project": found}))
    line = "flash 5,000 B, measured by compiling with some-gcc 12.2.1: code 4,000 B + constants"
    assert line in capsys.readouterr().out


def test_a_float_build_equals_its_source_and_is_listed_once(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    manifest["ledger"] = [STEP, dict(STEP)]
    manifest["fidelity"].update(sqnr_db=200.0, worst={"index": 0, "sqnr_db": 200.0})
    text = shown(manifest, capsys)
    assert text.count("934,272") == 1
    assert "outputs equal the float model's; 200 rows" in text


PRUNED = {
    "elements": 12345678,
    "zeros": 8642000,
    "distinct": 16,
    "csr": 12345678,
    "code_book": 12345678,
}


def test_passes_show_what_they_did_to_the_weights(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    wide = {"bytes": 98765432, "gzip": 12345678, "weights": PRUNED}
    known = {**STEP, **wide, "top1_agreement": 100.0, "sqnr_db": 41.26}
    unknown = {**STEP, **wide, "top1_agreement": None, "sqnr_db": None}
    manifest["compress"] = [{"pass": "quantize_aware"}]
    manifest["ledger"] = [unknown, {**known, "step": "quantize_aware"}]
    lines = shown(manifest, capsys).splitlines()
    assert lines[0] == "digits.keras for rpi4: 12,570 parameters, 934,272 MACs"
    assert lines[3].split() == [
        *("quantize_aware", "70.0", "16", "98,765,432", "12,345,678", "12,345,678", "12,345,678"),
        *("100.0", "41.3"),
    ]
    assert lines[2].split()[-2:] == ["-", "-"]
    assert max(len(line) for line in lines[:6]) <= 100


def test_drop_in_points(manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    manifest["accuracy"] = {
        "metric": "top1",
        "samples": 1000,
        "float": 98.1,
        "built": 97.9,
        "drop": 0.2,
        "interval": [-0.4, 0.8],
    }
    wanted = "top1 float 98.10 %, built 97.90 %: drop 0.20 points (95 % interval -0.40 to 0.80)"
    assert f"{wanted} on 1,000 samples" in shown(manifest, capsys)


def test_elsewhere_the_folder_is_absolute(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    print_build(Build(Path("/elsewhere/out"), manifest, fresh=False))
    assert capsys.readouterr().out.startswith("/elsewhere/out: nothing changed, nothing to do")


def test_the_c_project_of_a_compressed_build_layer_by_layer(
    manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    step = {**STEP, "weights": PRUNED, "top1_agreement": None, "sqnr_db": None, "flash": None}
    manifest["compress"] = [{"pass": "cluster"}]
    manifest["ledger"] = [step, {**step, "step": "int8", "flash": 24016}]
    manifest["without_passes"] = {**step, "step": "int8, no passes", "flash": 31949}
    stored = {"bytes_stored": 2064, "instructions_plain": 9000, "instructions_stored": 9900}
    coded = {"layer": "a;net/conv", "form": "16 values a tensor", "bytes_plain": 4096, **stored}
    made = {**MADE, "weights": [{**coded, "form": "plain", "layer": "net/first"}, coded]}
    manifest["c_project"] = made
    manifest["fit"]["c_project"] = {"flash": MEMORY, "ram": MEMORY}
    lines = shown(manifest, capsys).splitlines()
    assert lines[1].endswith("SQNR dB  C flash")
    assert lines[2].split()[-1] == "-"
    assert lines[3].startswith("int8, no passes")
    assert [line.split()[-1] for line in lines[3:5]] == ["31,949", "24,016"]
    head = lines.index("weights in few bits in the C project; instructions estimated")
    assert lines[head + 2].split() == [
        *("16", "values", "a", "tensor", "4,096", "2,064", "9,000", "9,900", "conv"),
    ]
    assert "first" not in "".join(lines[head:]), "what is stored as it is is not listed"
