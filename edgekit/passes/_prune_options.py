"""What `prune` can be told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option, pair, per_layer

END = 0.3
"""Default of `end`."""
SPARSITY = 0.5
"""Default of `sparsity`."""
_OTHER_AMOUNTS = ("threshold", "sigma", "macs")
_OF_THE_PASS = ("allocate", "sensitivity", "macs", "rounds", "max_drop")


def _block(value: Any) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", value) if isinstance(value, str) else None
    height, width = pair(found.groups() if found else value)
    if min(height, width) < 0 or (height, width) == (0, 0):
        raise ValueError("a side is below 1 (0 is the whole side, for one of them)")
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
        SPARSITY,
        "share of zero weights in the end",
        least=0,
        below=1,
        hint="write 0.6 for 60 %",
        search=(0.3, 0.5, 0.6, 0.7, 0.8, 0.9),
    )
    threshold: float = option(
        0.0, "weights that are smaller become zero, in place of sparsity; 0: none", least=0
    )
    sigma: float = option(
        0.0,
        "weights that are smaller than this times the standard deviation of their layer's become "
        "zero, in place of sparsity (arXiv:1506.02626); 0: none",
        least=0,
    )
    macs: float = option(
        0.0,
        "share of the model's multiply-accumulates that stays, those by zeros not counted, in "
        "place of sparsity; 0: none",
        least=0,
        below=1,
        hint="write 0.3 to keep 30 % of the multiply-accumulates",
    )
    allocate: Literal["auto", "lamp", "sigma", "sensitivity", "uniform"] = option(
        "auto",
        "whose share sparsity is; auto: the model's, where its scores miss them least "
        "(arXiv:2312.17244), by lamp where zeros are not solved for; lamp: the model's, by "
        "magnitude (arXiv:2010.07611); sigma: the model's, by one sigma for all layers; "
        "sensitivity: the model's, by how much it suffers from each layer's zeros; uniform: every "
        "layer's",
    )
    sensitivity: str = option(
        "",
        "JSON of edgekit sensitivity, for allocate = sensitivity; empty: measured now",
        file=True,
    )
    schedule: Literal["auto", "solve", "polynomial", "constant", "splicing"] = option(
        "auto",
        "solve: by least squares (arXiv:2208.11580), in part before the training, the rest after "
        "30 % of it; polynomial: by magnitude, from initial up to sparsity (arXiv:1710.01878); "
        "constant: all of it from begin on; splicing: like polynomial, but weights that grow again "
        "come back (arXiv:1608.04493); auto: solve, but polynomial where threshold, sigma, "
        "initial, begin, end, frequency, block, heads or n_m are given",
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
    margin: float = option(
        0.1,
        "of splicing: by what share a weight must exceed the smallest that stay to come back",
        least=0,
    )
    rounds: int = option(
        0,
        "times that it is pruned and trained again, each with its part of the epochs; 0: as the "
        "schedule has it, or 5 where max_drop is given",
        least=0,
        most=100,
    )
    max_drop: float = option(
        0.0,
        "points of accuracy (without labels: of agreement) on the guard rows that may be lost: the "
        "last round that loses no more is taken; 0: no limit",
        least=0,
        below=100,
        hint="write 1 for one point",
    )
    block: tuple[int, int] = option(
        (1, 1),
        "zeros in blocks of [inputs, outputs], of Dense and (Depthwise)Conv2D layers: [1, 4] or "
        "1x4; 0: the whole side",
        parse=_block,
    )
    heads: bool = option(
        False, "whole attention heads: all weights that read one, of the layers that read heads"
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
        'exceptions: { "conv1" = 0.3, Dense = { sparsity = 0.8, block = [1, 4] } }, also with '
        "another schedule; 0: left alone",
        parse=per_layer("sparsity"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._refuse_unfit()
        self.refuse_variants()

    def variant(self, setting: Mapping[str, Any]) -> Self:
        """As of any pass; an amount that is given for a layer replaces the others there."""
        for key in setting:
            if key in _OF_THE_PASS:
                raise UsageError(f"{key} is for all layers together", "give it beside per_layer")
        plain = self
        if any(key in setting for key in ("sparsity", "n_m", *_OTHER_AMOUNTS)):
            plain = replace(
                self, sparsity=SPARSITY, threshold=0.0, sigma=0.0, macs=0.0, n_m="", per_layer=()
            )
        return PassOptions.variant(plain, setting)

    def _refuse_unfit(self) -> None:
        self._refuse_amounts()
        if self.schedule != "constant" and self.initial > self.sparsity > 0:
            raise UsageError(
                f"initial = {self.initial:g} is above sparsity = {self.sparsity:g}",
                "begin with fewer zeros than there are in the end",
            )
        if self.end < self.begin:
            raise UsageError(
                f"end = {self.end:g} is before begin = {self.begin:g}", "give an end after begin"
            )
        shapes = [name for name, given in self._shapes.items() if given]
        if len(shapes) > 1:
            raise UsageError(f"{shapes[0]} and {shapes[1]} are given both", "choose one of them")
        if self.n_m and self.sparsity not in (0, SPARSITY, self.target):
            raise UsageError(
                f"sparsity = {self.sparsity:g} does not go with n_m = {self.n_m}, "
                f"which makes it {self.target:g}",
                "leave sparsity out, or n_m",
            )
        if self.schedule == "solve" and not self.solves:
            raise UsageError(
                "schedule = solve does not go with threshold, sigma, initial, begin, end, "
                "frequency, block, heads or n_m",
                "leave these out, or the schedule",
            )
        if self.sensitivity and self.allocate != "sensitivity":
            raise UsageError(
                "sensitivity names a file, and allocate is not sensitivity",
                "write allocate = sensitivity, too, or leave the file out",
            )

    def _refuse_amounts(self) -> None:
        amounts = [name for name in _OTHER_AMOUNTS if getattr(self, name)]
        amounts = ["sparsity"] * (self.sparsity not in (0, SPARSITY)) + amounts
        amounts += ["n_m"] * (bool(self.n_m) and amounts not in ([], ["sparsity"]))
        if len(amounts) > 1:
            raise UsageError(f"{amounts[0]} and {amounts[1]} are given both", "choose one of them")

    @property
    def _shapes(self) -> dict[str, bool]:
        return {"block": self.block != (1, 1), "heads": self.heads, "n_m": bool(self.n_m)}

    @property
    def shaped(self) -> bool:
        """Whether zeros come in groups: blocks, heads or N:M."""
        return any(self._shapes.values())

    @property
    def blocks(self) -> bool:
        """Whether zeros come in blocks."""
        return self.block != (1, 1)

    @property
    def solves(self) -> bool:
        """Whether zeros are chosen by least squares before the training."""
        steps = self.initial, self.begin, self.end, self.frequency, self.threshold, self.sigma
        plain = steps == (0, 0, END, 0, 0, 0) and not self.shaped
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
