"""The short form of a compression chain: `prune:0.6:epochs=5,cluster:16,qat`.

    chain = pass ("," pass)*
    pass  = name [":" value] (":" key "=" value)*

`value` is that of the pass' main option (`edgekit passes` names it); keys are the pass' options
and those of fine-tuning. A value is a TOML scalar, whose quotes may be left out; `+` parts the
items of a list (`layers=conv1+dense*`). A colon that no `key=` follows belongs to the value before
it (`n_m=2:4`), and inside quotes and brackets neither comma nor colon nor plus part anything.
"""

from __future__ import annotations

import re
from typing import Any

from edgekit._values import toml_value
from edgekit.errors import UsageError
from edgekit.passes import base

_EXAMPLE = "e.g. prune:0.6:epochs=5,cluster:16,qat"
_KEY = re.compile(r"\s*[A-Za-z_][\w-]*\s*=")
_QUOTES, _OPEN, _CLOSE = "\"'", "[{", "]}"


def parse(spec: str) -> list[dict[str, Any]]:
    """The passes of `spec`, each as its `[[compress]]` table would be.

    The keys are not checked: `passes.base.from_mapping` does that for tables and short form alike.

    Raises:
        UsageError: Not of this form, no such pass, or a value for a pass that takes none.
    """
    if not spec.strip():
        raise UsageError("--compress is empty", _EXAMPLE)
    return [_pass(text.strip(), spec) for text in _split(spec, ",")]


def _pass(text: str, spec: str) -> dict[str, Any]:
    name, *parts = _split(text, ":")
    if not name.strip():
        raise UsageError(f"--compress {spec}: a pass has no name", _EXAMPLE)
    found = base.load(name.strip())
    table: dict[str, Any] = {"pass": found.name}
    for part in _joined(parts):
        key, value = _setting(part, found, text)
        if key in table:
            raise UsageError(f"--compress {text}: {key} is given twice", "give it once")
        table[key] = value
    return table


def _joined(parts: list[str]) -> list[str]:
    """Parts that are no `key=value` go to the one before them; the first may be a bare value."""
    joined: list[str] = []
    for part in parts:
        if joined and not _KEY.match(part):
            joined[-1] += f":{part}"
        else:
            joined.append(part)
    return joined


def _setting(part: str, found: base.Base, text: str) -> tuple[str, Any]:
    """Key and value of one part."""
    key, value = found.value, part
    if _KEY.match(part):
        key, _, value = part.partition("=")
    elif not key:
        raise UsageError(
            f"--compress {text}: {found.name} takes no value, but {part!r} is given",
            f"write key=value; edgekit passes {found.name} lists the keys",
        )
    if not value.strip():
        raise UsageError(f"--compress {text}: a value is missing", f"{_EXAMPLE}")
    return key.strip(), _value(value.strip())


def _value(text: str) -> Any:
    """A TOML value, a list of them parted by `+`, or the text itself."""
    whole = toml_value(text)
    items = _split(text, "+")
    if whole != text or len(items) == 1:
        return whole
    return [toml_value(item.strip()) for item in items]


def _split(text: str, mark: str) -> list[str]:
    """`text` at each `mark` that is not inside quotes or brackets."""
    parts, quote, depth = [""], "", 0
    for char in text:
        if char == mark and not quote and not depth:
            parts.append("")
            continue
        parts[-1] += char
        if quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        else:
            depth = max(0, depth + (char in _OPEN) - (char in _CLOSE))
    return parts
