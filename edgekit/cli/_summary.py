"""A finished build as a person wants to see it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from edgekit.artifact import Build
from edgekit.c_project.savings import PLAIN, savings
from edgekit.cli._next import uses
from edgekit.cli._schemes import print_schemes
from edgekit.cli._table import item, table
from edgekit.devices._cortex_m.machines import CORES
from edgekit.devices.base import driver_names
from edgekit.errors import UsageError
from edgekit.layer_names import short
from edgekit.target.profile import load_profile

EXACT_DB = 200.0
"""From here on built and float model are the same for every purpose (`edgekit.evaluate.sqnr`)."""


CORRECTIONS = {"equalise": "equalisation", "bias_correct": "bias correction"}


def print_build(build: Build, layers: bool = False) -> None:
    """Sizes, closeness to the float model, fit, problems, files and what to do next.

    Args:
        build: To show.
        layers: Whether to show the table of layers, too.
    """
    folder = _shown(build.folder)
    if not build.fresh:
        click.echo(f"{folder}: nothing changed, nothing to do (--force builds again)")
        return
    manifest = build.manifest
    print_schemes(manifest, build.report)
    _steps(manifest)
    if manifest.get("c_project"):
        _coded(manifest["c_project"])
    click.echo()
    measured = _measured(manifest, build.report)
    told = (*_findings(manifest), *measured, *_corrections(build.report), *_spent(build.report))
    for name, text in told:
        item(name, text)
    messages = [problem["message"] for problem in manifest["problems"]]
    for line in build.report.get("budget", ()):
        if line not in messages:
            item("budget", line)
    for problem in manifest["problems"]:
        item(problem["severity"], problem["message"])
        item("", problem["hint"])
    if layers and build.report.get("fidelity"):
        _layers(build.report["fidelity"]["layers"])
    _files(folder, manifest)
    _next(folder, manifest)
    click.echo()


def _layers(layers: list[dict[str, Any]]) -> None:
    columns = ("op", "SQNR dB", "why", "layer")
    rows = [(one["op"], round(one["sqnr_db"], 1), one["why"], one["name"]) for one in layers]
    click.echo()
    table("layers against the float model's", columns, rows)
    click.echo()


def _corrections(report: dict[str, Any]) -> list[tuple[str, str]]:
    """What equalisation and bias correction brought, where they were kept."""
    effects = report.get("calibration_effects", {})
    kept = {name: effects[name] for name in CORRECTIONS if effects.get(name, {}).get("applied")}
    texts = [
        f"{CORRECTIONS[name]} {effect['before_db']:.1f} -> {effect['after_db']:.1f} dB"
        for name, effect in kept.items()
    ]
    return [("corrected", f"by {' and '.join(texts)}")] if texts else []


def _spent(report: dict[str, Any]) -> list[tuple[str, str]]:
    """What the passes took, where some ran."""
    found = report.get("training")
    if not found:
        return []
    most = found["training_peak_bytes"] / 1e9
    return [("passes", f"{found['training_seconds']:,.0f} s, at most {most:.2f} GB of memory")]


def _files(folder: Path, manifest: dict[str, Any]) -> None:
    click.echo(f"{'files':<11} {folder}/")
    for path, size in _weighed(manifest).items():
        click.echo(f"{'':<11}   {path:<16} {size:>11,} B")
    click.echo(f"{'':<11}   {'manifest.json':<16} from what, how good, where it fits")
    click.echo(f"{'':<11}   {'report.json':<16} layer by layer, and this run")


def _weighed(manifest: dict[str, Any]) -> dict[str, int]:
    """Bytes of each file, and of each folder as one."""
    sizes: dict[str, int] = {}
    for artifact in manifest["artifacts"]:
        top, inside, _ = artifact["path"].partition("/")
        sizes[top + inside] = sizes.get(top + inside, 0) + artifact["bytes"]
    return sizes


def _next(folder: Path, manifest: dict[str, Any]) -> None:
    first, *others = uses(folder, manifest)
    item("next", first)
    for other in others:
        item("", f"or {other}")
    model = shlex.quote(str(folder / manifest["artifacts"][0]["path"]))
    click.echo(f"{'':<11} edgekit inspect {model}")
    click.echo(f"{'':<11} edgekit verify {shlex.quote(str(folder))}")
    core = (manifest.get("c_project") or {}).get("core")
    device = "qemu" if core in CORES else _device(manifest["target"])
    if device in driver_names():
        click.echo(f"{'':<11} edgekit bench {shlex.quote(str(folder))} --device {device}")


def _device(target: str) -> str:
    """The driver that measures a target; empty where its file is not on this machine."""
    try:
        return load_profile(target).device or ""
    except UsageError:
        return ""


def _steps(manifest: dict[str, Any]) -> None:
    """The ledger: sizes alone, or what passes did to the weights, too."""
    title = f"{manifest['model']['path']} for {manifest['target']}"
    if not manifest["compress"]:
        table(title, ("", "parameters", "MACs", "bytes", "gzip"), _sizes(manifest))
        return
    built = manifest["ledger"][-1]
    title += f": {built['parameters']:,} parameters, {built['macs']:,} MACs"
    columns = ["", "zeros %", "distinct", "bytes", "gzip", "CSR", "code book", "same %", "SQNR dB"]
    plain = manifest.get("without_passes")
    steps = [*manifest["ledger"][:-1], *([plain] if plain else []), built]
    rows = [_compressed(step) for step in steps]
    told = "distinct: most values in one kernel; CSR, code book: bytes of all weights so stored"
    if built.get("flash") is not None:
        columns.append("C flash")
        rows = [(*row, step.get("flash")) for row, step in zip(rows, steps, strict=True)]
        told += "\nC flash: constants and code of the C project, code estimated"
    table(title, columns, rows)
    click.echo(told)


def _coded(made: dict[str, Any]) -> None:
    """Each layer whose weights are not stored as they are."""
    names = short([layer["layer"] for layer in made["weights"]])
    rows = [
        (
            layer["form"],
            layer["bytes_plain"],
            layer["bytes_stored"],
            layer["instructions_plain"],
            layer["instructions_stored"],
            name,
        )
        for layer, name in zip(made["weights"], names, strict=True)
        if layer["form"] != PLAIN
    ]
    if rows:
        click.echo()
        columns = ("stored as", "bytes", "now", "instructions", "now", "layer")
        table("weights in few bits in the C project; instructions estimated", columns, rows)


def _compressed(step: dict[str, Any]) -> tuple[Any, ...]:
    weights = step["weights"]
    return (
        step["step"],
        round(100 * weights["zeros"] / max(1, weights["elements"]), 1),
        weights["distinct"],
        step["bytes"],
        step["gzip"],
        weights["csr"],
        weights["code_book"],
        _rounded(step["top1_agreement"]),
        _rounded(step["sqnr_db"]),
    )


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 1)


def _sizes(manifest: dict[str, Any]) -> list[tuple[Any, ...]]:
    """One row a step; a float build is its own beginning, and is shown once."""
    keys = ("step", "parameters", "macs", "bytes", "gzip")
    return list(dict.fromkeys(tuple(step[key] for key in keys) for step in manifest["ledger"]))


def _findings(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [("fidelity", _fidelity(manifest["fidelity"]))]
    if manifest["accuracy"]:
        lines.append(("accuracy", _accuracy(manifest["accuracy"])))
    if manifest.get("exits"):
        lines.append(("exits", _exits(manifest["exits"])))
    if manifest.get("gates"):
        lines.append(("gates", _gates(manifest["gates"])))
    lines += [("width", _variant(each)) for each in manifest.get("variants", ())]
    if judged := _criteria(manifest["criteria"]):
        lines.append(("criteria", judged))
    enough = ", and its memory suffices" if manifest["fit"]["fits"] else ""
    lines.append(("fit", f"{manifest['target']} has every operator{enough}"))
    for name in ("flash", "ram"):
        lines += [(name, text) for text in [_memory(manifest["fit"][name])] if text]
    return [*lines, *_c_project(manifest)]


def _c_project(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """The model as C beside the interpreter's figures."""
    made = manifest.get("c_project")
    if not made:
        return []
    equal = f"bit-exact with tflite-micro on {made['golden']} vectors"
    if made["golden_by"] == "host":
        equal = "not compared with tflite-micro, which this machine has not"
    sizes = f"{_kilobytes(made['weights_bytes'])} of constants, arena "
    lines = [("C project", f"{sizes}{_kilobytes(made['arena_bytes'])}, {equal}")]
    lines += [("", sentence) for sentence in savings(made).values()]
    needs = manifest["fit"]["c_project"]
    return lines + [("", f"{name} {_memory(needs[name])}") for name in ("flash", "ram")]


def _measured(manifest: dict[str, Any], report: dict[str, Any]) -> list[tuple[str, str]]:
    """Flash of the model as C, where a compiler for the core was there."""
    found = report.get("c_project")
    if not manifest.get("c_project") or not found:
        return []
    flash = found["text"] + found["rodata"] + found["data"]
    how = f"code {found['text']:,} B + constants {flash - found['text']:,} B"
    return [("", f"flash {flash:,} B, measured by compiling with {found['compiler']}: {how}")]


def _kilobytes(count: int) -> str:
    return f"{count / 1024:.1f} KB"


def _fidelity(fidelity: dict[str, Any] | None) -> str:
    if fidelity is None:
        return "not measured"
    agreement = fidelity["top1_agreement"]
    same = "" if agreement is None else f"top-1 agrees on {agreement:.2f} %, "
    worst = fidelity["worst"]["sqnr_db"]
    sqnr = f"SQNR {fidelity['sqnr_db']:.1f} dB (worst row {worst:.1f} dB)"
    if worst >= EXACT_DB:
        sqnr = "outputs equal the float model's"
    return f"{same}{sqnr}; {fidelity['samples']:,} rows on {fidelity['runtime']}"


def _exits(exits: dict[str, Any]) -> str:
    """Where rows stop, and what that saves, as measured on the rows that are judged on."""
    found, whole = exits.get("measured"), exits["macs"][-1]
    if found is None:
        return f"behind {', '.join(exits['layers'])}; what they save was not measured"
    places = [*(f"behind {layer}" for layer in exits["layers"]), "at the end"]
    stops = zip(found["stopped"], places, strict=True)
    told = ", ".join(f"{100 * share:.1f} % stop {place}" for share, place in stops)
    return (
        f"{told}: {found['expected_macs']:,} of {whole:,} MACs expected "
        f"({100 * found['share']:.1f} %), {found['rows']:,} rows"
    )


def _gates(gates: dict[str, Any]) -> str:
    """How often each branch runs, and what that saves, as measured on the rows judged on."""
    found = gates["measured"]
    shares = zip(gates["layers"], found["open"], strict=True)
    told = ", ".join(f"{layer} {100 * share:.1f} %" for layer, share in shares)
    return (
        f"rows that run each branch: {told}: {found['expected_macs']:,} of {gates['whole']:,} "
        f"MACs expected ({100 * found['share']:.1f} %), {found['rows']:,} rows"
    )


def _variant(variant: dict[str, Any]) -> str:
    """Another width: what it costs and what it reaches."""
    told = f"{variant['name']}: {variant['bytes']:,} B, {variant['macs']:,} MACs"
    if variant["accuracy"]:
        return f"{told}, {_accuracy(variant['accuracy'])}"
    agreement = variant["top1_agreement"]
    return told if agreement is None else f"{told}, top-1 agrees on {agreement:.2f} %"


def _criteria(criteria: dict[str, dict[str, float | None]]) -> str:
    """What is not shown elsewhere; `edgekit criteria` says what each is."""
    built = {name: each["built"] for name, each in criteria.items()}
    texts = {
        "compression_rate": "{:.3g} x fewer bytes than the float model",
        "theoretical_speed_up": "{:.3g} x fewer MACs",
        "information_density": "{:,.0f} % a million parameters",
        "netscore": "NetScore {:.4g}",
    }
    told = {name: value for name, value in built.items() if value not in (None, 1.0)}
    return ", ".join(text.format(told[name]) for name, text in texts.items() if name in told)


def _accuracy(accuracy: dict[str, Any]) -> str:
    low, high = accuracy["interval"]
    percent = accuracy["metric"] in ("top1", "auc")
    unit, points = (" %", " points") if percent else ("", "")
    return (
        f"{accuracy['metric']} float {accuracy['float']:.2f}{unit}, built {accuracy['built']:.2f}"
        f"{unit}: drop {accuracy['drop']:.2f}{points} (95 % interval {low:.2f} to {high:.2f})"
        f" on {accuracy['samples']:,} samples"
    )


def _memory(memory: dict[str, Any]) -> str:
    """Need of have; nothing where the size of the model file, shown above, is all that is known."""
    if memory["need"] is None or (memory["have"] is None and memory["state"] == "measured"):
        return ""
    have = ""
    if memory["have"]:
        share = 100 * memory["need"] / memory["have"]
        have = f" of {memory['have']:,} B ({share:.0f} %)"
    return f"{memory['need']:,} B{have}, {memory['state']}: {memory['by']}"


def _shown(folder: Path) -> Path:
    """Relative where it lies below this folder, as the user would type it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
