"""The style of what users read: one line, lower-case start, no full stop; in every part."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit import errors

ROOT = Path(__file__).resolve().parents[1]
ERRORS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.EdgekitError)
}


def texts(node: ast.expr) -> Iterator[tuple[str, str]]:
    """Beginning and end of the literals that `node` may be; an inserted value counts as `_`."""
    if isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, node.value
    elif isinstance(node, ast.JoinedStr):
        parts = [str(v.value) if isinstance(v, ast.Constant) else "_" for v in node.values]
        yield parts[0], parts[-1]


def spoken(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """Messages and hints of an error, a problem or an assignment to `hint`."""
    if isinstance(node, ast.Assign):
        named = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return [("hint", node.value)] if "hint" in named else []
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return []
    if node.func.id in ERRORS and len(node.args) == 2:
        return list(zip(("message", "hint"), node.args, strict=True))
    if node.func.id == "Problem" and len(node.args) == 4:
        return list(zip(("message", "hint"), node.args[2:], strict=True))
    return []


def told(tree: ast.AST) -> Iterator[tuple[int, str, str, str]]:
    """Line, role, beginning and end of each message and hint that is written down literally."""
    for node in ast.walk(tree):
        for role, text in spoken(node):
            yield from ((text.lineno, role, begin, end) for begin, end in texts(text))


def faults(source: str) -> list[str]:
    found = []
    for line, role, begin, end in told(ast.parse(source)):
        word = begin.split()[0] if begin.split() else ""
        if role == "hint" and word[:1].isupper() and word.istitle():
            found.append(f"{line}: hint begins in upper case: {begin!r}")
        if end.endswith(".") and not end.endswith(".."):
            found.append(f"{line}: {role} ends in a full stop: {end!r}")
    return found


FILES = sorted((ROOT / "edgekit").rglob("*.py"))


def test_messages_and_hints_have_one_style() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{fault}"
        for path in FILES
        for fault in faults(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        "ModelError('x is wrong', 'Do this')",
        "ModelError('x is wrong', 'do this.')",
        "ModelError('x is wrong.', 'do this')",
        "DataError(f'{x} is wrong', f'use {x}.')",
        "hint = 'do this.'",
        "Problem('warning', 'x', 'is wrong', 'Do this' if x else 'do that')",
    ],
)
def test_a_fault_is_found(source: str) -> None:
    assert len(faults(source)) == 1


def test_enough_is_looked_at() -> None:
    sources = [path.read_text(encoding="utf-8") for path in FILES]
    assert sum(1 for source in sources for _ in told(ast.parse(source))) > 300
