"""The report as JSON; `report.schema.json` beside this file describes it."""

from __future__ import annotations

import json

from edgekit.reports.base import Report


def render(report: Report) -> str:
    """The text, keys in order."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
