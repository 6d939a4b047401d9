"""What was found out about a build, in a line each."""

from __future__ import annotations

from typing import Any

from edgekit.c_project.savings import savings

EXACT_DB = 200.0
"""From here on built and float model are the same for every purpose (`edgekit.evaluate.sqnr`)."""
CORRECTIONS = {"equalise": "equalisation", "bias_correct": "bias correction"}


def findings(manifest: dict[str, Any], report: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and text of each line: what was measured, and where the build fits."""
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
    lines += [*_c_project(manifest), *_measured(manifest, report)]
    return [*lines, *_corrections(report), *_spent(report)]


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


def _accuracy(accuracy: dict[str, Any]) -> str:
    low, high = accuracy["interval"]
    percent = accuracy["metric"] in ("top1", "auc")
    unit, points = (" %", " points") if percent else ("", "")
    return (
        f"{accuracy['metric']} float {accuracy['float']:.2f}{unit}, built {accuracy['built']:.2f}"
        f"{unit}: drop {accuracy['drop']:.2f}{points} (95 % interval {low:.2f} to {high:.2f})"
        f" on {accuracy['samples']:,} samples"
    )


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


def _memory(memory: dict[str, Any]) -> str:
    """Need of have; nothing where the size of the model file, shown above, is all that is known."""
    if memory["need"] is None or (memory["have"] is None and memory["state"] == "measured"):
        return ""
    have = ""
    if memory["have"]:
        share = 100 * memory["need"] / memory["have"]
        have = f" of {memory['have']:,} B ({share:.0f} %)"
    return f"{memory['need']:,} B{have}, {memory['state']}: {memory['by']}"


def _measured(manifest: dict[str, Any], report: dict[str, Any]) -> list[tuple[str, str]]:
    """Flash of the model as C, where a compiler for the core was there."""
    found = report.get("c_project")
    if not manifest.get("c_project") or not found:
        return []
    flash = found["text"] + found["rodata"] + found["data"]
    how = f"code {found['text']:,} B + constants {flash - found['text']:,} B"
    return [("", f"flash {flash:,} B, measured by compiling with {found['compiler']}: {how}")]


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


def _kilobytes(count: int) -> str:
    return f"{count / 1024:.1f} KB"
