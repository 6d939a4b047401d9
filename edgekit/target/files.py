"""Where the TOML files of `targets/` lie, and reading one strictly: unknown keys are refused."""

from __future__ import annotations

import contextlib
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgekit.errors import UsageError

ENVIRONMENT = "EDGEKIT_TARGETS"
"""Folders of the user's own targets, separated as in PATH; their `runtimes/` are seen too."""

MANY = 15
"""More names than this are no help on one line; only targets are so many."""

Kind = Any
"""What a value must be: a type; a tuple of choices; [kind], a list; {key: kind}, a table
(`*` stands for any key); or a function that returns what is expected when the value is wrong."""


def names(folder: str = "") -> list[str]:
    """The names of all targets (or with `folder="runtimes"` of all runtimes), sorted."""
    return sorted(_files(folder))


def find(name: str, folder: str = "", beside: Path | None = None) -> Path:
    """The file of `name`: an exact name, one of the `aliases` in a file, or a path that ends in
    `.toml`, also one `beside` a file.

    Raises:
        UsageError: No such target or file, or two files of that name; the hint names the nearest.
    """
    if name.endswith(".toml"):
        near = beside.parent / name if beside else Path(name)
        if not near.is_file() and not Path(name).is_file():
            raise UsageError(f"{name}: no such file", "edgekit targets lists the names it knows")
        return near if near.is_file() else Path(name)
    found = _files(folder)
    name = name if name in found else _alias(name, found)
    if name not in found:
        kind = folder.removesuffix("s") or "target"
        raise UsageError(f"unknown {kind}: {name}", _hint(name, found))
    if len(found[name]) > 1:
        both = " and ".join(str(path) for path in found[name])
        raise UsageError(f"{name} is there twice: {both}", "rename yours, and say extends in it")
    return found[name][0]


def read(path: Path, schema: Mapping[str, Kind]) -> dict[str, Any]:
    """The content of the TOML file at `path`, checked against `schema`.

    Raises:
        UsageError: Unreadable, not TOML, an unknown key or a wrong type; names file and key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}", "give a readable TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}", "see toml.io for the syntax") from error
    _check_table(content, schema, str(path), "")
    return content


def read_extended(
    path: Path, schema: Mapping[str, Kind], required: Iterable[str], folder: str = ""
) -> dict[str, Any]:
    """As `read`, on top of the file that `extends` names: its tables are merged key by key.

    Raises:
        UsageError: As `read`; the other file extends a third one; a required key is in neither.
    """
    content = read(path, schema)
    base = content.pop("extends", None)
    if base is not None:
        content = _merged(_base(path, base, schema, folder), content)
    require(path, content, required)
    return content


def require(path: Path, table: Mapping[str, Any], keys: Iterable[str], at: str = "") -> None:
    """Raise UsageError for the first of `keys` that `table` of the file does not have."""
    for key in keys:
        if key not in table:
            hint = 'add it, or start from a shipped one, e.g. extends = "cortex-m4"'
            raise UsageError(f"{path}: {at}{key} is missing", hint)


def require_items(path: Path, items: Sequence[str], key: str) -> None:
    """Raise UsageError when the list `key` of the file is empty."""
    if not items:
        raise UsageError(f"{path}: {key} is empty", "name at least one")


def _base(path: Path, base: str, schema: Mapping[str, Kind], folder: str) -> dict[str, Any]:
    try:
        found = find(base, folder, beside=path)
    except UsageError as error:
        raise UsageError(f"{path}: extends: {error.message}", error.hint) from error
    content = read(found, schema)
    content.pop("aliases", None)  # they name that file alone
    if "extends" in content:
        raise UsageError(
            f"{path}: extends {base}, which itself extends {content['extends']}",
            f'one level only: write extends = "{content["extends"]}" and the keys that differ',
        )
    return content


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result


def _folders() -> list[Path]:
    own = [Path(item) for item in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if item]
    for folder in own:
        if not folder.is_dir():
            raise UsageError(f"{ENVIRONMENT}: {folder} is no folder", "correct or unset it")
    return [*own, _shipped()]


@cache
def _shipped() -> Path:
    # The copy that came with this very package first: a checkout on PYTHONPATH must not read the
    # targets of another version that is installed.
    root = Path(__file__).resolve().parents[2]
    for folder in (root / "targets", root / "edgekit_targets"):
        if (folder / "runtimes").is_dir():
            return folder
    spec = find_spec("edgekit_targets")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("the shipped targets are missing", "install edgekit-toolkit again")
    return Path(spec.submodule_search_locations[0]).resolve()


def _files(folder: str) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for place in dict.fromkeys(path.resolve() for path in _folders()):
        for path in _shipped_files(folder) if place == _shipped() else _toml(place / folder):
            found.setdefault(path.stem, []).append(path)
    return found


@cache
def _shipped_files(folder: str) -> list[Path]:
    """Looked at once: they are the package's own, and a listing asks for each by its name."""
    return _toml(_shipped() / folder)


def _toml(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _alias(name: str, found: Mapping[str, list[Path]]) -> str:
    """The name of the file that says it is called `name`, too; else `name`."""
    for stem, paths in found.items():
        for path in paths:
            with contextlib.suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
                others = tomllib.loads(path.read_text(encoding="utf-8")).get("aliases")
                if isinstance(others, list) and name in others:
                    return stem
    return name


def _hint(name: str, known: Iterable[str]) -> str:
    """Substring or nearest neighbours as a suggestion, else all names, or where to find many."""
    known = sorted(known)
    lowered = name.lower()
    inside = [item for item in known if lowered and lowered in item.lower()]
    close = inside or difflib.get_close_matches(lowered, known, n=3)
    if close:
        return f"did you mean {' or '.join(close[:5])}?"
    return f"known: {', '.join(known)}" if len(known) <= MANY else "edgekit targets lists them"


def _check_table(table: Mapping[str, Any], schema: Mapping[str, Kind], file: str, at: str) -> None:
    for key, value in table.items():
        kind = schema.get(key, schema.get("*"))
        if kind is None:
            raise UsageError(f"{file}: unknown key {at}{key}", _hint(key, schema))
        _check(value, kind, file, f"{at}{key}")


def _check(value: Any, kind: Kind, file: str, at: str) -> None:
    if isinstance(kind, dict) and isinstance(value, dict):
        _check_table(value, kind, file, f"{at}.")
    elif isinstance(kind, list) and isinstance(value, list):
        for item in value:
            _check(item, kind[0], file, at)
    elif isinstance(kind, tuple) and isinstance(value, str):
        if value not in kind:
            raise UsageError(f"{file}: {at} = {value!r} is no choice", _hint(value, kind))
    elif wrong := _wrong(value, kind):
        raise UsageError(f"{file}: {at} = {value!r} is not {wrong}", f"give {wrong}")


def _wrong(value: Any, kind: Kind) -> str:
    if callable(kind) and not isinstance(kind, type):
        return str(kind(value))
    wanted = (
        type(kind) if isinstance(kind, dict | list) else str if isinstance(kind, tuple) else kind
    )
    if isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
        return ""
    names = {str: "a string", int: "an integer", bool: "true or false", dict: "a table"}
    return names.get(wanted, "a list")


def at_least_one(value: Any) -> str:
    """A kind: an integer above zero."""
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return "" if good else "an integer above zero"
