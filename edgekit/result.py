"""What was made for one target, before it is written."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.c_project.make import Made
from edgekit.evaluate.accuracy import Accuracy
from edgekit.evaluate.fidelity import Fidelity
from edgekit.exits.exits import Exits
from edgekit.golden.litert import Golden
from edgekit.graph.graph import Graph
from edgekit.ladder import Climb
from edgekit.plan import Plan
from edgekit.problem import Problem
from edgekit.quantizers.base import Quantized
from edgekit.target.fit import Fit
from edgekit.target.profile import Profile
from edgekit.variants import BuiltVariant


@dataclass(frozen=True)
class Result:
    """A built model and what is known about it.

    Attributes:
        profile: The target.
        plan: What was done for it.
        quantized: The built flatbuffer.
        graph: Of `quantized`.
        runtime: What it was judged with; see `edgekit.runtimes.base.RUNTIMES`.
        verdict: Whether the target holds it.
        fidelity: None when it was not measured; `edgekit.findings` says why.
        accuracy: None without labels.
        made: The model as C, or why there is none.
        stand_in: Set when `runtime` is not the one that the target wants.
        samples: The most that calibration used.
        climb: What was tried to keep the budget; None before that.
        golden: Golden vectors for LiteRT; None where there are none, and before that.
        labels: Names of the classes; empty where none are given.
        said: What exporters have to say.
        exits: Of a network that may answer early.
        variants: Other forms of the network, e.g. narrower ones.
    """

    profile: Profile
    plan: Plan
    quantized: Quantized
    graph: Graph
    runtime: str
    verdict: Fit
    fidelity: Fidelity | None
    accuracy: Accuracy | None
    made: Made
    stand_in: Problem | None
    samples: int = 0
    climb: Climb | None = None
    golden: Golden | None = None
    labels: tuple[str, ...] = ()
    said: tuple[Problem, ...] = ()
    exits: Exits | None = None
    variants: tuple[BuiltVariant, ...] = ()
