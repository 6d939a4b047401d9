"""The options of compression and its budget, from the command line to the plan."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from digits_example import DIGITS

from edgekit.cli import main

DRY = ["build", *DIGITS, "-t", "rpi4", "--dry-run"]


def steps(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    assert main([*arguments, "--json"]) == 0
    (plan,) = json.loads(capsys.readouterr().out)["plans"]
    return {f"{step['kind']} {step['name']}": step["options"] for step in plan["steps"]}


def test_options_reach_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--compress", "prune:0.6:epochs=5,qat", "--max-drop", "1", "--min-agreement", "97.5")
    plan = steps(capsys, *DRY, *given, "--strict", "--no-ladder", "--set", "fine_tune.batch=8")
    assert plan["compress prune"]["sparsity"] == 0.6
    assert plan["compress prune"]["fine_tune"]["epochs"] == 5
    assert plan["compress quantize_aware"]["fine_tune"]["epochs"] == 0
    assert plan["compress quantize_aware"]["fine_tune"]["batch"] == 8
    assert plan["guard budget"] == {
        "accuracy_drop": 1.0,
        "agreement": 97.5,
        "strict": True,
        "ladder": False,
    }


def test_a_budget_of_zero_is_a_budget(capsys: pytest.CaptureFixture[str]) -> None:
    plan = steps(capsys, *DRY, "--max-drop", "0")
    assert plan["guard budget"] == {"accuracy_drop": 0.0, "strict": False, "ladder": True}


def test_options_go_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", DIGITS[0]]) == 0
    with open("edgekit.toml", "a") as toml:
        toml.write('[[compress]]\npass = "cluster"\n[budget]\nladder = false\nsqnr = 9\n')
    capsys.readouterr()
    dry = ("build", "--dry-run", "--set", f"data.calibration={DIGITS[2]}")
    assert "compress cluster" in steps(capsys, *dry)
    plan = steps(capsys, *dry, "--compress", "prune", "--set", "budget.sqnr=none")
    assert "compress cluster" not in plan
    assert "compress prune" in plan
    assert "guard budget" not in plan


def test_lines_of_the_dry_run_fit_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*DRY, "--compress", "prune:0.6,cluster,qat"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("  2. compress prune (sparsity=0.6") for line in lines)
    assert all(line.startswith(("  ", "rpi4:")) for line in lines)
    assert "from the data: epochs, batch, patience" in " ".join(" ".join(lines).split())


WRONG = {
    "an unknown pass": (["--compress", "prnue"], "no pass 'prnue'", "did you mean prune?"),
    "an unknown key": (
        ["--compress", "prune:sparsty=0.5"],
        "--compress: prune: sparsty is unknown",
        "did you mean sparsity?",
    ),
    "a value out of range": (
        ["--compress", "prune:60"],
        "--compress: prune: sparsity = 60 is out of range",
        "write 0.6 for 60 %",
    ),
    "one cluster": (["--compress", "cluster:1"], "--compress: cluster: clusters = 1 is", ""),
    "a temperature of zero": (
        ["--compress", "prune:temperature=0"],
        "--compress: prune: fine_tune: temperature = 0",
        "give one above 0",
    ),
    "a pass as a setting": (
        ["--set", "compress.pass=prune"],
        "--set compress.pass=prune: compress is a list of passes",
        "use --compress prune:0.6,qat",
    ),
    "no number for a budget": (["--max-drop", "nan"], "--budget: budget.accuracy_drop = nan", ""),
    "a budget below zero": (["--max-drop", "-1"], "invalid value for '--max-drop'", "see: "),
}


@pytest.mark.parametrize(("given", "message", "hint"), WRONG.values(), ids=WRONG.keys())
def test_wrong(
    given: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*DRY, *given]) == 2
    error, advice = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {message}")
    assert advice.startswith(f"hint: {hint}")


def test_problems_of_the_plan_stop_a_build_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = ["--compress", "qat,prune", "-o", str(tmp_path / "out")]
    assert main([*DRY[:-1], *given]) == 2
    assert "put it last: --compress prune,quantize_aware" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_help_shows_them_apart_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from edgekit.cli import main; code = main(['build', '--help']);"
        "heavy = {'tensorflow', 'keras', 'numpy', 'rich'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    options, _, compression = done.stdout.partition("\nCompression:\n")
    for name in ("--compress", "--max-drop", "--min-agreement", "--strict", "--no-ladder"):
        assert f"  {name} " in compression
        assert f"  {name} " not in options
    assert "--calibration" in options
