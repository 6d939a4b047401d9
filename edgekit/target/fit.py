"""Does the built model fit the target: its ops, its flash, its RAM; need against have."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgekit.graph.graph import Graph
from edgekit.problem import Problem
from edgekit.target.op_check import check_ops
from edgekit.target.op_table import Interpreter
from edgekit.target.profile import Profile

if TYPE_CHECKING:
    from edgekit.runtimes.base import Arena

__all__ = ["Fit", "Memory", "check_ops", "fit"]

TIGHT = 0.9
"""Above this share of a memory the estimate's error decides, so a warning is due."""


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
class Fit:
    """The verdict: `flash`, `ram`, and the problems; an error among them stops the build."""

    flash: Memory
    ram: Memory
    problems: tuple[Problem, ...]

    @property
    def fits(self) -> bool | None:
        """False if an op or a memory does not fit, None if no memory could be compared."""
        if any(problem.severity == "error" for problem in self.problems):
            return False
        known = [memory.fits for memory in (self.flash, self.ram) if memory.fits is not None]
        return all(known) if known else None

    def to_json(self) -> dict[str, Any]:
        """The verdict as the manifest stores it; the problems are stored beside it."""
        return {"fits": self.fits, "flash": asdict(self.flash), "ram": asdict(self.ram)}


def fit(graph: Graph, tflite: bytes, profile: Profile, arena: Arena | None = None) -> Fit:
    """Compare a built model with its target.

    Args:
        graph: Of `tflite`.
        tflite: The built flatbuffer.
        profile: The target.
        arena: The tensor arena that tflite-micro took on this host; None: the RAM stays unknown.

    Returns:
        The verdict; whoever builds raises TargetError (exit code 3) when it holds an error.
    """
    flash = _flash(graph, len(tflite), profile)
    ram = _ram(profile, arena)
    problems = [
        *check_ops(graph, profile),
        *_verdict("flash", flash, profile, "prune, or take a smaller network or another target"),
        *_verdict("RAM", ram, profile, "reduce input size or channels, or take another target"),
    ]
    return Fit(flash, ram, tuple(problems))


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
