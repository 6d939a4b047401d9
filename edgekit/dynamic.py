"""Networks that do less by input or by choice: what is chosen and measured once they are built."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edgekit.artifact import sha256
from edgekit.data.samples import Samples
from edgekit.exits.choose import Array, choose, classes_of, expected, scores, tops
from edgekit.exits.exits import Exits
from edgekit.exits.gates import expected as gates_expected
from edgekit.passes.base import Variant
from edgekit.plan import Plan
from edgekit.result import Result
from edgekit.runtimes.base import Row
from edgekit.variants import BuiltVariant
from edgekit.work import Work


def exits(work: Work, plan: Plan, built: bytes, runtime: str) -> Exits | None:
    """Thresholds of a built network that may answer early, chosen on the guard rows.

    None for one that runs to its end.
    """
    left = work.left(plan)
    heads = left.heads if left else None
    if heads is None:
        return None
    guard = work.sets.split.guard
    return work.once(
        ["exits", heads.to_json(), sha256(built), runtime],
        lambda: choose(heads, built, *_answers(work, built, guard, runtime)),
    )


def exits_told(work: Work, result: Result) -> dict[str, Any] | None:
    """The exits as the manifest stores them, with what they do on rows to judge on."""
    samples = _judged(work, result)
    if result.exits is None:
        return None
    told: dict[str, Any] = result.exits.to_json()
    if samples is not None:
        found = _answers(work, result.quantized.tflite, samples, result.runtime)
        told["measured"] = expected(result.exits, *found)
    return told


def gates_told(work: Work, result: Result) -> dict[str, Any] | None:
    """The gates as the manifest stores them, with what they do on rows to judge on."""
    left, samples = work.left(result.plan), _judged(work, result)
    if left is None or left.gates is None or samples is None:
        return None
    work.progress.step(f"running all gates on {result.runtime}")
    rows = iter(work.sets.prepared(samples))
    found = scores(result.quantized.tflite, rows, result.runtime)
    return gates_expected(left.gates, result.graph, found)


def variants(work: Work, plan: Plan, runtime: str, samples: int) -> tuple[BuiltVariant, ...]:
    """Other forms of the network, built as the network is."""
    left = work.left(plan)
    return tuple(
        _variant(work, plan, each, runtime, samples) for each in (left.variants if left else ())
    )


def _variant(work: Work, plan: Plan, each: Variant, runtime: str, samples: int) -> BuiltVariant:
    model = work.model.step(f"width {each.name}", tflite=each.tflite, keras=None, saved_model=None)
    key = ["variant", sha256(each.tflite), asdict(plan.quantize), samples]
    built = work.once(key, lambda: work.in_format(plan, model, samples)).tflite
    return BuiltVariant(
        each.name,
        built,
        work.fidelity(built, runtime) if plan.judged else None,
        work.accuracy(built, runtime) if plan.judged else None,
    )


def _judged(work: Work, result: Result) -> Samples | None:
    """The rows to judge on, with labels if there are any."""
    return (work.sets.labelled or work.sets.compared) if result.plan.judged else None


def _answers(work: Work, built: bytes, samples: Samples, runtime: str) -> tuple[list[Row], Array]:
    """All answers of a network with exits, and the right class of each row."""
    work.progress.step(f"running all exits on {runtime}")
    rows = iter(work.sets.prepared(samples))
    found = scores(built, work.progress.track(rows, len(samples)), runtime)
    if samples.labels is not None:
        return found, classes_of(samples.labels, found[0])
    rows = iter(work.sets.prepared(samples))
    return found, tops(scores(work.model.tflite, rows, "litert"))
