"""The parts of the page as HTML; every text that is not of this file goes through `escape`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from edgekit.reports._format import WORDS, beside, cell, figure
from edgekit.reports.base import METHODS, Cell, Check, Column, Figure, Report, Section, Subject

MOST_ROWS = 200
"""Of a table that is shown; the downloads have all."""
_ALL = "All together"
LONG = 40
"""Letters from which on a cell is folded."""


def verdict(report: Report) -> str:
    """The cards: what is asked first."""
    return "\n".join(map(_card, report.subjects))


def body(report: Report) -> str:
    """The sections, under the subject that they are about."""
    parts, subject = [], None
    for section in report.sections:
        if section.subject != subject:
            subject = section.subject
            parts.append(f"<h2>{escape(subject or _ALL)}</h2>")
        parts.append(_section(section))
    return "\n".join(parts)


def contents(report: Report) -> str:
    """Links to the sections, where there are enough to need them."""
    if len(report.sections) < 3:
        return ""
    grouped: dict[str, list[str]] = {}
    for section in report.sections:
        link = f'<a href="#{section.name}">{escape(section.title)}</a>'
        grouped.setdefault(section.subject, []).append(link)
    rows = [
        f"<dt>{escape(subject or _ALL)}</dt><dd>{' '.join(links)}</dd>"
        for subject, links in grouped.items()
    ]
    return f'<nav aria-label="Contents"><dl>{"".join(rows)}</dl></nav>'


def methods(report: Report) -> str:
    """What the words beside the figures mean."""
    used = {section.method for section in report.sections}
    used |= {found.method for subject in report.subjects for found in subject.figures}
    rows = [
        f"<dt>{_badge(method)}</dt><dd>{escape(text)}</dd>"
        for method, text in METHODS.items()
        if method in used
    ]
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def _card(subject: Subject) -> str:
    word = f'<span class="word">{WORDS[subject.state]}</span>' if subject.checks else ""
    checks = "".join(map(_check, subject.checks))
    figures = "".join(map(_figure, subject.figures))
    return (
        f'<article class="card {subject.state}">'
        f"<header><h2 style='margin:0'>{escape(subject.name)}</h2>{word}</header>"
        f'<p class="muted">{escape(subject.title)}</p>'
        + (f'<ul class="checks">{checks}</ul>' if checks else "")
        + (f'<dl class="figures">{figures}</dl>' if figures else "")
        + "</article>"
    )


def _check(check: Check) -> str:
    hint = f'<div class="hint">{escape(check.hint)}</div>' if check.hint else ""
    return (
        f'<li class="{check.state}"><b>{escape(check.name.capitalize())}</b> '
        f'<span class="word">{WORDS[check.state]}</span><div>{escape(check.text)}</div>{hint}</li>'
    )


def _figure(found: Figure) -> str:
    more = f"<small>{escape(beside(found))}</small>" if beside(found) else ""
    return (
        f"<div><dt>{escape(found.title)}</dt><dd>{escape(figure(found))}{more}</dd>"
        f'<details class="by"><summary>{_badge(found.method)}</summary>{escape(found.by)}</details>'
        "</div>"
    )


def _section(section: Section) -> str:
    caveat = f"<figcaption>{escape(section.caveat)}</figcaption>" if section.caveat else ""
    if section.kind == "notes":
        drawn = _notes(section) + _downloads(section)
    elif section.kind == "table":
        drawn = f'<figure><div class="scroll">{_table(section)}</div>{caveat}</figure>'
        drawn += _downloads(section)
    else:
        drawn = (
            f'<figure><div class="chart" role="img" aria-label="{escape(section.title)}"></div>'
            f"{caveat}</figure><details><summary>Data, {len(section.rows):,} rows</summary>"
            f'{_downloads(section)}<div class="scroll">{_table(section)}</div></details>'
        )
    return (
        f'<section class="part" id="{section.name}"><h3>{escape(section.title)}</h3>'
        f'<p class="by">{_badge(section.method)} {escape(section.by)}</p>{drawn}</section>'
    )


def _notes(section: Section) -> str:
    """What is wrong, open; what is only said, folded where there is something wrong."""
    wrong = [_note(row) for row in section.rows if row["severity"] != "note"]
    notes = "".join(_note(row) for row in section.rows if row["severity"] == "note")
    parts = [f'<ul class="notes">{"".join(wrong)}</ul>'] if wrong else []
    if notes:
        count = len(section.rows) - len(wrong)
        words = f"{count} note{'s' * (count > 1)}"
        parts.append(
            f"<details{' open' * (not wrong)}><summary>{words}</summary>"
            f'<ul class="notes">{notes}</ul></details>'
        )
    return "".join(parts)


def _note(row: Mapping[str, Cell]) -> str:
    state = {"error": "fail", "warning": "warn"}.get(str(row["severity"]), "unknown")
    where, message, hint = (escape(cell(row[key])) for key in ("where", "message", "hint"))
    return (
        f'<li class="{state}"><b>{where}</b> <span class="word">{escape(str(row["severity"]))}'
        f'</span><div>{message}</div><div class="hint">{hint}</div></li>'
    )


def _downloads(section: Section) -> str:
    links = (f'<a download="{section.name}.{kind}">{kind.upper()}</a>' for kind in ("csv", "json"))
    return f'<p class="downloads">Download {" or ".join(links)}</p>'


def _table(section: Section) -> str:
    heads = "".join(_head(section, column) for column in section.columns)
    rows = "".join(f"<tr>{''.join(_cells(section, row))}</tr>" for row in range(_shown(section)))
    more = len(section.rows) - _shown(section)
    note = f'<p class="by">{more:,} more rows are in the download</p>' if more else ""
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{note}"


def _shown(section: Section) -> int:
    return min(len(section.rows), MOST_ROWS)


def _head(section: Section, column: Column) -> str:
    unit = f", {column.unit}" if column.unit else ""
    kind = ' class="number"' if _numbers(section, column) else ""
    return f"<th{kind}>{escape(column.title + unit)}</th>"


def _cells(section: Section, row: int) -> Iterator[str]:
    for column in section.columns:
        text = cell(section.rows[row][column.key])
        kind = "number" if _numbers(section, column) else "long" if len(text) > LONG else ""
        yield f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _numbers(section: Section, column: Column) -> bool:
    values = [row[column.key] for row in section.rows if row[column.key] is not None]
    return bool(values) and all(isinstance(one, int | float) for one in values)


def _badge(method: str) -> str:
    return f'<span class="badge {method}">{method}</span>'
