"""Formats of a report: the same figures, nothing that a name could break out of."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import click
import jsonschema
import pytest
from reports_made import HOSTILE, analysis, study

from edgekit.reports import base, html, junit, markdown, table
from edgekit.reports import json as as_json
from edgekit.reports._sections import sensitivity
from edgekit.reports._sections import study as study_section
from edgekit.reports._sources import Analysis, Sources
from edgekit.reports._subjects import subjects
from edgekit.reports.base import Check, Figure, Report, Subject

SCHEMA = json.loads((Path(base.__file__).parent / base.SCHEMA_FILE).read_text())


@pytest.fixture(scope="module")
def report() -> Report:
    """A study and an analysis, with names that mean harm, and a build that does not fit."""
    sources = Sources((), (Analysis("layers", analysis(HOSTILE)),), (study(),))
    sections = [*study_section.sections(study()), *sensitivity.sections(sources.analyses[0])]
    checks = (
        Check("fits", "fail", f"flash 90 KB of 64 KB {HOSTILE}", "compress more"),
        Check("budget", "unknown", "no budget was set", "set one"),
        Check("valid", "warn", "degraded on host", "stop other programs"),
    )
    figures = (
        Figure("flash", "Flash", 92160, "B", "estimated", HOSTILE, 65536),
        Figure("latency_ms", "Latency", 1.25, "ms", "measured", "host", None, 1.2, 1.3),
    )
    build = Subject(HOSTILE, "build", HOSTILE, checks, figures)
    return Report(f"report of {HOSTILE}", (build, *subjects(sources)), tuple(sections))


def test_json_is_what_the_schema_says_and_the_schema_is_strict(report: Report) -> None:
    found = json.loads(as_json.render(report))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    validator.validate(found)
    assert (found["state"], found["exit_code"]) == ("fail", 3)
    found["sections"][0]["method"] = "guessed"
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(found)
    del found["subjects"][0]["checks"]
    assert len(list(validator.iter_errors(found))) == 2


def test_schema_names_every_method_state_and_kind() -> None:
    definitions = SCHEMA["$defs"]
    assert definitions["method"]["enum"] == list(base.METHODS)
    assert definitions["section"]["properties"]["kind"]["enum"] == list(base.Kind.__args__)  # type: ignore[attr-defined]
    assert set(definitions["state"]["enum"]) == set(base.State.__args__)  # type: ignore[attr-defined]
    assert SCHEMA["properties"]["schema"]["const"] == base.SCHEMA


class _Page(HTMLParser):
    """Elements of a page as a browser reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")
        names = {name for name, _ in attributes}
        assert not {name for name in names if name.startswith("on")}
        assert "src" not in names

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def test_page_holds_the_json_and_no_element_of_a_user_s_name(report: Report) -> None:
    text = html.render(report)
    page = _Page()
    page.feed(text)
    assert "img" not in page.elements
    assert page.elements.count("script") == 4
    assert json.loads(page.scripts[0]) == json.loads(as_json.render(report))
    specs = json.loads(page.scripts[1])
    assert set(specs) == {s.name for s in report.sections if s.kind != "table"}
    assert HOSTILE not in text
    assert "http-equiv" in text
    assert text == html.render(report)


def test_junit_has_a_case_for_each_check(report: Report) -> None:
    root = ElementTree.fromstring(junit.render(report))
    assert root.attrib == {"name": "edgekit", "tests": "4", "failures": "1", "skipped": "1"}
    suite = root[0]
    assert suite.get("name") == HOSTILE
    cases = {case.get("name"): [part.tag for part in case] for case in suite.iter("testcase")}
    assert cases == {"fits": ["failure"], "budget": ["skipped"], "valid": ["system-out"]}
    assert suite.find("properties/property").attrib == {  # type: ignore[union-attr]
        "name": "flash",
        "value": "90 KB (estimated)",
    }
    control = Report("", (Subject("a\x00b\x1b", "build", ""),))
    assert ElementTree.fromstring(junit.render(control))[0].get("name") == "a\ufffdb\ufffd"


def test_markdown_has_no_markup_of_a_user_s_name(report: Report) -> None:
    text = markdown.render(report)
    assert text.startswith("## ❌ report of ")
    assert "<script" not in text
    assert "<img" not in text
    assert " @all" not in text
    for line in text.splitlines():
        if line.startswith("| ❌ fail"):
            assert line.replace("\\|", "").count("|") == 4
    assert text.count("<details>") == text.count("</details>") == len(report.sections)


def test_terminal_shows_verdict_figures_and_bars(report: Report) -> None:
    text = click.unstyle(table.render(report))
    assert "fits    fail" in text
    assert "90 KB  92,160 B, 141 % of 64 KB (estimated)" in text
    assert "█" in text
    assert "trial 1" in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


MARKED = {
    "list": ("1. a", "1\\. a"),
    "heading": ("# a", "\\# a"),
    "a bar": ("a|b", "a\\|b"),
    "HTML": ("<b>&", "&lt;b>&amp;"),
    "user": ("for @all", "for @\u2060all"),
    "issue": ("of #12", "of #\u206012"),
    "plain": ("18.4 KB (counted), -0.2", "18.4 KB (counted), -0.2"),
}


@pytest.mark.parametrize(("text", "escaped"), MARKED.values(), ids=MARKED.keys())
def test_markdown_shows_text_as_it_is(text: str, escaped: str) -> None:
    assert markdown._text(text) == escaped
