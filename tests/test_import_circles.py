"""Values flow forward: no module is imported, for use or for types, by what it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import edgekit

ROOT = Path(edgekit.__file__).parent


def module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def at_module_level(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Also below `if TYPE_CHECKING` and in classes; what a function imports comes later."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from at_module_level(child)


def imported(node: ast.Import | ast.ImportFrom, modules: Mapping[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    for alias in node.names:
        part = f"{node.module}.{alias.name}"
        yield part if part in modules else f"{node.module}"


def circle(root: Path) -> list[str]:
    """The modules of one circle, the first again at the end; []: there is none."""
    modules = {module_of(path, root): path for path in sorted(root.rglob("*.py"))}
    graph = {
        name: {
            other
            for node in at_module_level(ast.parse(path.read_text(encoding="utf-8")))
            for other in imported(node, modules)
            if other in modules
        }
        for name, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_imports() -> None:
    assert circle(ROOT) == []


@pytest.mark.parametrize(
    "line", ["from pack import one", "import pack.one", "from pack.one import x"]
)
def test_a_circle_is_seen(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("from pack.two import y\n")
    (folder / "two.py").write_text(f"if TYPE_CHECKING:\n    {line}\n")
    assert set(circle(folder)) == {"pack.one", "pack.two"}
    (folder / "two.py").write_text(f"def later():\n    {line}\n")
    assert circle(folder) == []
