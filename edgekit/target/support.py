"""What each target makes of a model file as it is: operators, flash, RAM, before any build."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from edgekit.graph.graph import Graph
from edgekit.graph.live import peak_bytes
from edgekit.problem import Problem
from edgekit.target.fit import Memory, check_ops, fit
from edgekit.target.profile import Profile, load_profile, profile_names


@dataclass(frozen=True)
class Support:
    """What a target makes of a model.

    Attributes:
        target: Its name.
        runtime: On the target, for people.
        runs: Whether its runtime has every operator, in the version and on the types used, and
            takes the types of inputs and outputs.
        flash: Of model and runtime.
        ram: Of the activations alone, which is the least that it can be.
        problems: What is refused or runs badly; errors are certain.
    """

    target: str
    runtime: str
    runs: bool
    flash: Memory
    ram: Memory
    problems: tuple[Problem, ...]

    @property
    def fits(self) -> bool | None:
        """False where a memory is too small, None where no memory could be compared."""
        known = [memory.fits for memory in (self.flash, self.ram) if memory.fits is not None]
        return all(known) if known else None

    @property
    def suits(self) -> bool:
        """Whether nothing is known to be in the way."""
        return self.runs and self.fits is not False

    def to_json(self) -> dict[str, Any]:
        """As `edgekit inspect --json` prints it."""
        return {
            "target": self.target,
            "runtime": self.runtime,
            "runs": self.runs,
            "fits": self.fits,
            "flash": asdict(self.flash),
            "ram": asdict(self.ram),
            "problems": [problem.to_json() for problem in self.problems],
        }


def support(graph: Graph, tflite: bytes, targets: Iterable[str] = ()) -> list[Support]:
    """What targets make of a flatbuffer as it is; a build may change its number format.

    Args:
        graph: Of `tflite`.
        tflite: The file.
        targets: Names; none: all there are.

    Raises:
        UsageError: There is no such target, or its file is wrong.
    """
    peak = peak_bytes(graph)
    names = list(targets) or profile_names()
    return [_of(graph, tflite, load_profile(name), peak) for name in names]


def _of(graph: Graph, tflite: bytes, profile: Profile, peak: int | None) -> Support:
    about_ops = check_ops(graph, profile)
    found = fit(graph, tflite, profile)
    ram = found.ram
    if profile.family == "mcu":
        by = "the activations that are alive at once: the least; edgekit build finds out more"
        ram = replace(ram, need=peak, by=by if peak else "not known: a tensor has no size")
    problems = [*about_ops, *_too_large(profile, found.flash, ram)]
    runs = all(problem.severity != "error" for problem in about_ops)
    return Support(profile.name, profile.runtime.title, runs, found.flash, ram, tuple(problems))


def _too_large(profile: Profile, flash: Memory, ram: Memory) -> list[Problem]:
    sides = (("flash", flash), ("RAM", ram))
    hint = "compress it (edgekit build --compress), take a smaller network or another target"
    return [
        Problem(
            "error",
            profile.name,
            f"{name} of {profile.name}: needs {memory.need:,} B, has {memory.have:,} B",
            hint,
        )
        for name, memory in sides
        if memory.fits is False
    ]
