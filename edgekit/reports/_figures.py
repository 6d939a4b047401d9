"""The headline figures of a build and of a run, each with how it came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from edgekit.artifact import Build
from edgekit.reports._sources import Item, Run
from edgekit.reports.base import Figure, Method

_EMULATED = (
    ("flash_as_c", "Flash as C", "flash_bytes", "B"),
    ("ram_as_c", "RAM as C", "ram_bytes", "B"),
    ("stack_bytes", "Stack", "stack_bytes", "B"),
    ("instructions", "Instructions", "instructions", ""),
    ("latency_ms", "Latency", "latency_ms_estimated", "ms"),
    ("energy_mj", "Energy", "energy_mj_estimated", "mJ"),
)


def build_figures(build: Build) -> list[Figure]:
    """Of the manifest: sizes, closeness to the float model, memory."""
    return [*_sizes(build.manifest), *_quality(build.manifest), *_memory(build)]


def run_figures(run: Run) -> list[Figure]:
    """Of a bench: latency and energy, or what an emulator counted."""
    return [*_latency(run), *_energy(run), *_counted(run)]


def _sizes(manifest: Mapping[str, Any]) -> Iterator[Figure]:
    built = manifest["ledger"][-1]
    yield Figure("bytes", "Model file", built["bytes"], "B", "counted", "model.tflite")
    yield Figure("gzip", "Download", built["gzip"], "B", "counted", "model.tflite after gzip -9")
    macs = manifest["built"]["macs"]
    yield Figure("macs", "MACs", macs, "", "counted", "multiply-accumulates of one inference")


def _quality(manifest: Mapping[str, Any]) -> Iterator[Figure]:
    if accuracy := manifest["accuracy"]:
        percent = accuracy["metric"] in ("top1", "auc")
        unit, points = ("%", "points") if percent else ("", "")
        rows = f"{accuracy['samples']:,} labelled rows"
        name = {"top1": "Top-1 accuracy", "auc": "AUC"}.get(accuracy["metric"], accuracy["metric"])
        by = f"{rows}; the float model: {accuracy['float']:.2f} {unit}".rstrip()
        yield Figure("accuracy", name, accuracy["built"], unit, "measured", by)
        low, high = accuracy["interval"]
        by = f"float less built model on the same {rows}, with 95 % interval"
        drop = accuracy["drop"]
        yield Figure(
            "accuracy_drop", "Accuracy drop", drop, points, "measured", by, None, low, high
        )
    if fidelity := manifest["fidelity"]:
        by = f"{fidelity['samples']:,} rows on {fidelity['runtime']}, against the float model"
        if (agreement := fidelity["top1_agreement"]) is not None:
            yield Figure("agreement", "Top-1 agreement", agreement, "%", "measured", by)
        yield Figure("sqnr_db", "SQNR", fidelity["sqnr_db"], "dB", "measured", by)


def _memory(build: Build) -> Iterator[Figure]:
    """Of the interpreter, and of the model as C; a model file alone is no figure of memory."""
    fit = build.manifest["fit"]
    for key, title in (("flash", "Flash"), ("ram", "RAM")):
        if (need := fit[key])["need"] is not None and need["state"] == "estimated":
            name = f"{key}_with_runtime"
            yield _need(name, f"{title} with interpreter", need)
        if (made := fit.get("c_project")) and made[key]["need"] is not None:
            yield _need(f"{key}_as_c", f"{title} as C", made[key])


def _need(name: str, title: str, memory: Mapping[str, Any]) -> Figure:
    method: Method = "measured" if memory["state"] == "measured" else "estimated"
    return Figure(name, title, memory["need"], "B", method, memory["by"], memory["have"])


def _latency(run: Run) -> Iterator[Figure]:
    if not (found := run.report["latency"]):
        return
    windows = len(found["windows_ms"])
    by = f"median of {found['samples']:,} inferences in {windows} windows on {run.report['device']}"
    ends = found["low_ms"], found["high_ms"]
    by += ", 95 % interval" if None not in ends else ""
    yield Figure("latency_ms", "Latency", found["median_ms"], "ms", "measured", by, None, *ends)


def _energy(run: Run) -> Iterator[Figure]:
    if not (found := run.report["energy"]):
        return
    method: Method = "estimated" if found["estimated"] else "measured"
    value, off = found["gross_mj"], found["uncertainty_mj"]
    ends = (value - off, value + off) if off is not None else (None, None)
    by = f"of the {found['scope']}, gross, by {found['meter']}, uncertainty with k = 2"
    yield Figure("energy_mj", "Energy", value, "mJ", method, by, None, *ends)


def _counted(run: Run) -> Iterator[Figure]:
    found = run.report["emulated"] or {}
    for name, title, key, unit in _EMULATED:
        if found.get(key) is not None:
            told = found["labels"][key]
            yield Figure(name, title, found[key], unit, told["label"], told["source"])


def all_figures(item: Item) -> list[Figure]:
    """Of a build and its runs; what a run found goes before what the build reckoned with."""
    build = build_figures(item.build) if item.build else []
    limits = {figure.name: figure.limit for figure in build}
    found = [figure for run in item.runs for figure in run_figures(run)]
    runs = [replace(figure, limit=limits.get(figure.name)) for figure in found]
    known = {figure.name for figure in runs}
    return [*(figure for figure in build if figure.name not in known), *runs]
