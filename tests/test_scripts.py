"""scripts/ and .ci/run: they start, cost nothing twice, and name no package index."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgekit.cli import group

ROOT = Path(__file__).resolve().parents[1]


def test_ci_calls_the_test_command_of_the_readme() -> None:
    assert "scripts/test" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.search(r"^scripts/test\b", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("script", ["quickstart", "test", "lock", "readme", "train_examples"])
def test_script_has_help_and_runs(script: str) -> None:
    path = ROOT / "scripts" / script
    assert os.access(path, os.X_OK)
    python = path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3")
    command = [*([sys.executable] if python else []), str(path), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.lower().startswith("usage:")


@pytest.mark.parametrize(
    "script", sorted(p.name for p in (ROOT / "scripts").iterdir() if p.is_file())
)
def test_script_names_no_package_index(script: str) -> None:
    text = (ROOT / "scripts" / script).read_text(encoding="utf-8")
    assert not re.search(r"://|pypi\.|--(extra-)?index-url[ =]", text)


def test_figures_of_removal_come_from_runs_that_were_kept(tmp_path: Path) -> None:
    kept = {"case": "kws-none", "seed": 0, "epochs": 60, "drop": 1.5, "interval": [-1.0, 4.0]}
    kept |= {"samples": 150, "int8": 0.5, "macs": 0.5, "parameters": 0.4, "bytes": 0.6}
    runs = [kept | {"instructions": 2, "seconds": 9}, kept | {"instructions": 4, "seconds": 11}]
    file = tmp_path / "runs.jsonl"
    file.write_text("".join(f"{json.dumps(run)}\n" for run in runs), encoding="utf-8")
    script = ROOT / "scripts/remove_figures.py"
    command = [sys.executable, str(script), str(tmp_path), "--seeds", "0", "--json", str(file)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    row = "DS-CNN | `remove:macs=0.5` | no | 1.50 (1.5, 1.5) | -1.0 to 4.0 on 150 | 0.50 | 0.50"
    assert f"| {row} | 0.40 | 0.60 | 3.00 | 10 |" in shown


def ensure_venv(tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-c", "set -euo pipefail; source scripts/_venv; ensure_venv edgekit"],
        cwd=tree,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_environment_is_made_again_only_after_a_change(tmp_path: Path) -> None:
    for name in ("setup.cfg", "scripts/_venv", "requirements/ci.txt", "requirements/edgekit.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    files = [
        "setup.cfg",
        "requirements/ci.txt",
        "requirements/edgekit.txt",
        "scripts/_venv",
    ]
    content = b"".join((tmp_path / name).read_bytes() for name in files)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/stamp-ci").write_text(hashlib.sha256(content).hexdigest() + "\n")
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("cat", "sha256sum", "cut"):
        (bare / tool).symlink_to(shutil.which(tool) or tool)
    unchanged = ensure_venv(tmp_path, PATH=str(bare))
    assert (unchanged.returncode, unchanged.stdout, unchanged.stderr) == (0, "", "")
    with (tmp_path / "requirements/edgekit.txt").open("a") as lock:
        lock.write("# changed\n")
    changed = ensure_venv(tmp_path, PATH=str(bare))
    assert changed.returncode == 1
    assert "Python 3.11" in changed.stderr


def test_quickstart_builds_what_is_there() -> None:
    text = (ROOT / "scripts/quickstart").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^exec \.venv/bin/edgekit build (.*)$", text, re.MULTILINE)
    words = [word for word in shlex.split(line) if word != "$@"]
    command = group.get_command(click.Context(group), "build")
    assert command is not None
    given = command.make_context("build", words).params
    assert given["targets"] == ("rpi4", "android", "cortex-m4")
    assert all((ROOT / "targets" / f"{name}.toml").is_file() for name in given["targets"])
    files = [given["model"], *given["calibration"], *(e.split(":")[0] for e in given["evaluation"])]
    assert all((ROOT / name).is_file() for name in files)
    for name in given["calibration"]:
        card = (ROOT / name).with_suffix(".md").read_text(encoding="utf-8")
        assert f"| preprocess | `{given['preprocess']}` |" in card
