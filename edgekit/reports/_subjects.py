"""What is reported on, with its verdict: does it fit, is the budget kept, are figures valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from edgekit.artifact import Build
from edgekit.measure.verdict import advice
from edgekit.reports._figures import all_figures
from edgekit.reports._format import size
from edgekit.reports._sources import Analysis, Item, Run, Sources
from edgekit.reports._studies import Study
from edgekit.reports.base import Check, Figure, State, Subject

_BUDGET: Mapping[str, State] = {"kept": "pass", "unproven": "warn", "broken": "fail"}
_VALID: Mapping[str, State] = {"valid": "pass", "degraded": "warn", "invalid": "fail"}
_LIMITS = {
    "accuracy_drop": "accuracy drop {measured:.2f} {unit}, at most {asked:g} asked",
    "agreement": "top-1 agreement {measured:.2f} {unit}, at least {asked:g} asked",
    "sqnr": "SQNR {measured:.1f} {unit}, at least {asked:g} asked",
}


def subjects(sources: Sources) -> tuple[Subject, ...]:
    """One for each study, build, run alone and analysis."""
    return (
        *map(_study, sources.studies),
        *map(_item, sources.items),
        *map(_analysis, sources.analyses),
    )


def _item(item: Item) -> Subject:
    figures = all_figures(item)
    checks = [check for run in item.runs for check in _run(run, len(item.runs) > 1)]
    if item.build is None:
        (run,) = item.runs
        title = f"a model for {run.report['target']} on {run.report['device']}"
        return Subject(item.name, "run", title, tuple(checks), tuple(figures))
    manifest = item.build.manifest
    if not item.runs:
        hint = f"edgekit bench {item.name} --device NAME"
        checks.append(Check("valid", "unknown", "no run on a device was given", hint))
    checks = [_fits(manifest), _budget(manifest), *checks, *_damaged(item.build)]
    title = f"{PurePath(manifest['model']['path']).name} for {manifest['target']}"
    title += f", {manifest['quantization']['scheme']}"
    return Subject(item.name, "build", title, tuple(checks), tuple(figures))


def _fits(manifest: Mapping[str, Any]) -> Check:
    fit, target = manifest["fit"], manifest["target"]
    ways = [("with the interpreter", fit), ("as C", fit.get("c_project"))]
    told = [text for how, way in ways if way and (text := _needs(way, how))]
    if fit["fits"] is None:
        text = f"{target} has every operator; no memory of a certain size to hold it against"
        return Check("fits", "pass", text)
    text = "; ".join([f"{target} has every operator", *told])
    if fit["fits"]:
        return Check("fits", "pass", text)
    return Check("fits", "fail", "; ".join([target, *told]), "compress more, or a larger target")


def _needs(way: Mapping[str, Any], how: str) -> str:
    """Need of have, of each memory that has both."""
    parts = [
        f"{title} {size(way[key]['need'])} of {size(way[key]['have'])}"
        for key, title in (("flash", "flash"), ("ram", "RAM"))
        if way[key]["need"] is not None and way[key]["have"]
    ]
    return f"{' and '.join(parts)} {how}" if parts else ""


def _budget(manifest: Mapping[str, Any]) -> Check:
    climb = manifest.get("budget")
    if not climb:
        return Check("budget", "unknown", "no budget was set", "set one: --max-drop POINTS")
    end = climb["end"]
    text = "; ".join(
        f"{_LIMITS[limit['name']].format(**limit)}: {limit['state']}" for limit in end["limits"]
    )
    hint = {
        "kept": "",
        "unproven": "give more evaluation samples; --strict refuses such a build",
        "broken": "allow more, or compress less",
    }[end["state"]]
    return Check("budget", _BUDGET[end["state"]], text, hint)


def _run(run: Run, several: bool) -> Iterator[Check]:
    """Whether the device computed the right thing, and whether its figures may be believed."""
    report = run.report
    where = f" ({run.name})" if several else ""
    codes = advice(report["codes"])
    text = f"{report['validity']} on {report['device']}"
    if codes:
        text += f": {', '.join(codes)}"
    hint = next(iter(codes.values()), "")
    if len(codes) > 1:
        hint = "each reason, and what to do, is among what there is to know"
    yield Check(f"valid{where}", _VALID[report["validity"]], text, hint, 0)
    golden = report.get("golden") or {}
    if golden.get("compared"):
        wrong = golden["mismatched"]
        text = (
            f"{golden['compared'] - wrong:,} of {golden['compared']:,} output values are as built"
        )
        hint = "build again with --force, then report this" if wrong else ""
        yield Check(f"outputs{where}", "fail" if wrong else "pass", text, hint, 4)


def _damaged(build: Build) -> Iterator[Check]:
    """Files that are not those that the manifest speaks of."""
    lines = build.damaged()
    if lines:
        yield Check("files", "fail", "; ".join(lines[:3]), "build it again", 1)


def _study(study: Study) -> Subject:
    complete = [trial for trial in study.trials if trial.state == "complete"]
    feasible = [trial for trial in complete if trial.feasible]
    title = f"{len(study.trials):,} trials, {len(complete):,} of them complete"
    title = f"a search for {study.target}: {title}" if study.target else title
    count = f"{len(study.trials):,} trials"
    limits = "; ".join(study.limits) or "no limit was set"
    if feasible:
        check = Check("limits", "pass", f"within them: {len(feasible):,} of {count}; {limits}")
    else:
        hint = "allow more, or give it more trials with --resume"
        check = Check("limits", "fail", f"within them: none of {count}; {limits}", hint)
    return Subject(study.name, "study", title, (check,), tuple(_spent(study)))


def _spent(study: Study) -> Iterator[Figure]:
    if not study.trials_s:
        return
    yield Figure("trials_s", "Trials", study.trials_s, "s", "measured", "wall time of each, added")
    share = 100 * study.engine_s / (study.trials_s + study.engine_s)
    by = f"choosing trials and keeping what came of them: {share:.2g} % of both"
    yield Figure("engine_s", "Engine", study.engine_s, "s", "measured", by)


def _analysis(analysis: Analysis) -> Subject:
    found = analysis.found
    title = f"what each layer of {found.model} costs when it alone is changed"
    return Subject(analysis.name, "analysis", title)
