"""Sections: rows against the files they are made of, and what is compared with what."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from reports_made import analysis, study, write_analysis

from edgekit.artifact import Build
from edgekit.cli import main
from edgekit.errors import ModelError, UsageError
from edgekit.reports._gather import _damaged, gather
from edgekit.reports._sections import front, history, ledger, memory, sensitivity
from edgekit.reports._sections import study as study_section
from edgekit.reports._sources import Analysis, Item, Run, Sources, read
from edgekit.reports._subjects import subjects
from edgekit.reports.base import Report, Section
from edgekit.search.executor import Outcome
from edgekit.search.found import Found, Point
from edgekit.search.objective import Limit, objective
from edgekit.search.space import Space
from edgekit.search.study import Setup, Tried


@pytest.fixture(scope="module")
def run(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the reader on a device that does not exist, with its power estimated."""
    place = tmp_path_factory.mktemp("runs")
    bench = ["bench", str(built / "digits-cortex-m4"), "--device", "fake", "-q"]
    assert main([*bench, "--output", str(place)]) == 0
    (found,) = place.iterdir()
    return found


@pytest.fixture(scope="module")
def report(built: Path, run: Path) -> Report:
    return gather([built / "digits-cortex-m4", built / "digits-rpi4", run.parent])


def named(report: Report, name: str) -> Section:
    return next(section for section in report.sections if section.name == name)


def of_target(built: Path, name: str, **changes: Any) -> Item:
    """The reader's build with another manifest."""
    build = Build.load(built / f"digits-{name}")
    return Item(name, replace(build, manifest={**build.manifest, **changes}))


def test_a_run_stands_with_the_build_of_its_model(report: Report, run: Path) -> None:
    mcu, pi = report.subjects
    assert [subject.kind for subject in report.subjects] == ["build", "build"]
    assert {check.name for check in mcu.checks} >= {"fits", "budget", "valid"}
    assert {check.name: check.state for check in pi.checks}["valid"] == "unknown"
    found = json.loads((run / "report.json").read_text())["latency"]
    (latency,) = [figure for figure in mcu.figures if figure.name == "latency_ms"]
    assert (latency.value, latency.low) == (found["median_ms"], found["low_ms"])
    assert latency.method == "measured"


def test_a_run_alone_and_a_folder_of_runs_are_subjects(run: Path) -> None:
    (subject,) = gather([run.parent]).subjects
    assert (subject.kind, subject.name) == ("run", run.name)


def test_layers_have_the_bytes_of_the_file_and_the_noise_of_the_report(
    report: Report, built: Path
) -> None:
    build = Build.load(built / "digits-cortex-m4")
    rows = named(report, "layers-bytes").rows
    assert rows[0]["op"] == "CONV_2D"
    macs = [row["macs"] for row in rows]
    assert sum(int(str(count)) for count in macs) == build.manifest["built"]["macs"]
    layers = [each for each in build.report["fidelity"]["layers"] if each["op"] != "INPUT"]
    noise = [row["sqnr_db"] for row in named(report, "layers-sqnr").rows]
    assert noise == [each["sqnr_db"] for each in layers]


def test_histogram_is_the_run_s(report: Report, run: Path) -> None:
    section = named(report, "latency")
    found = json.loads((run / "report.json").read_text())["latency"]
    assert [row["count"] for row in section.rows] == found["histogram"]
    assert section.rows[-1]["end"] == pytest.approx(found["histogram_end_ms"])
    assert section.marks["median"] == found["median_ms"]


def test_no_two_values_of_the_memory_plan_are_in_one_place_at_one_time(report: Report) -> None:
    """But for an output over its input, in the step that reads it for the last time."""
    section = named(report, "memory")
    ends = [int(str(row["end"])) for row in section.rows]
    assert max(ends) <= section.marks["arena"] < max(ends) + 16
    for one in section.rows:
        for other in section.rows:
            if one is other:
                continue
            times = range(int(str(one["first"])) + 1, int(str(one["last"])))
            together = any(int(str(other["first"])) < t < int(str(other["last"])) for t in times)
            apart = one["end"] <= other["offset"] or other["end"] <= one["offset"]  # type: ignore[operator]
            assert not together or apart


def test_ledger_is_a_waterfall(built: Path) -> None:
    steps = Build.load(built / "digits-rpi4").manifest["ledger"]
    (section,) = ledger.sections(of_target(built, "rpi4"))
    sizes = [row for row in section.rows if row["measure"] == ".tflite"]
    assert [row["after"] for row in sizes] == [step["bytes"] for step in steps]
    assert sizes[1]["before"] == steps[0]["bytes"]
    assert ledger.sections(of_target(built, "rpi4", ledger=steps[:1])) == []


def test_manifest_of_an_earlier_edgekit_has_no_memory_plan(built: Path) -> None:
    item = of_target(built, "cortex-m4")
    assert item.build is not None
    made = {**item.build.manifest["c_project"]}
    assert memory.sections(item)
    del made["memory"]
    assert memory.sections(of_target(built, "cortex-m4", c_project=made)) == []


LIMIT = {
    "name": "accuracy_drop",
    "asked": 1.0,
    "measured": 2.5,
    "unit": "points",
    "state": "broken",
}


def test_what_does_not_fit_and_a_broken_budget_exit_with_3(built: Path) -> None:
    needs = {"need": 90_000, "have": 65_536, "state": "estimated", "by": "model and code"}
    fit = {"fits": False, "flash": needs, "ram": {**needs, "have": None}}
    large = of_target(built, "cortex-m4", fit=fit)
    report = Report("", subjects(Sources((large,))))
    assert (report.state, report.exit_code) == ("fail", 3)
    assert "flash 87.9 KB of 64 KB" in report.subjects[0].checks[0].text
    broken = of_target(built, "rpi4", budget={"end": {"state": "broken", "limits": [LIMIT]}})
    report = Report("", subjects(Sources((broken,))))
    assert (report.state, report.exit_code) == ("fail", 3)
    assert "accuracy drop 2.50 points, at most 1 asked" in report.subjects[0].checks[1].text


def test_wrong_outputs_exit_with_4_and_invalid_figures_do_not(run: Path) -> None:
    found = json.loads((run / "report.json").read_text())
    lost = {**found, "validity": "invalid", "codes": ["samples_lost"]}
    report = Report("", subjects(Sources((Item("x", None, (Run("x", run, lost),)),))))
    assert (report.state, report.exit_code) == ("fail", 0)
    wrong = {**found, "golden": {"compared": 80, "mismatched": 3}}
    report = Report("", subjects(Sources((Item("x", None, (Run("x", run, wrong),)),))))
    assert (report.state, report.exit_code) == ("fail", 4)


def test_only_runs_of_one_device_share_a_picture(built: Path, run: Path) -> None:
    found = json.loads((run / "report.json").read_text())
    slower = {**found, "latency": {**found["latency"], "median_ms": 9.0}}
    here, there = Run("a", run, found), Run("b", run, slower)
    one, other = of_target(built, "cortex-m4"), of_target(built, "rpi4")
    same = Sources((replace(one, runs=(here,)), replace(other, runs=(there,))))
    assert "Latency" in {s.columns[1].title for s in front.sections(same)}
    else_where = Run("b", run, {**slower, "device": "desk"})
    apart = Sources((replace(one, runs=(here,)), replace(other, runs=(else_where,))))
    assert "Latency" not in {s.columns[1].title for s in front.sections(apart)}


def test_front_of_a_study_is_of_complete_trials_within_the_budget() -> None:
    section, trials = study_section.sections(study())
    assert [row["name"] for row in section.rows if row["front"]] == ["trial 0", "trial 1"]
    assert [row["state"] for row in section.rows[2:]] == ["complete", "over budget"]
    assert section.method == "emulated"
    assert trials.rows[4]["reason"] == "agreement 12 %"


def test_study_without_a_build_in_its_budget_fails() -> None:
    found = study()
    over = replace(found, trials=found.trials[3:])
    report = Report("", subjects(Sources(studies=(over,))))
    assert (report.state, report.exit_code) == ("fail", 3)


def test_study_is_read_from_what_a_search_writes(tmp_path: Path) -> None:
    """Written by the search's own classes, so that the two cannot part."""
    how = {"drop": "measured", "latency": "estimated", "bytes": "measured"}
    figures = {"drop": 0.5, "latency": 12.0, "bytes": 9000.0}
    tried = [
        Tried(
            {"sparsity": 0.5},
            Outcome(0, "complete", figures, how, seconds=19, folder="s/builds/0000"),
        ),
        Tried({"sparsity": 0.9}, Outcome(1, "pruned", {"drop": 9.0}, how, "accuracy", "too far")),
    ]
    setup = Setup(Space(()), (objective("drop"), objective("latency")), (Limit("drop", 1, "1%"),))
    found = Found("nucleo-l4r5zi", "s", setup, tuple(tried), (Point(tried[0]),))
    (tmp_path / "search.json").write_text(json.dumps(found.to_json()))
    report = gather([tmp_path])
    (subject,) = report.subjects
    assert subject.title == "a search for nucleo-l4r5zi: 2 trials, 1 of them complete"
    assert subject.checks[0].text == "within them: 1 of 2 trials; drop at most 1 points"
    front, trials = report.sections
    assert front.title == "Drop against latency"
    assert front.method == "estimated"
    assert front.marks == {"drop limit": 1}
    assert subject.figures == ()
    (tmp_path / "times.json").write_text(json.dumps(found.times() | {"engine_s": 1.0}))
    assert [each.value for each in gather([tmp_path]).subjects[0].figures] == [19.0, 1.0]
    assert "5 % of both" in gather([tmp_path]).subjects[0].figures[1].by
    assert trials.rows[0]["folder"] == "s/builds/0000"
    assert trials.rows[1]["reason"] == "too far"
    (tmp_path / "search.json").write_text("{}")
    with pytest.raises(ModelError, match="no search of edgekit"):
        gather([tmp_path])


def test_history_follows_one_model_and_target(built: Path) -> None:
    first = of_target(built, "rpi4")
    assert first.build is not None
    smaller = [{**step, "bytes": step["bytes"] // 2} for step in first.build.manifest["ledger"]]
    second = replace(of_target(built, "rpi4", ledger=smaller), name="later")
    (section,) = history.sections(Sources((first, second)))
    sizes = [row for row in section.rows if row["figure"] == "Model file"]
    assert [row["relative"] for row in sizes] == [100, pytest.approx(50, abs=0.01)]
    assert history.sections(Sources((first, of_target(built, "android")))) == []


def test_heat_map_has_each_level_of_each_layer() -> None:
    prune, quantize = sensitivity.sections(Analysis("a", analysis()))
    assert [(row["layer"], row["level"]) for row in prune.rows] == [
        ("conv", "50 %"),
        ("conv", "90 %"),
        ("dense", "50 %"),
        ("dense", "90 %"),
    ]
    assert quantize.rows[0]["level"] == "8 bit"
    shades = [float(str(row["shade"])) for row in prune.rows]
    assert shades == sorted(shades[:2]) + sorted(shades[2:])


def test_names_are_apart_and_nothing_else_is_taken_for_ours(tmp_path: Path) -> None:
    one = write_analysis(tmp_path / "a")
    (tmp_path / "b").mkdir()
    two = write_analysis(tmp_path / "b" / "a")
    assert [each.name for each in read([one, two]).analyses] == [f"{tmp_path.name}/a", "b/a"]
    with pytest.raises(UsageError, match="nothing of this name"):
        read([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no build, run, analysis or study here"):
        read([tmp_path / "empty"])
    (tmp_path / "empty" / "samples.jsonl").write_text("")
    with pytest.raises(ModelError, match="was broken off"):
        read([tmp_path / "empty"])


def test_files_that_lack_what_is_needed_are_told_by_name(built: Path) -> None:
    with pytest.raises(ModelError, match="odd: damaged, or of another edgekit"), _damaged("odd"):
        ledger.sections(of_target(built, "rpi4", ledger=[{}, {}]))
