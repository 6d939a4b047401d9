"""JUnit XML for continuous integration: a suite for each subject, a case for each check.

Format: the schema that Jenkins' xUnit plugin and GitLab read (testsuites, testsuite, testcase,
failure, skipped, properties).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from edgekit.reports._format import WORDS, figure
from edgekit.reports.base import Check, Report, Subject

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The text; a failed check is a failure, an unanswered one is skipped."""
    root = ElementTree.Element("testsuites", name="edgekit")
    for subject in report.subjects:
        root.append(_suite(subject))
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(subject: Subject) -> ElementTree.Element:
    states = [check.state for check in subject.checks]
    suite = ElementTree.Element(
        "testsuite",
        name=_clean(subject.name),
        tests=str(len(states)),
        failures=str(states.count("fail")),
        errors="0",
        skipped=str(states.count("unknown")),
    )
    if subject.figures:
        properties = ElementTree.SubElement(suite, "properties")
        for found in subject.figures:
            value = f"{figure(found)} ({found.method})"
            ElementTree.SubElement(properties, "property", name=found.name, value=_clean(value))
    suite.extend(_case(subject, check) for check in subject.checks)
    return suite


def _case(subject: Subject, check: Check) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=_clean(subject.name), name=_clean(check.name))
    text = _clean(check.text)
    if check.state == "fail":
        ElementTree.SubElement(case, "failure", message=text).text = _clean(check.hint)
    elif check.state == "unknown":
        ElementTree.SubElement(case, "skipped", message=text)
    else:
        hint = f"\n{check.hint}" if check.hint else ""
        ElementTree.SubElement(case, "system-out").text = _clean(
            f"{WORDS[check.state]}: {text}{hint}"
        )
    return case


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold at all, not even as a reference."""
    return _NOT_XML.sub("\ufffd", text)
