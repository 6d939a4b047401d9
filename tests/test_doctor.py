"""edgekit.doctor: packages against ranges, extras, conflicts, tools, without TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from edgekit import doctor

ROOT = Path(__file__).resolve().parents[1]


def state_of(requirement: str, version: str | None) -> doctor.Finding:
    (found,) = doctor.check_packages([Requirement(requirement)], lambda name: version)
    return found


@pytest.mark.parametrize(
    ("requirement", "version", "state"),
    [
        pytest.param("numpy>=1.26.4,<2", "1.26.4", "ok", id="in range"),
        pytest.param("numpy>=1.26.4,<2", "2.1.0", "wrong version", id="too new"),
        pytest.param("numpy>=1.26.4,<2", None, "missing", id="not installed"),
        pytest.param("onnx2tf==1.28.8", "1.29.24", "wrong version", id="pinned, other version"),
        pytest.param("rich>=13", "15.0.0rc1", "ok", id="a release candidate counts"),
        pytest.param("x>=1; sys_platform == 'plan9'", None, "not for this platform", id="marker"),
    ],
)
def test_package_against_its_range(requirement: str, version: str | None, state: str) -> None:
    found = state_of(requirement, version)
    assert found.state == state
    assert bool(found.hint) == (state not in ("ok", "not for this platform"))
    if found.hint:
        assert "pip install" in found.hint
        assert "edgekit-toolkit" in found.hint


def test_package_that_is_installed_but_does_not_import_is_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(doctor.PROBES, "click", "click.no_such_module")
    found = state_of("click>=8", "8.1.0")
    assert found.state == "broken"
    assert "no_such_module" in found.hint


def test_extras_are_judged_by_their_own_requirements_alone() -> None:
    wanted = [
        Requirement("numpy>=1"),
        Requirement("pytest>=8; extra == 'test'"),
        Requirement("hypothesis>=6; extra == 'test'"),
        Requirement("joulescope>=1; extra == 'drivers'"),
    ]
    have = {"pytest": "9.0", "hypothesis": "6.100"}
    test, drivers = doctor.check_extras(["test", "drivers"], wanted, have.get)
    assert (test.state, test.wanted) == ("ok", "pytest, hypothesis")
    assert (drivers.state, drivers.hint) == ("missing", "pip install 'edgekit-toolkit[drivers]'")
    assert [f.name for f in doctor.check_packages(wanted, have.get)] == ["numpy"]


@pytest.mark.parametrize("name", ["edgekit", "tensorflow-cpu"])
def test_conflicting_distribution_is_named_with_its_removal(name: str) -> None:
    (found,) = doctor.check_conflicts({name: "1.0"}.get)
    assert found.state == "broken"
    assert f"pip uninstall {name}" in found.hint


def test_no_conflict_where_nothing_conflicts() -> None:
    assert doctor.check_conflicts(lambda name: None) == ()


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_tools_on_path_missing_and_failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, "adb", "echo Android Debug Bridge version 1.0.41")
    script(tmp_path, "javac", "echo javac 17.0.15 >&2")
    script(tmp_path, "node", "exit 3")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {f.name: f for f in doctor.check_tools()}
    assert (found["adb"].state, found["adb"].version) == ("ok", "1.0.41")
    assert (found["javac"].state, found["javac"].version) == ("ok", "17.0.15")
    assert found["node"].state == "broken"
    assert found["gcc"].state == "missing"
    assert "install" in found["arm-none-eabi-gcc"].hint


def install_metadata(folder: Path, *requirements: str) -> None:
    info = folder / "edgekit_toolkit-0.1.0.dist-info"
    info.mkdir()
    needs = [f"Requires-Dist: {text}" for text in requirements]
    head = ["Metadata-Version: 2.1", "Name: edgekit-toolkit", "Version: 0.1.0"]
    lines = [*head, "Requires-Python: >=3.11,<3.13", *needs, "Provides-Extra: test", ""]
    (info / "METADATA").write_text("\n".join(lines))


def run_doctor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a child whose only metadata of edgekit-toolkit is that of `folder`."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    code = (
        "import sys; from edgekit.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'numpy'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "doctor", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_with_everything_there(tmp_path: Path) -> None:
    install_metadata(tmp_path, "click>=8", "numpy>=1.26", "nothing-such; extra == 'test'")
    done = run_doctor(tmp_path, "--json")
    data = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert data["ok"] is True
    assert [p["name"] for p in data["packages"]] == ["python", "click", "numpy"]
    assert data["extras"][0]["hint"] == "pip install 'edgekit-toolkit[test]'"
    assert {t["name"] for t in data["tools"]} >= {"gcc", "adb", "node"}


def test_command_with_a_package_missing_exits_2(tmp_path: Path) -> None:
    install_metadata(tmp_path, "click>=8", "nothing-such>=1")
    done = run_doctor(tmp_path, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["ok"] is False
    text = run_doctor(tmp_path)
    assert text.returncode == 2
    assert "nothing-such" in text.stdout.splitlines()[-1]
    assert "pip install 'edgekit-toolkit'" in text.stdout
