"""One HTML file that needs nothing else: no network, no folder beside it.

The report's JSON is in it once; pictures, tables and downloads are made from that. A policy in the
page's head allows no request and no `eval`.
"""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from edgekit import __version__
from edgekit.reports._page import parts
from edgekit.reports.base import Report

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def render(report: Report) -> str:
    """The page."""
    from edgekit.reports._page.charts import chart

    drawn = {section.name: chart(section) for section in report.sections}
    charts = {name: spec for name, spec in drawn.items() if spec}
    scripts = [
        f'<script type="application/json" id="report">{_data(report.to_json())}</script>',
        f'<script type="application/json" id="charts">{_data(charts)}</script>',
        f"<script>{_bundle()}</script>" if charts else "",
        f"<script>{_file('page.js')}</script>",
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(report.title)}</title>
<style>
{_file("style.css")}</style>
</head>
<body>
<header><h1>{escape(report.title)}</h1></header>
<main>
{parts.verdict(report)}
{parts.contents(report)}
{parts.body(report)}
</main>
<footer>{parts.methods(report)}<p>Made by edgekit {escape(__version__)}.</p></footer>
{chr(10).join(scripts)}
</body>
</html>
"""


def _data(content: Any) -> str:
    """JSON that no text in it can end the element of."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _file(name: str) -> str:
    return (Path(__file__).parent / "_page" / name).read_text(encoding="utf-8")


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed in one; `</script` cannot be in it."""
    import altair
    import vl_convert

    version = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed=vegaEmbed;", vl_version=version)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
