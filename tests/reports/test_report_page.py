"""The page in a real headless Chromium: charts are there and show what the JSON says."""

from __future__ import annotations

import base64
import csv
import io
import json
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import PATIENCE_S, Browser
from reports_made import HOSTILE, study, write_analysis

from edgekit.cli import main
from edgekit.reports import html
from edgekit.reports import json as as_json
from edgekit.reports._gather import gather
from edgekit.reports._sections import study as study_section
from edgekit.reports._sources import Sources
from edgekit.reports._subjects import subjects
from edgekit.reports.base import Report

DRAWN = "document.documentElement?.dataset.drawn"


@pytest.fixture(scope="module")
def report(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A build, a run of it, an analysis of a layer whose name means harm, a study."""
    place = tmp_path_factory.mktemp("page")
    build = built / "digits-cortex-m4"
    bench = ["bench", str(build), "--device", "fake", "-q", "--output", str(place / "runs")]
    assert main(bench) == 0
    found = gather([build, place / "runs", write_analysis(place / "layers", HOSTILE)])
    more = subjects(Sources(studies=(study(),)))
    sections = study_section.sections(study())
    return Report(HOSTILE, (*found.subjects, *more), (*found.sections, *sections))


@pytest.fixture(scope="module")
def text(report: Report) -> str:
    """The page."""
    return html.render(report)


@pytest.fixture(scope="module")
def page(text: str, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """The page, opened from a file."""
    file = tmp_path_factory.mktemp("html") / "report.html"
    file.write_text(text, encoding="utf-8")
    show(browser, file)
    return browser


def show(browser: Browser, file: Path, width: int = 1200, scheme: str = "light") -> None:
    metrics = {"height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.call("Emulation.setDeviceMetricsOverride", width=width, **metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", media="", features=features)
    browser.open(file.as_uri())
    browser.until(DRAWN)
    assert browser.errors == []
    assert browser.requests == [file.as_uri()]


def labels(browser: Browser, section: str, role: str) -> list[dict[str, str]]:
    """What screen readers are told of each mark of a chart: name -> value."""
    found = browser.run(
        f"return [...document.querySelectorAll('#{section} svg [aria-roledescription=\"{role}\"]')]"
        ".map((each) => each.getAttribute('aria-label'))"
    )
    pairs = [[part.split(": ", 1) for part in text.split("; ") if ": " in part] for text in found]
    return [{pair[0]: pair[1] for pair in each} for each in pairs]


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


def test_page_holds_the_json_and_no_element_of_a_user_s_name(text: str, report: Report) -> None:
    found = _Page()
    found.feed(text)
    assert "img" not in found.elements
    assert found.elements.count("script") == 4
    assert json.loads(found.scripts[0]) == json.loads(as_json.render(report))
    plain = ("table", "notes")
    drawn = {section.name for section in report.sections if section.kind not in plain}
    assert set(json.loads(found.scripts[1])) == drawn
    assert HOSTILE not in text
    assert text == html.render(report)


def test_every_section_is_there_and_every_chart_is_drawn(page: Browser, report: Report) -> None:
    ids = page.run("return [...document.querySelectorAll('section')].map((each) => each.id)")
    assert ids == [section.name for section in report.sections]
    drawn = page.run(
        "return [...document.querySelectorAll('section')].filter("
        "(each) => each.querySelector('.chart svg g path')).map((each) => each.id)"
    )
    plain = ("table", "notes")
    assert drawn == [section.name for section in report.sections if section.kind not in plain]
    assert page.errors == []


def test_the_json_of_the_page_is_the_report(page: Browser, report: Report) -> None:
    assert page.run("return edgekitReport.report") == json.loads(as_json.render(report))


def test_bars_show_the_values_of_the_json(page: Browser, report: Report) -> None:
    (section,) = [each for each in report.sections if each.name == "layers-bytes"]
    shown = labels(page, section.name, "bar")
    numbers = [int(one["weights, B"].replace(",", "")) for one in shown]
    assert numbers == [row["bytes"] for row in section.rows]
    widths = page.run(
        f"return [...document.querySelectorAll('#{section.name} svg "
        '[aria-roledescription="bar"]\')].map((each) => each.getBBox().width)'
    )
    most = max(range(len(numbers)), key=numbers.__getitem__)
    assert [round(w / widths[most], 2) for w in widths] == [
        round(n / numbers[most], 2) for n in numbers
    ]


def test_waterfall_distribution_and_front_show_the_values_of_the_json(
    page: Browser, report: Report
) -> None:
    by_name = {section.name: section for section in report.sections}
    bars = [one for one in labels(page, "ledger", "bar") if "after" in one]
    steps = {(one["step"], int(one["after"].replace(",", ""))) for one in bars}
    assert steps == {(row["step"], row["after"]) for row in by_name["ledger"].rows}
    counts = [int(one["inferences"].replace(",", "")) for one in labels(page, "latency", "bar")]
    assert sum(counts) == sum(int(str(row["count"])) for row in by_name["latency"].rows)
    points = [(one["Latency_ms"], one["Accuracy"]) for one in labels(page, "front", "circle")]
    rows = by_name["front"].rows
    assert [(float(x), float(y)) for x, y in points] == [(r["cost"], r["quality"]) for r in rows]
    # 25 ms is near 20, 20 % far from 96: a line there would leave no room for the points
    assert by_name["front"].marks == {"latency_ms limit": 25.0, "accuracy limit": 20.0}
    texts = page.run(
        "return [...document.querySelectorAll('#front svg text')].map((each) => each.textContent)"
    )
    assert "latency_ms limit" in texts
    assert "accuracy limit" not in texts


def test_table_as_csv_has_every_row_and_quotes_what_must_be(page: Browser, report: Report) -> None:
    for section in report.sections:
        which = f"(each) => each.name === {json.dumps(section.name)}"
        text = page.run(f"return edgekitReport.csv(edgekitReport.report.sections.find({which}))")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        keys = [column.key for column in section.columns]
        assert [list(row) for row in rows] == [keys] * len(section.rows)
        for key in keys:
            texts = [row[key] for row in section.rows]
            if all(isinstance(text, str) for text in texts):
                assert [row[key] for row in rows] == texts


def test_download_is_a_file(page: Browser, report: Report, tmp_path: Path) -> None:
    folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.call("Page.setDownloadBehavior", **folder)
    link = "document.querySelector('#layers-bytes a[download$=\".json\"]')"
    page.run(f"{link}.click()")
    file = tmp_path / "layers-bytes.json"
    end = time.monotonic() + PATIENCE_S
    while not file.is_file():
        assert time.monotonic() < end
        time.sleep(0.1)
    (section,) = [each for each in report.sections if each.name == "layers-bytes"]
    assert json.loads(file.read_text())["rows"] == list(section.rows)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_is_wider_than_the_screen_and_all_text_can_be_read(
    page: Browser, text: str, tmp_path: Path, width: int, scheme: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(text, encoding="utf-8")
    show(page, file, width, scheme)
    assert page.run("return document.documentElement.scrollWidth") <= width
    wide = page.run(
        "return [...document.querySelectorAll('.chart svg')].filter("
        "(each) => each.getBoundingClientRect().right > innerWidth).length"
    )
    assert wide == 0
    assert page.run(CONTRAST) >= READABLE
    page.picture(tmp_path / "page.png")


READABLE = 4.5
"""Contrast of small text (WCAG 2.2, 1.4.3)."""
CONTRAST = """
const channels = (text) => text.match(/[0-9.]+/g).map(Number).slice(0, 3);
const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = (c) => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const ground = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (!/, 0\\)$/.test(colour) && colour !== "transparent") return light(channels(colour));
  }
  return light(channels(getComputedStyle(document.body).backgroundColor));
};
const written = (each) => each.textContent.trim() && !each.children.length;
const html = [...document.querySelectorAll("main *, footer *")].filter(
  (each) => written(each) && !each.closest("svg, script"));
const axis = [...document.querySelectorAll(
  ".chart svg .role-axis text, .chart svg .role-legend text")];
return Math.min(
  ...html.map((each) => ratio(light(channels(getComputedStyle(each).color)), ground(each))),
  ...axis.map((each) => ratio(light(channels(getComputedStyle(each).fill)), ground(each))));
"""


@pytest.mark.slow
def test_a_build_on_an_emulator_has_instructions_and_prints(
    built: Path, browser: Browser, tmp_path: Path
) -> None:
    build = built / "digits-cortex-m4"
    runs = tmp_path / "runs"
    assert main(["bench", str(build), "--device", "qemu", "-q", "--output", str(runs)]) == 0
    file = tmp_path / "report.html"
    assert main(["report", str(build), str(runs), "--html", str(file), "-q"]) == 0
    show(browser, file)
    (run,) = runs.iterdir()
    layers = json.loads((run / "report.json").read_text())["emulated"]["layers"]
    shown = labels(browser, "layers-instructions", "bar")
    counts = [int(one["instructions"].replace(",", "")) for one in shown]
    assert counts == [layer["instructions"] for layer in layers]
    printed = base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"])
    assert printed.startswith(b"%PDF")
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert browser.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
