"""Texts with places to fill in: `@key@`."""

from __future__ import annotations

from collections.abc import Mapping


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `@key@` of `values` replaced; others stay."""
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
