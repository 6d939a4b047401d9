"""`--quantize auto`: each number format that the target runs, built, judged, timed; one stays.

Each is the build that `--quantize FORMAT` makes, its budget and ladder included. Of those that are
not refused the fastest stays; where intervals of two overlap, no difference was measured, and the
smaller file stays. Where nothing can be timed, the smallest file does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edgekit.artifact import Build
from edgekit.errors import BudgetError, DeviceError, ModelError, TargetError
from edgekit.plan import Plan
from edgekit.progress import Progress
from edgekit.target.profile import Profile
from edgekit.timing import FIGURES, Timer, Timing

BYTES = "bytes"
_NOT_ASKED = "no device was asked"


@dataclass(frozen=True)
class Tried:
    """What came of one number format.

    Attributes:
        scheme: Its name.
        facts: Of its build: bytes, memory, closeness; the same whenever it is built again.
        refused: Why it cannot be kept; empty where it can.
        build: Where it lies; None where nothing was built.
        timing: What the device said; None where it was not asked.
    """

    scheme: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    build: Build | None = None
    timing: Timing | None = None

    @property
    def kept(self) -> bool:
        """Whether it may be chosen."""
        return not self.refused and not (self.timing and self.timing.wrong)

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it, without what a device said."""
        return {"scheme": self.scheme, "refused": self.refused, **self.facts}


@dataclass(frozen=True)
class Choice:
    """All formats that were tried, and the one that stays.

    Attributes:
        best: That one.
        tried: All, in the order of the target.
        ranked_by: One of `FIGURES`, `bytes`, or `settled` where it was chosen before.
        why: The choice in words.
    """

    best: Tried
    tried: tuple[Tried, ...]
    ranked_by: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it: the choice itself, and what any machine finds."""
        return {"chosen": self.best.scheme, "tried": [each.to_json() for each in self.tried]}

    def timings(self) -> dict[str, Any]:
        """As the report of the run stores it: what was measured, and what was made of it."""
        timed = {each.scheme: each.timing for each in self.tried if each.timing}
        return {
            "device": next((one.device for one in timed.values() if one.device), ""),
            "ranked_by": self.ranked_by,
            "why": self.why,
            "schemes": {name: one.to_json() for name, one in timed.items()},
        }


def try_schemes(
    plan: Plan,
    profile: Profile,
    build: Callable[[Plan], Build],
    timer: Timer | None,
    progress: Progress,
    settled: str = "",
) -> Choice:
    """Build every alternative of `plan` and choose.

    Args:
        plan: With alternatives.
        profile: The target.
        build: Makes a finished build of one.
        timer: Says how fast they are; None: they are ranked by size.
        progress: Told each step.
        settled: The format that an earlier choice fell on: nothing is timed.

    Raises:
        TargetError: None can be built for the target; BudgetError where each breaks the budget.
        DeviceError: The device that the user named times none of them.
    """
    tried, errors = [], []
    for each in plan.alternatives:
        progress.step(f"quantize auto: {each.scheme}")
        one, error = _try(each, build)
        errors += [error] if error else []
        if one.build and timer and not settled:
            one = replace(one, timing=timer(one.build, profile))
        tried.append(one)
    if not any(each.kept for each in tried):
        raise _none(profile, tried, errors)
    if settled:
        return _settled(tried, settled)
    if timer and timer.device:
        _refuse_untimed(tried, timer.device)
    return choose(tried)


def choose(tried: Sequence[Tried]) -> Choice:
    """The fastest of those that may be kept, or the smallest; one of them may."""
    able = [each for each in tried if each.kept]
    timed = [(each, each.timing) for each in able if each.timing and each.timing.figures]
    common = [name for name in FIGURES if timed and all(name in t.figures for _, t in timed)]
    if not common:
        best = min(able, key=_bytes)
        told = next((e.timing.reason for e in able if e.timing and e.timing.reason), _NOT_ASKED)
        why = f"{best.scheme} is the smallest; formats are ranked by bytes, for nothing was timed"
        return Choice(best, tuple(tried), BYTES, f"{why}: {told}")
    figure = common[0]
    fastest = min((timing for _, timing in timed), key=lambda timing: timing.figures[figure])
    end = fastest.span(figure)[1]
    alike = [each for each, timing in timed if timing.span(figure)[0] <= end]
    best = min(alike, key=_bytes)
    why = f"{best.scheme} is the fastest of those that were timed"
    if len(timed) == 1:
        why = f"{best.scheme} is the only one that could be timed"
    elif len(alike) > 1:
        *others, last = [each.scheme for each in alike]
        names = f"{', '.join(others)} and {last}"
        why = f"{names} are as fast as far as was measured; {best.scheme} is the smallest"
    return Choice(best, tuple(tried), figure, why)


def _try(plan: Plan, build: Callable[[Plan], Build]) -> tuple[Tried, Exception | None]:
    errors = [problem for problem in plan.problems if problem.severity == "error"]
    if errors:
        return Tried(plan.scheme, refused=errors[0].message), None
    try:
        built = build(plan)
    except (ModelError, TargetError) as error:
        return Tried(plan.scheme, refused=error.message), error
    return Tried(plan.scheme, facts(built.manifest), build=built), None


def facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a build is compared by besides its speed; None where it was not found out."""
    built, fit = manifest["ledger"][-1], manifest["fit"]
    accuracy, fidelity = manifest["accuracy"] or {}, manifest["fidelity"] or {}
    budget = manifest["budget"] or {}
    return {
        "bytes": built["bytes"],
        "flash_bytes": fit["flash"]["need"],
        "ram_bytes": fit["ram"]["need"],
        "accuracy": accuracy.get("built"),
        "drop": accuracy.get("drop"),
        "top1_agreement": fidelity.get("top1_agreement"),
        "sqnr_db": fidelity.get("sqnr_db"),
        "budget": budget.get("end", {}).get("state"),
    }


def _bytes(tried: Tried) -> int:
    return int(tried.facts["bytes"])


def _settled(tried: Sequence[Tried], scheme: str) -> Choice:
    best = next((each for each in tried if each.kept and each.scheme == scheme), None)
    if best is None:
        said = next((each.refused for each in tried if each.scheme == scheme), "it is not tried")
        raise TargetError(f"{scheme} was chosen before, and cannot be built: {said}", "build again")
    return Choice(best, tuple(tried), "settled", f"{scheme} was chosen before")


def _refuse_untimed(tried: Sequence[Tried], device: str) -> None:
    """Raise DeviceError where a device that was named times nothing."""
    timings = [each.timing for each in tried if each.timing]
    if not any(one.figures for one in timings):
        why = next((one.reason for one in timings if one.reason), "it gives no figures")
        raise DeviceError(
            f"{device} times none of the number formats: {why}",
            "leave --device out to rank them by size, or choose one with --quantize",
        )


def _none(profile: Profile, tried: Sequence[Tried], errors: Sequence[Exception]) -> TargetError:
    said = [(each, each.refused or f"wrong on the device: {_reason(each)}") for each in tried]
    text = "; ".join(f"{each.scheme}: {why}" for each, why in said)
    broken = bool(errors) and all(isinstance(error, BudgetError) for error in errors)
    kind = BudgetError if broken else TargetError
    hint = "allow more, or give more data" if broken else "--quantize NAME says more about one"
    return kind(f"no number format of {profile.name} can be kept: {text}", hint)


def _reason(tried: Tried) -> str:
    return tried.timing.reason if tried.timing else ""
