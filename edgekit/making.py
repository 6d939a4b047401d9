"""One build for one target: attempts until the budget is kept, and the files of the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgekit import dynamic
from edgekit._plan_compress import resolved
from edgekit.errors import DataError, TargetError
from edgekit.evaluate.budget import Budget, verdict
from edgekit.graph.read import read
from edgekit.ladder import Attempt, Judged, climb
from edgekit.plan import Plan, Step
from edgekit.problem import refuse
from edgekit.project import CompressEntry
from edgekit.quantizers.base import Quantized
from edgekit.result import Result
from edgekit.rungs import Means, ladder
from edgekit.runtimes.base import evaluation_runtime
from edgekit.sensitivities.rank import Cost
from edgekit.target.fit import check_ops, fit
from edgekit.target.profile import Profile
from edgekit.work import Work


def make(work: Work, profile: Profile, plan: Plan) -> Result:
    """Build for one target; where that breaks the budget, what the ladder makes of it."""
    labels = work.labels
    refuse(work.data_problems(work.project.data.samples), DataError)
    budget = work.project.budget
    wanted = budget.limits and budget.ladder
    start = Attempt(plan, work.project.data.samples)
    costs = work.costs  # a file that cannot be used is refused, budget or not
    rungs = ladder(start, _means(work, profile, costs)) if wanted else ()
    climbed = climb(start, rungs, lambda attempt: _judged(work, profile, attempt), work.progress)
    climbed.refuse(climbed=budget.ladder)
    result: Result = climbed.judged.result
    golden = work.golden(result.quantized.tflite, result.graph, plan)
    variants = dynamic.variants(work, result.plan, result.runtime, result.samples)
    return replace(result, climb=climbed, golden=golden, labels=labels, variants=variants)


def _means(work: Work, profile: Profile, costs: Mapping[str, Cost]) -> Means:
    train = CompressEntry("quantize_aware")
    step = Step("compress", train.name, resolved(train, work.project.fine_tune))
    rows = work.sets.available, work.sets.trainable
    return Means(profile.runtime, *rows, step, costs)


def _judged(work: Work, profile: Profile, attempt: Attempt) -> Judged:
    result, reference = _attempt(work, profile, attempt)
    table = work.project.budget
    limits = Budget(table.accuracy_drop, table.agreement, table.sqnr)
    stands = verdict(limits, result.accuracy, result.fidelity, table.strict)
    whole = work.quantized(attempt.plan, attempt.samples).tflite
    return Judged(stands, result.fidelity, whole, reference, result)


def _attempt(work: Work, profile: Profile, attempt: Attempt) -> tuple[Result, bytes]:
    """What comes of one set of options, and the float flatbuffer that has its tensors."""
    plan = attempt.plan
    runtime, stand_in = evaluation_runtime(profile.evaluate_with)
    whole = work.quantized(plan, attempt.samples)
    bare = _encoded(work, work.without_dead(whole, runtime), profile.evaluate_with)
    exits = dynamic.exits(work, plan, bare.tflite, runtime)
    quantized = work.described(bare, plan)
    graph = read(quantized.tflite)
    refuse(check_ops(graph, profile), TargetError)
    # what is told about it changes no output: targets with and without it share the work
    arena = work.arena(bare.tflite, runtime)
    made = work.compiled(bare.tflite, graph, profile, plan, exits)
    refuse(made.problems, TargetError)
    sizes = made.project.sizes if made.project else None
    fits = fit(graph, quantized.tflite, profile, arena, sizes)
    refuse(fits.problems, TargetError)
    reference = quantized.reference or work.compressed(plan).tflite
    judged = plan.judged
    result = Result(
        profile,
        plan,
        quantized,
        graph,
        runtime,
        fits,
        # the outputs are the same, and a layer is compared when it has all its channels
        fidelity=work.fidelity(whole.tflite, runtime, reference, exits) if judged else None,
        accuracy=work.accuracy(bare.tflite, runtime, exits) if judged else None,
        made=made,
        stand_in=stand_in,
        samples=attempt.samples,
        exits=exits,
    )
    return result, reference


def _encoded(work: Work, quantized: Quantized, runtime: str) -> Quantized:
    """With sparse kernels, where that is asked for and proved to work."""
    if work.project.quantize.sparse == "off":
        return quantized
    tflite, problems = work.sparse(quantized.tflite, runtime)
    return replace(quantized, tflite=tflite, problems=(*quantized.problems, *problems))
