"""Does the built model fit the target: its ops, its flash, its RAM; need against have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from edgekit.graph.graph import Graph
from edgekit.problem import Problem
from edgekit.target.op_check import check_ops
from edgekit.target.op_table import Interpreter
from edgekit.target.profile import Profile

if TYPE_CHECKING:
    from edgekit.c_project.sizes import Sizes
    from edgekit.runtimes.base import Arena

__all__ = ["Fit", "Memory", "check_ops", "fit"]

TIGHT = 0.9
"""Above this share of a memory the estimate's error decides, so a warning is due."""
_MARGIN = 16
"""One part in so many is added to the arena of a host, whose kernels need other scratch."""
_ALIGN = 16


@dataclass(frozen=True)
class Memory:
    """Need against have of one memory.

    Attributes:
        need: Bytes; None where there is nothing to estimate from.
        have: Bytes; None where the target sets no limit.
        state: `measured` or `estimated`.
        by: Where `need` is from, and what it contains.
    """

    need: int | None
    have: int | None
    state: str
    by: str

    @property
    def fits(self) -> bool | None:
        """None where need or have is not known."""
        return None if self.need is None or self.have is None else self.need <= self.have


@dataclass(frozen=True)
class Needs:
    """Flash and RAM of one way to run a model on its target."""

    flash: Memory
    ram: Memory

    @property
    def fits(self) -> bool | None:
        """None if no memory could be compared."""
        known = [memory.fits for memory in (self.flash, self.ram) if memory.fits is not None]
        return all(known) if known else None

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it."""
        return {"fits": self.fits, "flash": asdict(self.flash), "ram": asdict(self.ram)}


@dataclass(frozen=True)
class Fit:
    """The verdict.

    Attributes:
        flash: With the target's runtime.
        ram: The same.
        problems: An error among them stops the build.
        c_project: Flash and RAM of the model as C, which needs no runtime; None without it.
        arena_bytes: Estimate of the arena that TensorFlow Lite Micro needs; None if unknown.
    """

    flash: Memory
    ram: Memory
    problems: tuple[Problem, ...]
    c_project: Needs | None = None
    arena_bytes: int | None = None

    @property
    def fits(self) -> bool | None:
        """Whether one way to run the model fits: False if an op or a memory does not, None if no
        memory could be compared."""
        if any(problem.severity == "error" for problem in self.problems):
            return False
        ways = [Needs(self.flash, self.ram), *([self.c_project] if self.c_project else [])]
        known = [way.fits for way in ways if way.fits is not None]
        return any(known) if known else None

    def to_json(self) -> dict[str, Any]:
        """The verdict as the manifest stores it; the problems are stored beside it."""
        found = {"fits": self.fits, "flash": asdict(self.flash), "ram": asdict(self.ram)}
        return found | ({"c_project": self.c_project.to_json()} if self.c_project else {})


def fit(
    graph: Graph,
    tflite: bytes,
    profile: Profile,
    arena: Arena | None = None,
    sizes: Sizes | None = None,
) -> Fit:
    """Compare a built model with its target.

    Args:
        graph: Of `tflite`.
        tflite: The built flatbuffer.
        profile: The target.
        arena: The tensor arena that tflite-micro took on this host; None: the RAM stays unknown.
        sizes: Of the model as C, where there is such a project: it is enough that one of the two
            fits.

    Returns:
        The verdict; whoever builds raises TargetError (exit code 3) when it holds an error.
    """
    flash = _flash(graph, len(tflite), profile)
    ram = _ram(profile, arena)
    needs = _needs(sizes, profile) if sizes else None
    problems = [*check_ops(graph, profile), *_memory_problems(Needs(flash, ram), needs, profile)]
    return Fit(flash, ram, tuple(problems), needs, _arena_bytes(profile, arena))


def _needs(sizes: Sizes, profile: Profile) -> Needs:
    flash = (
        f"constants {sizes.constants:,} B + code {sizes.code:,} B (from the length of "
        "its source); without your program"
    )
    ram = (
        f"arena {sizes.arena:,} B with input and output + {sizes.stack:,} B stack; "
        "without your program"
    )
    return Needs(
        Memory(sizes.flash, profile.flash_bytes, "estimated", flash),
        Memory(sizes.ram, profile.ram_bytes, "estimated", ram),
    )


def _arena_bytes(profile: Profile, arena: Arena | None) -> int | None:
    """The arena of a run on this host, with what kernels of the target may need on top."""
    cost = profile.runtime.interpreter
    if profile.family != "mcu" or cost is None or arena is None:
        return None
    scratch = cost.mve_scratch_bytes if profile.processor.vector == "mve" else 0
    need = arena.total + arena.total // _MARGIN + scratch
    return -(-need // _ALIGN) * _ALIGN


def _memory_problems(runtime: Needs, compiled: Needs | None, profile: Profile) -> list[Problem]:
    """What does not fit; an error only where the other way to run the model does not fit, too."""
    with_runtime = _of(runtime, profile, "")
    if compiled is None:
        return with_runtime
    as_c = _of(compiled, profile, "as C, ")
    if not _errors(as_c):
        title = profile.runtime.title
        hint = f"compile c_project/ into the program, which fits, instead of {title}"
        return [*_softened(with_runtime, hint, f"with {title}, "), *as_c]
    if not _errors(with_runtime):
        return [*with_runtime, *_softened(as_c, f"use {profile.runtime.title}, which fits", "")]
    return [*as_c, *with_runtime]


def _of(needs: Needs, profile: Profile, how: str) -> list[Problem]:
    less = "prune, or take a smaller network or another target"
    smaller = "reduce input size or channels, or take another target"
    return [
        *_verdict(f"{how}flash", needs.flash, profile, less),
        *_verdict(f"{how}RAM", needs.ram, profile, smaller),
    ]


def _errors(problems: Sequence[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _softened(problems: Sequence[Problem], hint: str, before: str) -> list[Problem]:
    """The same, errors made warnings with another hint."""
    return [
        replace(each, severity="warning", message=before + each.message, hint=hint)
        if each.severity == "error"
        else each
        for each in problems
    ]


def _flash(graph: Graph, model: int, profile: Profile) -> Memory:
    cost = profile.runtime.interpreter
    if profile.family != "mcu" or cost is None:
        return Memory(model, profile.flash_bytes, "measured", "the model file")
    interpreter, how = _interpreter_flash(graph, cost, profile.processor.core)
    by = (
        f"model {model:,} B + {profile.runtime.title} {interpreter:,} B ({how}); "
        "without your program"
    )
    return Memory(model + interpreter, profile.flash_bytes, "estimated", by)


def _interpreter_flash(graph: Graph, cost: Interpreter, core: str) -> tuple[int, str]:
    """Bytes of interpreter and kernels, and how that was found."""
    parts = (graph, *graph.subgraphs)
    kinds = {op.name for part in parts for op in part.ops}
    extra = len(kinds - set(cost.measured_ops))
    if any(_wide(part) for part in parts):
        base, how = cost.flash_any_type, "measured firmware with float and int16 kernels"
    elif core in cost.flash:
        base, how = cost.flash[core], f"measured firmware on {core}, int8 kernels"
    else:
        base, how = cost.flash_default, "measured firmware on other cores, int8 kernels"
    more = f", and {extra} x {cost.flash_per_kernel:,} B for other kinds of op" if extra else ""
    return base + extra * cost.flash_per_kernel, how + more


def _wide(graph: Graph) -> bool:
    """Whether any op computes on float32 or int16 (conversions at the boundary aside)."""
    return any(
        graph.tensors[index].dtype in ("float32", "int16")
        for op in graph.ops
        if op.name not in ("QUANTIZE", "DEQUANTIZE")
        for index in op.outputs
    )


def _ram(profile: Profile, arena: Arena | None) -> Memory:
    cost = profile.runtime.interpreter
    if profile.family != "mcu" or cost is None:
        return Memory(
            None,
            profile.ram_bytes,
            "estimated",
            "not estimated: this family has memory for far larger models",
        )
    if arena is None:
        by = "unknown: no run of tflite-micro on this machine (its wheel is for x86-64 Linux)"
        return Memory(None, profile.ram_bytes, "estimated", by)
    scratch = cost.mve_scratch_bytes if profile.processor.vector == "mve" else 0
    margin = f" + {scratch:,} B scratch of Helium kernels" if scratch else ""
    by = (
        f"arena {arena.total:,} B of tflite-micro on this 64-bit host (tensors {arena.head:,} B, "
        f"exact; structures {arena.tail:,} B, fewer on a 32-bit core){margin} + "
        f"{cost.static_bytes:,} B static + {cost.stack_bytes:,} B stack; without your program"
    )
    need = arena.total + scratch + cost.static_bytes + cost.stack_bytes
    return Memory(need, profile.ram_bytes, "estimated", by)


def _verdict(name: str, memory: Memory, profile: Profile, mend: str) -> list[Problem]:
    if memory.need is None or memory.have is None or memory.need <= TIGHT * memory.have:
        return []
    text = f"{name} of {profile.name}: needs {memory.need:,} B, has {memory.have:,} B"
    if memory.fits:
        hint = f"{memory.state}: measure on the board before relying on it; or {mend}"
        return [Problem("warning", profile.name, f"{text}: tight", hint)]
    return [Problem("error", profile.name, f"{text} ({memory.state})", mend)]
