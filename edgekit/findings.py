"""Everything the user should know about a build, in one list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.c_project.savings import verdicts_of
from edgekit.evaluate.fidelity import Fidelity
from edgekit.graph.accumulators import accumulators
from edgekit.plan import AS_IS
from edgekit.problem import Problem
from edgekit.result import Result
from edgekit.steps import ledger, without_passes
from edgekit.verdicts import verdicts
from edgekit.work import Work

LOW_SQNR_DB, LOW_AGREEMENT, CHANGED_ROWS = 15.0, 97.0, 2
"""Below these the built model is worth a warning: about one answer in thirty changes, and more
rows than chance makes of a few."""


def problems(work: Work, result: Result) -> list[Problem]:
    """Everything the user should know about a build."""
    found = [
        *work.model.problems,
        *work.data_problems(result.samples),
        *result.plan.problems,
        *result.quantized.problems,
        *result.verdict.problems,
        *result.made.problems,
        *result.said,
    ]
    if result.climb:
        found += result.climb.problems
    made = result.made.project
    as_c = verdicts_of(made.to_json()) if made else None
    found += verdicts(ledger(work, result), result.profile, without_passes(work, result), as_c)
    if result.stand_in:
        found.append(result.stand_in)
    if result.fidelity is not None:
        found += [
            *result.fidelity.problems,
            *_low(result.fidelity, result.plan.quantize.options),
        ]
    else:
        found.append(_not_compared(work, result))
    found += _overflows(result)
    return list(dict.fromkeys(found))


def _overflows(result: Result) -> list[Problem]:
    """Layers whose sums may be larger than the accumulators of the runtime's kernels."""
    return [
        Problem(
            "warning",
            each.name,
            f"its sums may need {each.exact} bits, and kernels add up in {each.runtime}",
            "part the layer, or scale its weights down: what overflows is wrong without a word",
        )
        for each in accumulators(result.graph)
        if each.exact > each.runtime
    ]


def _not_compared(work: Work, result: Result) -> Problem:
    """Why there is no fidelity."""
    if not result.plan.judged:
        message, hint = "it was switched off", "build again without --no-fidelity"
        return Problem("note", "fidelity", f"not measured: {message}", hint)
    if result.plan.scheme == AS_IS:
        message = "the model is quantized already, there is no float model beside it"
        hint = "build from the float model to have the two compared"
        return Problem("note", "fidelity", f"not measured: {message}", hint)
    message, hint = "no data are given", "give --evaluation DATA, with labels or without"
    if work.sets.calibration:
        message = "calibration uses every row there is, and no evaluation data are given"
        hint = "give more calibration rows than --samples, or --evaluation DATA"
    return Problem("warning", "fidelity", f"not measured: {message}", hint)


def _disagrees(agreement: float | None, samples: int) -> bool:
    if agreement is None or agreement >= LOW_AGREEMENT:
        return False
    return round(samples * (100 - agreement) / 100) > CHANGED_ROWS


def _low(fidelity: Fidelity, options: Mapping[str, Any]) -> list[Problem]:
    """A warning where the built model is far from the float one, with the layer to blame.

    Args:
        fidelity: As measured.
        options: Of the quantizer, as it was built.
    """
    agreement = fidelity.top1_agreement
    if fidelity.sqnr_db >= LOW_SQNR_DB and not _disagrees(agreement, fidelity.samples):
        return []
    how = f"SQNR is {fidelity.sqnr_db:.1f} dB"
    if agreement is not None:
        how += f", the top class agrees on {agreement:.1f} % of {fidelity.samples} rows"
    blamed = [layer for layer in fidelity.layers if layer.why]
    worst = min(blamed, key=lambda layer: layer.sqnr_db, default=None)
    where = f"; first to blame: {worst.op} {worst.name} ({worst.why})" if worst else ""
    mend = "--quantize int16x8 where the target runs it, or more calibration data"
    if options.get("estimator", "auto") != "auto":
        mend = f"--set quantize.estimator=auto tries better ranges and corrections; or {mend}"
    return [Problem("warning", "fidelity", f"far from the float model: {how}{where}", mend)]
