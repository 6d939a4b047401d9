"""Where a network may stop, and when it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it is known to contracts that are listed without numpy
    from edgekit.runtimes.base import Row


@dataclass(frozen=True)
class Heads:
    """What a pass leaves: a network with several answers.

    Output 0 is the last answer, output k that of exit k, in order of execution. All have one
    score a class.

    Attributes:
        layers: Behind which the exits are, in order.
        max_drop: Points of accuracy that stopping early may cost on the guard rows.
        weight: Of an exit's loss, where that of the last answer is 1.
    """

    layers: tuple[str, ...]
    max_drop: float
    weight: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """As a checkpoint stores it."""
        numbers = {"max_drop": self.max_drop, "weight": self.weight}
        return {"layers": list(self.layers), **numbers}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Heads:
        """What `to_json` stored."""
        return cls(tuple(content["layers"]), content["max_drop"], content["weight"])


@dataclass(frozen=True)
class Exits:
    """A built network's exits.

    Attributes:
        layers: As `Heads.layers`.
        least: By exit: how much the best score must be above the second for the network to stop,
            in units of the scores; None where it never stops.
        macs: Multiply-accumulates until each exit has answered, and of the whole network, last.
        ends: By exit: operators of the built graph that run until it has answered.
    """

    layers: tuple[str, ...]
    least: tuple[float | None, ...]
    macs: tuple[int, ...]
    ends: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it: lists by exit, in order; `macs` with the whole network's."""
        content = {"layers": self.layers, "least": self.least, "macs": self.macs, "ends": self.ends}
        return {key: list(value) for key, value in content.items()}

    def stops(self, outputs: Row) -> int:
        """The number of the output that answers: 0 where no exit is sure.

        Args:
            outputs: All scores of one row, dequantised, [1, ..., classes] each.
        """
        for number, least in enumerate(self.least, start=1):
            if least is not None and margin(outputs[number]) >= least:
                return number
        return 0

    def answer(self, outputs: Row) -> Row:
        """The scores of the output that answers."""
        return (outputs[self.stops(outputs)],)


def margin(scores: Any) -> float:
    """How much the best of the scores is above the second."""
    second, best = sorted(scores.ravel().tolist())[-2:]
    return float(best - second)
