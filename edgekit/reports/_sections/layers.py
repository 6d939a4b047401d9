"""Layer by layer: bytes of the weights, instructions on the core, closeness to the float model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from edgekit.inspect import inspect
from edgekit.reports._names import distinct
from edgekit.reports._sources import Item
from edgekit.reports.base import Method, Section, columns, rows

EXACT_DB = 60.0
"""From here on the rounding of an input is none to speak of, and would dwarf the others."""


def sections(item: Item) -> list[Section]:
    """One for each of the three that is known."""
    return [*_bytes(item), *_instructions(item), *_sqnr(item)]


def _bytes(item: Item) -> Iterator[Section]:
    if item.build is None or not item.build.tflite.is_file():
        return
    layers = inspect(item.build.tflite)["layers"]
    values = [(one["bytes"], one["macs"]) for one in layers]
    told = ("bytes", "weights", "B"), ("macs", "MACs")
    by = "the tensors of model.tflite"
    yield _section(item, "bytes", "Weights by layer", "counted", by, layers, told, values)


def _instructions(item: Item) -> Iterator[Section]:
    for run in item.runs:
        if found := run.report["emulated"]:
            layers = found["layers"]
            values = [(one["instructions"], one["macs"], one["cycles_estimated"]) for one in layers]
            told = ("instructions", "instructions"), ("macs", "MACs"), ("cycles", "cycles")
            by = found["labels"]["instructions"]["source"]
            caveat = "instructions are no time; cycles are estimated from them"
            title = f"Instructions by layer on {found['core']}"
            yield _section(
                item, "instructions", title, "emulated", by, layers, told, values, caveat
            )


def _sqnr(item: Item) -> Iterator[Section]:
    found = item.build.report.get("fidelity") if item.build else None
    if not found:
        return
    layers = [one for one in found["layers"] if one["op"] != "INPUT" or one["sqnr_db"] < EXACT_DB]
    values = [(one["sqnr_db"], one["why"]) for one in layers]
    told = ("sqnr_db", "SQNR", "dB"), ("why", "why it is low")
    by = f"{found['samples']:,} rows on {found['runtime']}"
    caveat = "against the float model, errors of all layers before included; higher is closer"
    title = "Signal to quantization noise after each layer"
    yield _section(item, "sqnr", title, "measured", by, layers, told, values, caveat)


def _section(
    item: Item,
    name: str,
    title: str,
    method: Method,
    by: str,
    layers: Sequence[dict[str, Any]],
    told: Sequence[Sequence[str]],
    values: Sequence[Sequence[Any]],
    caveat: str = "",
) -> Section:
    """Bars: the first of `told` is what is drawn."""
    described = columns(("index", "#"), ("layer", "layer"), ("op", "operator"), *told)
    names = distinct([one["name"] or "-" for one in layers])
    pairs = zip(layers, names, values, strict=True)
    found = [(i, layer, one["op"], *figures) for i, (one, layer, figures) in enumerate(pairs)]
    made = rows(described, found)
    return Section(f"layers-{name}", "bars", item.name, title, method, by, described, made, caveat)
