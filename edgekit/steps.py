"""The model after each step of a build, and what it would be without its passes."""

from __future__ import annotations

from dataclasses import replace

from edgekit.artifact import sha256
from edgekit.c_project.make import flash_of
from edgekit.graph.read import read
from edgekit.ledger import Entry, entry
from edgekit.plan import AS_IS
from edgekit.result import Result
from edgekit.work import Work


def ledger(work: Work, result: Result) -> list[Entry]:
    """The model after each step: as it came, after each pass, as it is built."""
    final = entry(result.plan.scheme, result.quantized.tflite, result.graph, result.fidelity)
    if result.made.project:
        final = replace(final, flash=result.made.project.sizes.flash)
    if result.plan.scheme == AS_IS:
        return [final]
    passes = []
    for stage in work.stages(result.plan):
        tflite = stage.candidate.tflite
        fidelity = work.fidelity(tflite, "litert") if result.plan.judged else None
        passes.append(entry(stage.name, tflite, read(tflite), fidelity))
    return [entry("float32", work.model.tflite, work.graph), *passes, final]


def without_passes(work: Work, result: Result) -> Entry | None:
    """What is built without the passes of a build; None where it has none."""
    plan, project = result.plan, result.made.project
    if not plan.compress:
        return None
    steps = tuple(step for step in plan.steps if step.kind != "compress")
    bare = work.without_dead(work.quantized(replace(plan, steps=steps)), result.runtime)
    tflite = work.described(bare, plan).tflite
    weighed = entry(f"{plan.scheme}, no passes", tflite, read(tflite))
    if project is None:
        return weighed
    core = project.compiled.core
    key = ["flash", sha256(tflite), core.name, core.optimize]
    return replace(weighed, flash=work.once(key, lambda: flash_of(read(tflite), project)))
