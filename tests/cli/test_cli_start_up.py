"""What the commands that only show something import: counted, since time depends on the machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edgekit.passes.base import names

SHOWN = ("--help", "--version", "targets", "passes", "passes qat", "zoo", "zoo cnn4", "devices")
HEAVY = {
    *("tensorflow", "keras", "tf_keras", "tensorflow_model_optimization", "ai_edge_litert"),
    *("numpy", "onnx", "optuna", "rich", "PIL", "psutil"),
    *("email", "importlib.metadata"),  # of the standard library, a third of a listing together
}


def imported(command: str) -> set[str]:
    """Modules that a new process has after the command and not before."""
    code = (
        "import sys; before = set(sys.modules);"
        "from edgekit.cli import main; code = main(sys.argv[1:]);"
        "import json; print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr);"
        "sys.exit(code)"
    )
    call = [sys.executable, "-c", code, *command.split()]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("command", SHOWN)
def test_what_only_shows_imports_nothing_heavy(command: str) -> None:
    loaded = imported(command)
    assert "edgekit.cli" in loaded
    assert loaded & HEAVY == set()


def test_list_of_passes_imports_their_options_alone() -> None:
    loaded = {name for name in imported("passes") if name.startswith("edgekit.passes.")}
    parts = {name.removeprefix("edgekit.passes.") for name in loaded}
    assert {name for name in parts if not name.endswith("_options")} == {
        *names(),
        *("base", "_describe"),
    }


def test_version_imports_no_command() -> None:
    loaded = imported("--version")
    assert {name for name in loaded if name.startswith("edgekit.cli.")} == set()
