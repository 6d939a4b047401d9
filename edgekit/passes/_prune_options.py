"""What `prune` can be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option, pair, per_layer

END = 0.3
"""Default of `end`."""


def _block(value: Any) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", value) if isinstance(value, str) else None
    height, width = pair(found.groups() if found else value)
    if min(height, width) < 1:
        raise ValueError("a side is below 1")
    return height, width


def _n_m(value: Any) -> str:
    found = re.fullmatch(r"(\d+):(\d+)", value) if isinstance(value, str) else None
    if value != "" and (not found or not 0 < int(found[1]) < int(found[2])):
        raise ValueError("not N:M with N below M")
    return str(value)


@dataclass(frozen=True)
class PruneOptions(PassOptions):
    """Shares are of the weights; `begin` and `end` are shares of the training steps."""

    sparsity: float = option(
        0.5, "share of zero weights in the end", least=0, below=1, hint="write 0.6 for 60 %"
    )
    allocate: Literal["auto", "lamp", "uniform"] = option(
        "auto",
        "whose share sparsity is; auto: the model's, where its scores miss them least "
        "(arXiv:2312.17244), by lamp where zeros are not solved for; lamp: the model's, by "
        "magnitude (arXiv:2010.07611); uniform: every layer's",
    )
    schedule: Literal["auto", "solve", "polynomial", "constant"] = option(
        "auto",
        "solve: by least squares (arXiv:2208.11580), in part before the training, the rest after "
        "30 % of it; polynomial: by magnitude, from initial up to sparsity; constant: all of it "
        "from begin on; auto: solve, but polynomial where initial, begin, end, frequency, block or "
        "n_m are given",
    )
    initial: float = option(
        0.0, "share of zero weights that polynomial begins with", least=0, below=1
    )
    begin: float = option(0.0, "share of the training before the first zeros", least=0, below=1)
    end: float = option(
        END,
        "share of the training after which the zeros stay where they are",
        least=0,
        most=1,
        hint="a schedule cannot be longer than the training: give at most 1",
    )
    frequency: int = option(0, "steps from one choice of zeros to the next; 0: 50 choices", least=0)
    block: tuple[int, int] = option(
        (1, 1),
        "zeros in blocks of [inputs, outputs], Dense layers only: [1, 4] or 1x4",
        parse=_block,
    )
    n_m: str = option(
        "",
        "2:4: of 4 inputs in a row 2 stay, chosen at the first step; it sets the sparsity",
        parse=_n_m,
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (),
        'exceptions: { "conv1" = 0.3, Dense = { sparsity = 0.8, block = [1, 4] } }; 0: left alone',
        parse=per_layer("sparsity"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._refuse_unfit()
        self.refuse_variants()

    def _refuse_unfit(self) -> None:
        if self.schedule != "constant" and self.initial > self.sparsity > 0:
            raise UsageError(
                f"initial = {self.initial:g} is above sparsity = {self.sparsity:g}",
                "begin with fewer zeros than there are in the end",
            )
        if self.end < self.begin:
            raise UsageError(
                f"end = {self.end:g} is before begin = {self.begin:g}", "give an end after begin"
            )
        if self.n_m and self.block != (1, 1):
            raise UsageError("block and n_m are given both", "choose one of them")
        if self.n_m and self.sparsity not in (0, 0.5, self.target):
            raise UsageError(
                f"sparsity = {self.sparsity:g} does not go with n_m = {self.n_m}, "
                f"which makes it {self.target:g}",
                "leave sparsity out, or n_m",
            )

        if self.schedule == "solve" and not self.solves:
            raise UsageError(
                "schedule = solve does not go with initial, begin, end, frequency, block or n_m",
                "leave these out, or the schedule",
            )

    @property
    def solves(self) -> bool:
        """Whether zeros are chosen by least squares before the training."""
        steps = self.initial, self.begin, self.end, self.frequency
        plain = steps == (0, 0, END, 0) and self.block == (1, 1) and not self.n_m
        return plain and self.schedule in ("auto", "solve")

    @property
    def target(self) -> float:
        """The share of zeros that is aimed at: `n_m` goes before `sparsity`; 0: left alone."""
        if not self.n_m or not self.sparsity:
            return self.sparsity
        kept, of = self.pattern
        return 1 - kept / of

    @property
    def pattern(self) -> tuple[int, int]:
        """N and M of `n_m`."""
        kept, of = self.n_m.split(":")
        return int(kept), int(of)
