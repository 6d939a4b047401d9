"""The package for pip: its bytes, its arithmetic, the wheel installed and run."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from c_nets import residual_net
from made_tflite import Made, one_op
from PIL import Image

from edgekit.exporters.base import ExportInput
from edgekit.exporters.python_package import Exporter
from edgekit.golden.litert import make_golden
from edgekit.graph.read import read
from edgekit.interface import prepare
from edgekit.preprocess import parse
from edgekit.python_package.files import names
from edgekit.target.profile import load_profile

LABELS = ("eins", "zwei", "größer", "模型", "fünf")


def exported(
    name: str, data: bytes, folder: Path, preprocess: str = "unit", target: str = "linux-x86_64"
) -> Path:
    """`python/` in `folder`."""
    folder.mkdir(exist_ok=True)
    graph = read(data)
    labels = LABELS if graph.output_tensors()[0].shape[-1] == len(LABELS) else ()
    given = ExportInput(
        *(name, data, graph, load_profile(target), None, None),
        *(make_golden(data, graph), parse(preprocess), labels),
    )
    paths = Exporter().export(given, folder)
    assert set(paths) == {path for path in folder.rglob("*") if path.is_file()}
    return folder / "python"


def installed(wheel: Path, site: Path) -> None:
    """By pip, without what it depends on: that is here already."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    command += ["--disable-pip-version-check", "--target", str(site), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run(site: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=site, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + (done.stderr if code else "")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported("my net", residual_net(), tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def site(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel is installed."""
    place = tmp_path_factory.mktemp("site")
    installed(*package.glob("*.whl"), place)
    return place


def test_the_wheel_is_the_same_each_time_and_holds_the_sources(
    package: Path, tmp_path: Path
) -> None:
    again = exported("my net", residual_net(), tmp_path)
    for path in package.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(package)).read_bytes()
    (wheel,) = package.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    sources = {f"my_net/{path.name}": path.read_bytes() for path in (package / "my_net").iterdir()}
    assert sources.items() <= content.items()
    (record,) = (name for name in content if name.endswith("/RECORD"))
    rows = list(csv.reader(io.StringIO(content[record].decode())))
    assert {row[0] for row in rows} == set(content)
    for name, digest, size in rows:
        if name != record:
            found = base64.urlsafe_b64encode(hashlib.sha256(content[name]).digest())
            assert (digest, int(size)) == (
                f"sha256={found.rstrip(b'=').decode()}",
                len(content[name]),
            )
    metadata = content[record.replace("RECORD", "METADATA")].decode()
    assert "\nRequires-Dist: ai-edge-litert>=2.3,<2.4\nRequires-Dist: numpy\n" in metadata
    assert str(tmp_path) not in json.dumps(str(content))


def test_setuptools_makes_the_same_package_of_the_sources(package: Path, tmp_path: Path) -> None:
    source = shutil.copytree(package, tmp_path / "source")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--no-index", "-w", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (theirs,), (ours,) = tmp_path.glob("*.whl"), package.glob("*.whl")
    assert theirs.name == ours.name
    contents = []
    for wheel in (theirs, ours):
        with zipfile.ZipFile(wheel) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist()})
    modules = [
        {name: data for name, data in each.items() if name.startswith("my_net/")}
        for each in contents
    ]
    assert modules[0] == modules[1]


def test_the_installed_package_predicts_and_tests_itself(site: Path) -> None:
    code = (
        "import json, numpy, my_net\n"
        "row = numpy.random.default_rng(3).integers(0, 256, (8, 8, 3)).astype('uint8')\n"
        "print(json.dumps([my_net.predict(row).tolist(), my_net.labels, my_net.SHA256,\n"
        "    str(my_net.self_test()), my_net.INPUTS[0].shape, my_net.NAME]))\n"
    )
    scores, labels, digest, difference, shape, name = json.loads(run(site, "-c", code))
    assert len(scores) == len(labels) == 5
    assert (tuple(labels), difference, shape, name) == (LABELS, "None", [1, 8, 8, 3], "my net")
    assert digest == hashlib.sha256(residual_net()).hexdigest()


def test_the_command_takes_pictures_arrays_and_the_self_test(site: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    np.save(tmp_path / "row.npy", pixels)
    Image.fromarray(pixels).save(tmp_path / "row.png")
    said = [run(site, "-m", "my_net", str(tmp_path / f"row.{kind}")) for kind in ("npy", "png")]
    assert said[0] == said[1]
    assert len(said[0].splitlines()) == 5
    assert {line.split()[1] for line in said[0].splitlines()} == set(LABELS)
    assert run(site, "-m", "my_net", "--self-test").startswith("self test passed")
    assert json.loads(run(site, "-m", "my_net", "--self-test", "--json"))["self_test"] is True
    np.save(tmp_path / "small.npy", pixels[:4])
    refused = run(site, "-m", "my_net", str(tmp_path / "small.npy"), code=1)
    assert refused.endswith("error: input 'in' takes (8, 8, 3), not (4, 8, 3)\n")
    assert "usage: " in run(site, "-m", "my_net", code=2)


def test_the_self_test_says_where_the_first_wrong_output_is(package: Path, tmp_path: Path) -> None:
    shutil.copytree(package / "my_net", tmp_path / "my_net")
    path = tmp_path / "my_net/golden.npz"
    with np.load(path) as file:
        golden = {name: file[name] for name in file.files}
    golden["output_0"] = golden["output_0"].copy()
    golden["output_0"][1, 0, 2] ^= 0x40
    np.savez(path, **golden)
    said = run(tmp_path, "-m", "my_net", "--self-test", code=1)
    assert said.startswith("self test failed: vector 1, output 0, element 2: ")


CASES = {
    "imagenet": ("imagenet", "int8"),
    "resized": ("unit,resize=5x4", "int8"),
    "float": ("scale=1/127.5,offset=-1,resize=5x4", "float32"),
    "raw uint8": ("raw", "uint8"),
}


@pytest.fixture
def contract(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, ModuleType]]:
    """The generated module of a case, imported."""
    preprocess, dtype = CASES[request.param]
    quantization = () if dtype == "float32" else (None, (0.0186,), (7,))
    made = [Made(each, (1, 5, 4, 3), dtype.upper(), *quantization) for each in ("x", "y")]
    folder = exported("face", one_op("RELU", made), tmp_path, preprocess)
    monkeypatch.syspath_prepend(folder)
    import face._contract as module

    yield preprocess, dtype, module
    for name in [name for name in sys.modules if name.partition(".")[0] == "face"]:
        del sys.modules[name]


@pytest.mark.parametrize("contract", CASES, indirect=True)
def test_preprocessing_is_edgekits_bit_for_bit(
    contract: tuple[str, str, ModuleType], tmp_path: Path
) -> None:
    preprocess, _, module = contract
    tensor = read((tmp_path / "python/face/model.tflite").read_bytes()).input_tensors()[0]
    random = np.random.default_rng(5)
    sizes = [(5, 4), (9, 13), (2, 3)] if "resize" in preprocess else [(5, 4)]
    for place in range(1000):
        size = (*sizes[place % len(sizes)], 3)
        if place % 2:
            row = random.normal(0, 100, size).astype(np.float32)
            row.flat[0] = [np.nan, np.inf, -np.inf, 1e38][place % 4]
        else:
            row = random.integers(0, 256, size).astype(np.uint8)
        with np.errstate(all="ignore"):
            wanted = prepare(row, tensor, parse(preprocess))
            got = module.preprocess(row)
        assert got.dtype == wanted.dtype
        assert got.tobytes() == wanted[None].tobytes()


NAMES = {
    "json": ("json-model", "json_model"),
    "numpy": ("numpy-model", "numpy_model"),
    "class": ("class-model", "class_model"),
    'größe "x" 1': ("grosse-x-1", "grosse_x_1"),
    "compression": ("compression-model", "compression_model"),
    "imp": ("imp-model", "imp_model"),
    "ai_edge_litert": ("ai-edge-litert-model", "ai_edge_litert_model"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_hide_no_other_module(name: str) -> None:
    assert names(name) == NAMES[name]


def test_on_32_bit_boards_it_wants_the_older_runtime(tmp_path: Path) -> None:
    folder = exported("net", residual_net(), tmp_path, target="linux-armhf")
    text = (folder / "pyproject.toml").read_text()
    assert 'dependencies = ["tflite-runtime==2.14.0", "numpy<2"]' in text


def test_the_self_test_notices_a_changed_weight_that_changes_no_output(
    package: Path, tmp_path: Path
) -> None:
    shutil.copytree(package, tmp_path / "changed")
    file = tmp_path / "changed" / "my_net" / "model.tflite"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    said = run(tmp_path / "changed", "-m", "my_net", "--self-test", code=1)
    assert f"should have {hashlib.sha256(content).hexdigest()}: install the package again" in said


@pytest.mark.parametrize("target", ["cortex-m4", "web", "ios", "android"])
def test_for_targets_without_python_it_wants_litert(tmp_path: Path, target: str) -> None:
    folder = exported("net", residual_net(), tmp_path, target=target)
    text = (folder / "pyproject.toml").read_text()
    assert 'dependencies = ["ai-edge-litert>=2.3,<2.4", "numpy"]' in text
    assert (folder / "net" / "golden.npz").is_file()
