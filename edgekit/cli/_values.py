"""Values of options that more than one command takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import click

from edgekit.errors import UsageError

UNITS_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)?")


class Duration(click.ParamType):
    """A time above zero: `500ms`, `10s`, `5m`, `1h`, or seconds without a unit."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        """Seconds."""
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(str(value).strip())
        seconds = float(found[1]) * UNITS_S[found[2] or "s"] if found else 0.0
        if seconds <= 0:
            self.fail(f"{value!r} is no time: write 500ms, 10s, 5m or 1h", param, context)
        return seconds


class Share(click.ParamType):
    """A share: `3%`, or `0.03`."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        """The fraction."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share < float("inf"):
            self.fail(f"{value!r} is no share: write 3% or 0.03", param, context)
        return share


DURATION, SHARE = Duration(), Share()


def key_values(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Texts `KEY=VALUE` as a mapping.

    Raises:
        UsageError: One has no `=`.
    """
    pairs = [text.partition("=") for text in texts]
    for key, equals, value in pairs:
        if not key or not equals:
            raise UsageError(f"{option} {key}{value}: no KEY=VALUE", f"write {option} KEY=VALUE")
    return {key: value for key, _, value in pairs}
