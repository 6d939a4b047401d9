"""Markdown for a pull request: the verdict and headlines, then folded tables.

Dialect: GitHub Flavored Markdown, with `<details>`, which GitHub, GitLab and Gitea show folded.
"""

from __future__ import annotations

import re
from html import escape

from edgekit.reports._format import WORDS, beside, cell, figure
from edgekit.reports.base import Report, Section, Subject

MOST_ROWS = 40
"""Of a table; a comment is no place for more."""
_SIGNS = {"pass": "✅", "warn": "⚠️", "fail": "❌", "unknown": "➖"}
_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_LEADING = re.compile(r"^(\d*)([-+>#=.)])(?=\D|$)")
"""What makes a list, a quotation or a heading of a line."""
_MENTION = re.compile(r"(@|#(?=\d))")
"""Users and issues, which GitHub links after all escapes; a word joiner behind is no name."""


def render(report: Report) -> str:
    """The text."""
    parts = [f"## {_SIGNS[report.state]} {_text(report.title)}"]
    parts += map(_subject, report.subjects)
    parts += map(_section, report.sections)
    return "\n\n".join(parts) + "\n"


def _subject(subject: Subject) -> str:
    lines = [f"### {_text(subject.name)}", "", _text(subject.title)]
    if subject.checks:
        rows = [
            [
                f"{_SIGNS[check.state]} {WORDS[check.state]}",
                _text(check.name),
                _text("; ".join(filter(None, (check.text, check.hint)))),
            ]
            for check in subject.checks
        ]
        lines += ["", _table(["", "check", ""], rows)]
    if subject.figures:
        rows = [
            [_text(f.title), _text(figure(f)), _text(beside(f)), f.method, _text(f.by)]
            for f in subject.figures
        ]
        lines += ["", _table(["figure", "value", "", "method", "by"], rows)]
    return "\n".join(lines)


def _section(section: Section) -> str:
    about = f" ({section.subject})" if section.subject else ""
    head = f"<details><summary>{escape(section.title + about)}</summary>"
    how = f"*{section.method}*: {_text(section.by)}"
    caveat = f" {_text(section.caveat)}" if section.caveat else ""
    rows = [
        [_text(cell(row[column.key], column)) for column in section.columns]
        for row in section.rows[:MOST_ROWS]
    ]
    table = _table([_text(column.title) for column in section.columns], rows)
    left = len(section.rows) - len(rows)
    more = f"\n\n{left:,} more rows: `edgekit report --json`" if left else ""
    return f"{head}\n\n{how}.{caveat}\n\n{table}{more}\n\n</details>"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(text: str) -> str:
    """As it stands: no markup, no HTML, no mention of a user, no end of a table's cell."""
    flat = _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", " ".join(text.split())))
    return _MENTION.sub("\\1\u2060", flat).replace("&", "&amp;").replace("<", "&lt;")
