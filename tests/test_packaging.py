"""setup.cfg, the locks, the hints and the wheel say what is the case."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from setuptools import find_packages

import edgekit
from edgekit.errors import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "edgekit").rglob("*.py"))
LOCKS = ("ci", "edgekit")

# Import names that are not the distribution's name.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "serial": "pyserial",
    "tensorflow_model_optimization": "tensorflow-model-optimization",
    "vl_convert": "vl-convert-python",
}


@pytest.fixture(scope="module")
def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def requirements(config: configparser.ConfigParser, *extras: str) -> list[Requirement]:
    texts = lines(config["options"]["install_requires"])
    for extra in extras:
        texts += lines(config["options.extras_require"][extra])
    return [Requirement(text) for text in texts]


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def test_distribution_is_named_as_the_hints_say(config: configparser.ConfigParser) -> None:
    assert config["metadata"]["name"] == DISTRIBUTION == "edgekit-toolkit"
    assert config["metadata"]["version"] == edgekit.__version__
    assert config["metadata"]["license"] == "Apache-2.0"
    assert "edgekit = edgekit.cli:entry" in config["options.entry_points"]["console_scripts"]


def test_every_folder_with_code_is_found_as_a_package() -> None:
    on_disk = {
        ".".join(path.relative_to(ROOT).parts)
        for path in (ROOT / "edgekit").rglob("*")
        if path.is_dir() and any(path.glob("*.py"))
    }
    found = find_packages(str(ROOT), include=["edgekit", "edgekit.*"])
    assert sorted(found) == sorted({"edgekit", *on_disk}), "an __init__.py is missing"


def test_every_import_is_a_declared_requirement(config: configparser.ConfigParser) -> None:
    offered = set(config["options.extras_require"]) - {"test", "dev"}
    declared = {canonicalize_name(r.name) for r in requirements(config, *offered)}
    imported = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in (name.split(".")[0] for name in names):
                imported.setdefault(name, path.name)
    ours = {"edgekit", "edgekit_targets", *sys.stdlib_module_names}
    others = {canonicalize_name(DISTRIBUTIONS.get(n, n)): n for n in imported if n not in ours}
    assert {name: imported[n] for name, n in others.items() if name not in declared} == {}


@pytest.mark.parametrize(
    ("name", "machine", "python", "wanted"),
    [
        pytest.param("tflite-runtime", "aarch64", "3.11", True, id="tflite-runtime on arm"),
        pytest.param("tflite-runtime", "x86_64", "3.12", False, id="tflite-runtime on 3.12"),
        pytest.param("tflite-micro", "x86_64", "3.12", True, id="tflite-micro on x86-64"),
        pytest.param("tflite-micro", "aarch64", "3.11", False, id="tflite-micro on arm"),
    ],
)
def test_markers_of_the_interpreters(
    config: configparser.ConfigParser, name: str, machine: str, python: str, wanted: bool
) -> None:
    (found,) = (r for r in requirements(config) if r.name == name)
    assert found.marker is not None
    linux = {"platform_machine": machine, "python_version": python, "sys_platform": "linux"}
    assert found.marker.evaluate(linux) is wanted
    assert found.marker.evaluate({**linux, "sys_platform": "darwin"}) is False


def test_this_python_is_supported(config: configparser.ConfigParser) -> None:
    assert SpecifierSet(config["options"]["python_requires"]).contains("3.11.2")


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_requirement_within_its_range(
    config: configparser.ConfigParser, lock: str
) -> None:
    pinned = pins(lock)
    extras = ("test",) if lock == "ci" else ()
    for need in requirements(config, *extras):
        name = canonicalize_name(need.name)
        assert name in pinned, f"{name} is not in {lock}.txt: run scripts/lock"
        assert need.specifier.contains(pinned[name], prereleases=True), name


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_a_hash_for_every_pin_and_names_no_index(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[a-z0-9])", text):
        if re.match(r"[a-z0-9]", block):
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)


def test_the_small_lock_is_part_of_the_large_one() -> None:
    assert pins("edgekit").items() <= pins("ci").items()


def hint_texts() -> list[tuple[str, str]]:
    found = []
    for path in [*MODULES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.search(r"pip3? install", line):
                found.append((path.relative_to(ROOT).as_posix(), line.strip()))
    return found


def test_every_install_hint_names_the_distribution() -> None:
    hints = hint_texts()
    assert hints
    told = ("edgekit-toolkit", "{DISTRIBUTION}", "{path}")  # the last is a wheel of a build
    wrong = [hint for hint in hints if not any(word in hint[1] for word in told)]
    assert wrong == []


def test_extras_named_in_hints_exist(config: configparser.ConfigParser) -> None:
    declared = set(config["options.extras_require"])
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*MODULES, ROOT / "README.md"])
    named = set(re.findall(r"edgekit-toolkit\[([a-z, ]+)\]", text))
    named |= set(re.findall(r"MissingExtra\.of\([^)]*?,\s*\"([a-z]*)\"\s*,?\s*\)", text, re.DOTALL))
    assert named <= declared


def wheel_names(tree: Path, out: Path) -> tuple[set[str], str]:
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(out), str(tree)], check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (info,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        return names, archive.read(info).decode()


def test_wheel_holds_every_file_and_target(tmp_path: Path) -> None:
    pytest.importorskip("wheel")
    tree = tmp_path / "tree"
    for folder in ("edgekit", "targets"):
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tree / folder, ignore=skip)
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    wanted = {p.relative_to(ROOT).as_posix() for p in MODULES} | {"edgekit/py.typed"}
    tomls = [p.relative_to(ROOT / "targets") for p in (ROOT / "targets").rglob("*.toml")]
    wanted |= {f"edgekit_targets/{path.as_posix()}" for path in tomls}
    every = (path for path in (tree / "edgekit").rglob("*") if path.is_file())
    wanted |= {path.relative_to(tree).as_posix() for path in every}
    wanted.remove("edgekit/devices/_litert/protocol.md")  # nothing reads it but people
    names, metadata = wheel_names(tree, tmp_path / "out")
    assert wanted - names == set()
    assert "Name: edgekit-toolkit" in metadata
    assert "Requires-Dist: onnx2tf==1.28.8" in metadata
