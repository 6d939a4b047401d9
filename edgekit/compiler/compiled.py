"""The compiler's face: a graph in, a program with its memory plan and its C text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.compiler.absorb import absorb
from edgekit.compiler.compress_weights import StoredWeights, compress_weights
from edgekit.compiler.constant_channels import ChannelSaving, drop_channels
from edgekit.compiler.cores import Core
from edgekit.compiler.emit import Text, emit
from edgekit.compiler.fuse import fuse
from edgekit.compiler.lower import lower
from edgekit.compiler.plan_memory import MemoryPlan
from edgekit.compiler.program import Program
from edgekit.compiler.widen import widen
from edgekit.graph.graph import Graph


@dataclass(frozen=True, eq=False)
class Compiled:
    """A model as C.

    Attributes:
        program: What is computed.
        plan: Where it lies in memory.
        core: What it was made for.
        text: The C files.
        channels: What dropping constant and unused channels saved.
        weights: How the weights of each convolution and dense layer are stored.
    """

    program: Program
    plan: MemoryPlan
    core: Core
    text: Text
    channels: ChannelSaving
    weights: tuple[StoredWeights, ...]


def compile_graph(
    graph: Graph,
    core: Core,
    prefix: str,
    least: Sequence[float | None] = (),
    gates: int = 0,
) -> Compiled:
    """Compile an int8 graph.

    Args:
        graph: As read by `edgekit.graph.read`.
        core: Chooses kernels and layouts.
        prefix: A C identifier; every name of the text begins with it, or with `ek_`, which is
            static.
        least: Of a network that may answer early: `edgekit.exits.exits.Exits.least`.
        gates: So many outputs at the end are gates of branches that may be skipped.

    Raises:
        TargetError: The graph has something that the compiler does not know, named with its layer.
    """
    program, channels = drop_channels(absorb(lower(graph)))
    program, weights = compress_weights(fuse(program), core)
    program, plan = widen(program, core)
    text = emit(program, plan, core, prefix, least, gates)
    return Compiled(program, plan, core, text, channels, weights)
