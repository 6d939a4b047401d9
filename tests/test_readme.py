"""README.md and docs/ against the code: blocks, commands, options, exit codes, Python names."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from toy_project import write_toy

import edgekit
from edgekit import errors
from edgekit.cli import group
from edgekit.devices.base import driver_names
from edgekit.harness.lab import load_lab
from edgekit.measure.verdict import CODES
from edgekit.passes.base import names
from edgekit.project import Project, from_mapping

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"<!-- generated.*?<!-- end -->", "", README, flags=re.DOTALL)
DOCS = {
    str(path.relative_to(ROOT / "docs")): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").rglob("*.md"))
}


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def fences(language: str, page: str = README) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL))


def command_lines() -> list[str]:
    joined = "\n".join(fences("sh", page) for page in (README, *DOCS.values()))
    lines = joined.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("edgekit ")]


def test_generated_blocks_are_what_the_commands_print() -> None:
    command = [sys.executable, str(ROOT / "scripts/readme"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_readme_has_the_blocks_it_must_have() -> None:
    found = re.findall(r"<!-- generated: (.*?) -->", README)
    assert {"edgekit --help", "edgekit build --help", "edgekit targets"} <= set(found)
    assert "passes" in found


@pytest.mark.parametrize("name", names())
def test_every_pass_has_a_page_with_its_options(name: str) -> None:
    """`scripts/readme` makes the block, and the README's table links to the page."""
    assert f"<!-- generated: edgekit passes {name} -->" in DOCS[f"compression/{name}.md"]


def test_keys_of_fine_tuning_have_a_page() -> None:
    assert "<!-- generated: edgekit passes -->" in DOCS["compression/README.md"]


@pytest.mark.parametrize("page", DOCS)
def test_links_of_a_page_lead_to_files(page: str) -> None:
    folder = (ROOT / "docs" / page).parent
    links = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", DOCS[page])
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("line", command_lines())
def test_command_of_a_page_parses(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command = group.get_command(click.Context(group), words[0])
    assert command is not None
    context = command.make_context(words[0], words[1:], resilient_parsing=False)
    assert context.params


def test_every_option_named_in_the_readme_exists() -> None:
    context = click.Context(group)
    commands = [group.get_command(context, name) for name in group.list_commands(context)]
    known = {o for c in commands if c for p in c.params for o in (*p.opts, *p.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PROSE)) - {"--help"}
    assert named <= known


def toml_blocks() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


def test_lab_of_the_readme_is_one(tmp_path: Path) -> None:
    (block,) = [block for block in toml_blocks() if "[devices." in block]
    path = tmp_path / "lab.toml"
    path.write_text(block, encoding="utf-8")
    lab = load_lab(path)
    assert {*lab.devices, *lab.meters} == {"pi", "phone", "shunt"}


def test_codes_of_the_readme_are_those_of_the_verdict() -> None:
    rows = re.findall(r"^\| `(\w+)` \((valid|degraded|invalid)\) \| (.*) \|$", README, re.MULTILINE)
    assert rows == [(code, one.validity, one.what) for code, one in CODES.items()]


def test_device_table_of_the_readme_names_drivers() -> None:
    """A driver may be added without a line there."""
    table = README.partition("| device | what it is |")[2].partition("\n\n")[0]
    named = [
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])
    ]
    assert len(named) > 5
    assert set(named) <= set(driver_names())


def test_driver_of_the_readme_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a package of its own would bring it."""
    (block,) = [text for text in python_blocks() if "class Driver" in text]
    (tmp_path / "program.py").write_text(block, encoding="utf-8")
    info = tmp_path / "program-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: program\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edgekit.devices]\nprogram = program:Driver\n")
    monkeypatch.syspath_prepend(tmp_path)
    runner = tmp_path / "runner"
    runner.write_text(f"#!{sys.executable}\nprint(*[4.0, 5.0, 6.0] * 100, sep='\\n')\n")
    runner.chmod(0o755)
    (tmp_path / "build").mkdir()
    write_toy(tmp_path / "build")
    report = edgekit.bench(tmp_path / "build", "program", options={"program": str(runner)})
    assert report.latency is not None
    assert (report.latency.median_ms, report.latency.samples) == (5.0, 1500)
    assert set(report.codes) == {"no_golden", "window_too_short"}
    assert block.count("\n") <= 36


def test_tables_of_the_readme_are_a_project() -> None:
    blocks = [block for block in toml_blocks() if "[devices." not in block]
    assert blocks
    for block in blocks:
        project = from_mapping(tomllib.loads(block), "README.md")
        assert project.compress
        assert project.budget.limits


def test_short_forms_of_the_readme_are_taken() -> None:
    specs = re.findall(r"--compress (\S+)", fences("sh"))
    specs += re.findall(r"`(prune:[^`\s]+)`", PROSE)
    assert len(specs) > 1
    for spec in specs:
        assert Project().with_compress(spec).compress


def test_exit_codes_of_the_readme_are_those_of_the_errors() -> None:
    kinds = [errors.EdgekitError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    table = {int(code) for code in re.findall(r"^\| (\d) \|", README, re.MULTILINE)}
    assert table == {0, *(kind.exit_code for kind in kinds)}


def test_python_example_uses_names_that_exist() -> None:
    tree = ast.parse(fences("python"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "edgekit"
    }
    assert used
    assert used <= set(edgekit.__all__)


def test_files_and_folders_named_in_the_readme_exist() -> None:
    names = re.findall(r"\]\(([\w./-]+)\)", README)
    names += re.findall(r"`((?:scripts|requirements|calibration_data)/[\w.]*)`", README)
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
