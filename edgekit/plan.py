"""What a build will do, decided before anything heavy is touched: pure, printable, the dry run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from edgekit._plan_compress import budget_problems, compress_problems, resolved
from edgekit._values import written
from edgekit.model import Format
from edgekit.problem import Problem
from edgekit.project import Project
from edgekit.target.profile import Profile

AS_IS = "as-is"
AUTO = "auto"
FROM_DATA = ("epochs", "batch", "patience")
"""Keys of fine-tuning whose zero is replaced by what suits the number of rows."""
ZERO_SAYS = ("label_weight", "clip")
"""Keys whose zero is a choice, and is shown."""
_TO_BE_ASKED_FOR = ("int4",)
"""Formats that no choice among all falls on: small, and seldom as good without training."""


@dataclass(frozen=True)
class Step:
    """One step of a build: what kind of work, by whom, with which options."""

    kind: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The steps for one target, in order, and what stands against them.

    Attributes:
        target: Name.
        steps: In order.
        problems: An error among them stops the build.
        alternatives: A plan for each number format, where the build chooses among them.
    """

    target: str
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...] = ()
    alternatives: tuple[Plan, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether nothing stands against it."""
        return all(problem.severity != "error" for problem in self.problems)

    @property
    def compress(self) -> tuple[Step, ...]:
        """The passes, in order; `passes.base.from_mapping` takes each step's name and options."""
        return tuple(step for step in self.steps if step.kind == "compress")

    @property
    def quantize(self) -> Step:
        """The step that chooses the number format."""
        return next(step for step in self.steps if step.kind == "quantize")

    @property
    def scheme(self) -> str:
        """Name of the quantizer, or `as-is`."""
        return self.quantize.name

    @property
    def exporters(self) -> tuple[str, ...]:
        """Names of what is written, in order."""
        return tuple(step.name for step in self.steps if step.kind == "export")

    @property
    def judged(self) -> bool:
        """Whether fidelity and accuracy are measured."""
        return any(step.kind == "fidelity" for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """The plan as `--dry-run --json` prints it."""
        return {
            "target": self.target,
            "steps": self.steps_json(),
            "problems": [problem.to_json() for problem in self.problems],
        }

    def steps_json(self) -> list[dict[str, Any]]:
        """The steps as the manifest stores them."""
        return [asdict(step) for step in self.steps]

    def lines(self) -> list[str]:
        """The plan for people."""
        steps = [
            line
            for number, step in enumerate(self.steps, start=1)
            for line in _step_lines(f"  {number}. ", step)
        ]
        problems = [f"  {p.severity}: {p.message} ({p.hint})" for p in self.problems]
        return [f"{self.target}:", *steps, *problems]


def make_plan(project: Project, profile: Profile, source: Format, quantized: bool = False) -> Plan:
    """Decide the steps from `source` to the artifacts of `profile`; nothing is read or written.

    Args:
        project: The choices of the user.
        profile: The target.
        source: What the model file is.
        quantized: Whether the model is a `.tflite` that is quantized already: exported as it is.
    """
    if project.quantize.scheme == AUTO and not quantized:
        return _any_scheme(project, profile, source)
    scheme = AS_IS if quantized else project.quantize.scheme or profile.quantizers[0]
    steps = [
        Step("import", source),
        *_compress(project),
        Step("quantize", scheme, _quantize_options(project, profile, scheme)),
        *_fidelity(project, profile),
        *_guard(project),
        *_exports(project, profile),
        Step("fit", profile.name),
    ]
    return Plan(profile.name, tuple(steps), tuple(_problems(project, profile, scheme)))


def _any_scheme(project: Project, profile: Profile, source: Format) -> Plan:
    """The plan of a build that chooses its number format; errors if there is none to choose."""
    plans = tuple(
        make_plan(project.with_table("quantize", scheme=scheme), profile, source)
        for scheme in profile.quantizers
        if scheme not in _TO_BE_ASKED_FOR
    )
    able = [plan for plan in plans if plan.possible]
    if not able:
        return plans[0]
    left = [plan for plan in plans if not plan.possible]
    choice = Step("quantize", AUTO, {"schemes": [plan.scheme for plan in able]})
    steps = tuple(choice if step.kind == "quantize" else step for step in able[0].steps)
    problems = (*able[0].problems, *map(_left_out, left))
    return Plan(profile.name, steps, problems, plans)


def _left_out(plan: Plan) -> Problem:
    first = next(problem for problem in plan.problems if problem.severity == "error")
    return replace(first, severity="note", message=f"{plan.scheme} is left out: {first.message}")


def _exports(project: Project, profile: Profile) -> list[Step]:
    """What the target wants, then what the user wants besides."""
    names = dict.fromkeys((*profile.exporters, *project.build.export))
    options = {"c_project": {"optimize": project.compile.optimize}}
    return [Step("export", name, options.get(name, {})) for name in names]


def _compress(project: Project) -> list[Step]:
    return [
        Step("compress", entry.name, resolved(entry, project.fine_tune))
        for entry in project.compress
    ]


def _guard(project: Project) -> list[Step]:
    limits = project.budget.limits
    if not limits:
        return []
    options = {**limits, "strict": project.budget.strict, "ladder": project.budget.ladder}
    return [Step("guard", "budget", options)]


def _quantize_options(project: Project, profile: Profile, scheme: str) -> dict[str, Any]:
    if scheme == AS_IS:
        return {}
    entry, exit_ = profile.io(scheme)
    options: dict[str, Any] = {
        "input_dtype": project.io.input or entry,
        "output_dtype": project.io.output or exit_,
    }
    if scheme == "dynamic" and not profile.runtime.per_channel_dense:
        options |= {"disable_per_channel_dense": True}
    if scheme in ("int8", "int4"):
        options |= {
            "estimator": project.quantize.estimator,
            "equalise": project.quantize.equalise if scheme == "int8" else "off",
            "bias_correct": project.quantize.bias_correct,
            "per_channel": project.quantize.per_channel,
            "keep_int16": project.quantize.keep_int16,
            "keep_float": project.quantize.keep_float,
        }
    return options


def _fidelity(project: Project, profile: Profile) -> list[Step]:
    if not project.fidelity.enabled:
        return []
    options = {"runtime": profile.evaluate_with, "samples": project.fidelity.samples}
    return [Step("fidelity", "float", options)]


def _problems(project: Project, profile: Profile, scheme: str) -> list[Problem]:
    problems = []
    if scheme == AS_IS and project.quantize.scheme:
        problems.append(
            Problem(
                "error",
                project.model.path,
                f"it is quantized already: --quantize {project.quantize.scheme} cannot apply",
                "leave --quantize out to export it as it is, or give the float model",
            )
        )
    if scheme not in (AS_IS, *profile.quantizers):
        problems.append(
            Problem(
                "error",
                profile.name,
                f"{profile.name} cannot run {scheme} models",
                f"use --quantize {' or '.join(profile.quantizers)}",
            )
        )
    if scheme in profile.quantizers:
        step = _quantize_options(project, profile, scheme)
        problems += profile.check_io(scheme, step["input_dtype"], step["output_dtype"])
    if scheme in ("int8", "int4", "int16x8") and not _calibrates(project):
        problems.append(
            Problem(
                "error",
                "--calibration",
                f"{scheme} needs calibration data, and none is given",
                "give 50 to 500 unlabeled inputs, e.g. --calibration images/ or data.npz:x[:100]",
            )
        )
    problems += compress_problems(project, scheme, compared=scheme != AS_IS)
    return [*problems, *budget_problems(project, compared=scheme != AS_IS)]


def _calibrates(project: Project) -> bool:
    """Compression parts its training data, and calibrates on a part where nothing else is given."""
    return bool(project.data.calibration or (project.compress and project.data.training))


def _step_lines(number: str, step: Step) -> list[str]:
    options = dict(step.options)
    fine_tune = options.pop("fine_tune", None)
    lines = [f"{number}{step.kind} {step.name}{_options(options)}"]
    if fine_tune is not None:
        lines.append(f"{' ' * len(number)}fine-tuning ({_fine_tuning(fine_tune)})")
    return lines


def _fine_tuning(values: dict[str, Any]) -> str:
    """What is known of it; zeros stand for what the data decide, or for nothing."""
    known = _listed({key: value for key, value in values.items() if value or key in ZERO_SAYS})
    decided = [key for key in FROM_DATA if not values[key]]
    return f"{known}; from the data: {', '.join(decided)}" if decided else known


def _options(options: dict[str, Any]) -> str:
    inside = _listed({key: value for key, value in options.items() if value != "off"})
    return f" ({inside})" if inside else ""


def _listed(options: dict[str, Any]) -> str:
    """Without what is empty; zero and false say something."""
    texts = {key: written(value) for key, value in options.items()}
    return ", ".join(f"{key}={text}" for key, text in texts.items() if text)
