"""The rungs of the ladder, in the order in which they are climbed: what costs least comes first.

They overrule what was asked for: an estimator, a correction that was switched off, the number of
calibration samples, a sparsity. `--no-ladder` holds a build to its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from edgekit.errors import UsageError
from edgekit.ladder import Attempt, Change, Judged, Rung
from edgekit.more_bits import MoreBits, learned
from edgekit.passes.base import refuse_order
from edgekit.plan import Plan, Step
from edgekit.sensitivities.rank import Cost
from edgekit.target.op_table import OpTable

LAYERS = (1, 2, 4, 8)
"""How many more layers each rung gives more bits."""
SAMPLES = (4, 16)
"""How many times as many samples each rung takes."""
WEAKER = (1, 2, 3)
"""How often each rung weakens the compression that was asked for."""
_INT8 = "it is for int8 builds"
_LEARNED = "training has decided the ranges"
_MOST_CLUSTERS = 256  # int8 has no more values


@dataclass(frozen=True)
class Means:
    """What the rungs may draw on.

    Attributes:
        runtime: Of the target: what it runs.
        samples: Calibration rows that there are, those in use among them.
        training: Rows to train on, labelled or not.
        train: The pass that trains with rounding, with all its options.
        costs: See `MoreBits`.
    """

    runtime: OpTable
    samples: int
    training: int
    train: Step
    costs: Mapping[str, Cost] = field(default_factory=dict)


def ladder(start: Attempt, means: Means) -> tuple[Rung, ...]:
    """All rungs for a build that sets out as `start`, in order."""
    return (
        OtherRanges(),
        Corrections(),
        *(MoreBits(count, means.runtime, means.samples, means.costs) for count in LAYERS),
        *(MoreSamples(times * start.samples, means.samples) for times in SAMPLES),
        Training(means.train, means.training, start.samples),
        *(WeakerCompression(start.plan.compress, times) for times in WEAKER),
    )


def _settled(plan: Plan) -> str:
    """Why calibration decides nothing that a rung could change, empty where it does."""
    if plan.scheme != "int8":
        return _INT8
    return _LEARNED if learned(plan) else ""


@dataclass(frozen=True)
class OtherRanges:
    """The range estimator that comes closest on rows held out."""

    name: str = "other ranges"

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        """Estimator `auto`."""
        if reason := _settled(attempt.plan):
            return reason
        before = attempt.plan.quantize.options.get("estimator", "minmax")
        if before == "auto":
            return "all estimators are tried already"
        return Change(attempt.quantizing(estimator="auto"), f"estimator {before} -> auto")


@dataclass(frozen=True)
class Corrections:
    """Equalisation and bias correction, even where they were off or brought too little."""

    name: str = "corrections"

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        """Both on."""
        if reason := _settled(attempt.plan):
            return reason
        options = attempt.plan.quantize.options
        if options.get("equalise") == options.get("bias_correct") == "on":
            return "both are on already"
        changed = attempt.quantizing(equalise="on", bias_correct="on")
        return Change(changed, "equalisation and bias correction on")


@dataclass(frozen=True)
class MoreSamples:
    """More calibration samples, where the data hold more."""

    wanted: int
    available: int
    name: str = "more samples"

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        """As many as `wanted` or as there are."""
        if attempt.plan.scheme not in ("int8", "int4", "int16x8"):
            return "nothing is calibrated"
        if learned(attempt.plan):
            return _LEARNED
        more = min(self.wanted, self.available)
        if more <= attempt.samples:
            return f"the data hold no more than {more}"
        what = f"calibration samples {attempt.samples} -> {more}"
        return Change(replace(attempt, samples=more), what)


@dataclass(frozen=True)
class Training:
    """Training with rounding, from labels or from the original model's outputs.

    Attributes:
        step: The pass.
        rows: That there are to train on.
        samples: That calibrate: the usual ones, since what is beyond them may be trained on.
    """

    step: Step
    rows: int
    samples: int
    name: str = "training"

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        """The pass after all others; it decides what estimators and corrections would."""
        if attempt.plan.scheme != "int8":
            return _INT8
        if learned(attempt.plan):
            return f"{self.step.name} is there already"
        if not self.rows:
            return "there are no rows to train on: give --training, or more --calibration"
        names = [step.name for step in (*attempt.plan.compress, self.step)]
        try:
            refuse_order(names)
        except UsageError as error:
            return error.message
        trained = attempt.compressing((*attempt.plan.compress, self.step))
        open_ = {"estimator": "minmax", "equalise": "auto", "bias_correct": "auto"}
        usual = replace(trained.quantizing(**open_), samples=min(attempt.samples, self.samples))
        return Change(usual, f"{self.step.name} on {self.rows:,} rows")


@dataclass(frozen=True)
class WeakerCompression:
    """Less sparsity and more clusters in each pass that has them: x 0.75, x 2, `times` over."""

    asked: tuple[Step, ...]
    times: int
    name: str = "weaker compression"

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        """Passes that other rungs added stay as they are."""
        if not self.asked:
            return "nothing is compressed"
        weaker = self.asked
        for _ in range(self.times):
            weaker = tuple(replace(step, options=_weaker(step.options)) for step in weaker)
        if weaker == self.asked:
            return "no pass has a sparsity or clusters to weaken"
        added = attempt.plan.compress[len(self.asked) :]
        told = [_difference(*pair) for pair in zip(self.asked, weaker, strict=True)]
        return Change(attempt.compressing((*weaker, *added)), ", ".join(filter(None, told)))


def _weaker(options: Any) -> Any:
    """The options with less of everything, in what lies within them, too; N:M has no less."""
    if isinstance(options, list | tuple):
        return type(options)(_weaker(item) for item in options)
    if not isinstance(options, Mapping) or options.get("n_m"):
        return options
    changed = {key: _weaker(value) for key, value in options.items()}
    if "sparsity" in options:
        changed["sparsity"] = round(0.75 * options["sparsity"], 4)
    if "initial" in options and "sparsity" in options:
        changed["initial"] = min(options["initial"], changed["sparsity"])
    if "clusters" in options:
        changed["clusters"] = max(options["clusters"], min(2 * options["clusters"], _MOST_CLUSTERS))
    return changed


def _difference(before: Step, after: Step) -> str:
    keys = [key for key in ("sparsity", "clusters") if key in before.options]
    changes = [f"{key} {before.options[key]:g} -> {after.options[key]:g}" for key in keys]
    if before == after:
        return ""
    return f"{before.name} {' and '.join(changes)}" if changes else f"{before.name} per layer"
