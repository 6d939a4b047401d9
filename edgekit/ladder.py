"""The ladder: when a budget is broken, what may mend it is tried, rung by rung, cheapest first.

What brings the build closer to its budget is kept, and goes into all that is tried after it. The
climb ends at the first attempt that is no longer broken. How a build is made is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from edgekit.errors import BudgetError, EdgekitError
from edgekit.evaluate.blame import at_fault, named
from edgekit.evaluate.budget import Verdict
from edgekit.evaluate.fidelity import Fidelity
from edgekit.graph.read import read
from edgekit.plan import Plan, Step
from edgekit.problem import Problem
from edgekit.progress import Progress

Outcome = Literal["kept", "dropped", "failed", "not applicable"]
GAIN = 0.2
"""Points, percent or dB by which a budget must be exceeded less, for a rung to have helped ..."""
GAIN_DB = 0.5
"""... or else, with the budget exceeded as before, dB of SQNR."""
_UNPROVEN = "give more evaluation samples, or leave --strict out, which refuses such a build"


@dataclass(frozen=True)
class Attempt:
    """What is to be built.

    Attributes:
        plan: The steps, with the options of quantizer and passes.
        samples: The most that calibration uses.
    """

    plan: Plan
    samples: int

    def quantizing(self, **options: Any) -> Attempt:
        """A copy with other options of the quantizer."""
        quantize = self.plan.quantize
        changed = replace(quantize, options={**quantize.options, **options})
        steps = tuple(changed if step is quantize else step for step in self.plan.steps)
        return replace(self, plan=replace(self.plan, steps=steps))

    def compressing(self, passes: Iterable[Step]) -> Attempt:
        """A copy with other passes."""
        others = [step for step in self.plan.steps if step.kind != "compress"]
        place = next(n for n, step in enumerate(others) if step.kind == "quantize")
        steps = (*others[:place], *passes, *others[place:])
        return replace(self, plan=replace(self.plan, steps=steps))


@dataclass(frozen=True, eq=False)
class Judged:
    """What came of an attempt.

    Attributes:
        verdict: How it stands against the budget.
        fidelity: With the table of layers, None where it was not measured.
        built: The flatbuffer.
        reference: The float flatbuffer that has its tensors.
        result: Whatever the builder wants back.
    """

    verdict: Verdict
    fidelity: Fidelity | None
    built: bytes
    reference: bytes
    result: Any = None

    def better(self, other: Judged) -> bool:
        """Whether this is closer to the budget than `other`, by more than measuring scatters."""
        (state, exceeded), (other_state, other_exceeded) = self.verdict.rank, other.verdict.rank
        if state != other_state:
            return state < other_state
        gain = other_exceeded - exceeded
        if abs(gain) > GAIN:
            return gain > 0
        return self._sqnr > other._sqnr + GAIN_DB

    @property
    def _sqnr(self) -> float:
        return self.fidelity.sqnr_db if self.fidelity else 0.0


@dataclass(frozen=True)
class Change:
    """The next attempt, and what is different in it, in words."""

    attempt: Attempt
    what: str


class Rung(Protocol):
    """One way to mend a broken budget."""

    @property
    def name(self) -> str:
        """In words, for reports."""

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        """What to try after `attempt`, which came out as `judged`, or why there is nothing."""


@dataclass(frozen=True)
class Climbed:
    """What came of one rung.

    Attributes:
        rung: Its name.
        change: What was different, "" where nothing was tried.
        outcome: `kept`: it helped; `dropped`: it did not; `failed`: to be built; `not applicable`.
        reason: Why it failed or does not apply, else "".
        verdict: What was measured, None where nothing was.
    """

    rung: str
    change: str
    outcome: Outcome
    reason: str = ""
    verdict: Verdict | None = None

    @property
    def line(self) -> str:
        """The rung in one line, for people."""
        if self.verdict is None:
            tried = f" ({self.change})" if self.change else ""
            return f"{self.rung}{tried}: {self.outcome}, {self.reason}"
        return f"{self.rung} ({self.change}): {self.outcome}; {self.verdict.brief}"

    def to_json(self) -> dict[str, Any]:
        """The rung as the manifest stores it."""
        judged = self.verdict.to_json() if self.verdict else None
        keys = ("rung", "change", "outcome", "reason")
        return {**{key: getattr(self, key) for key in keys}, "verdict": judged}


@dataclass(frozen=True, eq=False)
class Climb:
    """Where the climb began, each rung, and what it ended with.

    Attributes:
        start: The verdict before the first rung.
        attempt: The best that was found.
        judged: What came of it.
        rungs: As they were climbed; empty where nothing was broken.
    """

    start: Verdict
    attempt: Attempt
    judged: Judged
    rungs: tuple[Climbed, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """For people: the budget, and each rung; nothing where no budget is set."""
        if not self.start.limits:
            return ()
        return (self.start.text, *dict.fromkeys(rung.line for rung in self.rungs))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is not proven, and what was built otherwise than asked for."""
        kept = [f"{rung.rung}, {rung.change}" for rung in self.rungs if rung.outcome == "kept"]
        unproven = self.judged.verdict.problems()
        if not kept or self.judged.verdict.state == "broken":
            return unproven
        message = f"built otherwise than asked for, to keep the budget: {'; '.join(kept)}"
        hint = f"--no-ladder refuses instead; as asked for: {self.start.brief}"
        return (*unproven, Problem("note", "budget", message, hint))

    def refuse(self, climbed: bool = True) -> None:
        """Raise BudgetError where the budget is still broken; names the layers to blame.

        No layer is to blame where only samples are wanting.

        Args:
            climbed: False where `--no-ladder` left the rungs out.
        """
        verdict, fidelity = self.judged.verdict, self.judged.fidelity
        if verdict.state != "broken":
            return
        if verdict.only_unproven:
            raise BudgetError(f"the budget is not proven: {verdict.text}", _UNPROVEN)
        graph = read(self.judged.built)
        layers = at_fault(fidelity.layers, graph) if fidelity else ()
        blame = f"; first to blame: {named(layers, graph)}" if layers else ""
        tried = [rung.rung for rung in self.rungs if rung.verdict is not None]
        told = f" after trying {', '.join(dict.fromkeys(tried))}" if tried else ""
        raise BudgetError(f"the budget is broken{told}: {verdict.text}{blame}", _hint(climbed))

    def to_json(self) -> dict[str, Any]:
        """The climb as the manifest stores it."""
        return {
            "start": self.start.to_json(),
            "rungs": [rung.to_json() for rung in self.rungs],
            "end": self.judged.verdict.to_json(),
        }


def climb(
    start: Attempt,
    rungs: Iterable[Rung],
    build: Callable[[Attempt], Judged],
    progress: Progress | None = None,
) -> Climb:
    """Build `start`, and while the budget is broken what the rungs make of it.

    Args:
        start: The build as it was asked for.
        rungs: In order; none with `--no-ladder`.
        build: Makes and judges an attempt.
        progress: Told of each rung.

    Raises:
        EdgekitError: `start` cannot be built. What a rung cannot build is reported as failed.
    """
    progress = progress or Progress()
    attempt, judged = start, build(start)
    first, climbed, known = judged.verdict, list[Climbed](), [start]
    for rung in rungs:
        if judged.verdict.state != "broken":
            break
        change = rung.change(attempt, judged)
        if isinstance(change, Change) and change.attempt in known:
            change = f"{change.what} was tried already"
        if isinstance(change, str):
            climbed.append(Climbed(rung.name, "", "not applicable", change))
            continue
        known.append(change.attempt)
        progress.step(f"the budget is broken; {rung.name}: {change.what}")
        try:
            tried = build(change.attempt)
        except EdgekitError as error:
            climbed.append(Climbed(rung.name, change.what, "failed", error.message))
            continue
        better = tried.better(judged)
        outcome: Outcome = "kept" if better else "dropped"
        climbed.append(Climbed(rung.name, change.what, outcome, "", tried.verdict))
        if better:
            attempt, judged = change.attempt, tried
    return Climb(first, attempt, judged, tuple(climbed))


def _hint(climbed: bool) -> str:
    if not climbed:
        return "build without --no-ladder, which tries to mend it, or allow more"
    return (
        "allow more, compress less, give more calibration or training data, "
        "or use --quantize int16x8 where the target runs it"
    )
