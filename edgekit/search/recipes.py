"""A project as the `edgekit.toml` that `edgekit build` makes the same bytes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edgekit.project import COMPRESS, Project

_HEAD = (
    "# Built again by: edgekit build {place}\n# Paths are relative to the folder of the search.\n"
)


def to_toml(project: Project, place: str) -> str:
    """`project` without what is at its default.

    Args:
        project: What is built; what it was searched by is left out.
        place: Path of the file, for its first line.
    """
    plain = asdict(Project())
    parts = [_HEAD.format(place=place)]
    passes: list[Mapping[str, Any]] = []
    for table, values in project.to_json().items():
        if table == COMPRESS:
            passes = values
            continue
        changed = {key: value for key, value in values.items() if value != plain[table][key]}
        if changed:
            parts.append(f"\n[{table}]\n{_lines(changed)}")
    parts += [f"\n[[{COMPRESS}]]\n{_lines(each)}" for each in passes]
    return "".join(parts)


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in values.items())


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else _value(key)


def _value(value: Any) -> str:
    """A TOML value: strings, numbers and booleans are written as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
