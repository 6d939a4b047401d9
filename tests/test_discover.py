from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit import _discover
from edgekit.errors import UsageError
from edgekit.exporters import c_array


def test_files_are_listed_but_not_the_contract_nor_private_ones() -> None:
    listed = _discover.names("exporters")
    assert {"c_array", "tflite"} <= set(listed)
    assert not {"base", "_tflm_ops", "__init__"} & set(listed)
    assert listed == sorted(listed)


def test_listing_imports_nothing() -> None:
    code = (
        "import sys; from edgekit import _discover; _discover.names('exporters');"
        "print([name for name in sys.modules if name.startswith(('edgekit.exp', 'numpy'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_role_gives_its_class_and_any_other_folder_the_module() -> None:
    assert _discover.load("exporters", "c_array") is c_array.Exporter
    assert _discover.load("graph", "count").__name__ == "edgekit.graph.count"


UNKNOWN = {
    "nearly": ("c_aray", "did you mean c_array?"),
    "far": ("zzz", "known: aar, c_array"),
    "the contract": ("base", "known: aar, c_array"),
}


@pytest.mark.parametrize(("name", "hint"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_unknown_names_get_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no exporter '{name}'") as caught:
        _discover.load("exporters", name)
    assert caught.value.hint.startswith(hint)


def install(folder: Path, points: str) -> None:
    """A distribution as pip leaves it, with entry points."""
    (folder / "plug.py").write_text("class Exporter:\n    kind = 'plug'\n")
    info = folder / "plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[edgekit.exporters]\n{points}\n")


def test_other_packages_add_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        tmp_path, "plugged = plug:Exporter\nwhole = plug\ntflite = plug:Exporter\ngone = no.way"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert {"plugged", "whole", "gone", "tflite"} <= set(_discover.names("exporters"))
    assert _discover.load("exporters", "plugged").kind == "plug"
    assert _discover.load("exporters", "whole").kind == "plug"
    assert _discover.load("exporters", "tflite").kind == "tflite"
    with pytest.raises(UsageError, match=r"exporters 'gone' of no\.way cannot be imported"):
        _discover.load("exporters", "gone")


def test_packages_in_a_zip_file_add_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", "zipped = plug:Exporter")
    packed = shutil.make_archive(str(tmp_path / "plug"), "zip", tmp_path / "site")
    assert "zipped" not in _discover.names("exporters")
    monkeypatch.syspath_prepend(packed)
    assert "zipped" in _discover.names("exporters")
