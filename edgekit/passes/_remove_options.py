"""What `remove` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit._functions import is_function
from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option, per_layer

DEAD = "dead"
COUNTED = ("macs", "parameters", "bytes")
"""Budgets that are a share where they are below 1, else a count."""
MOST_PERCENT = 100
_HINT = "write 0.3 for 30 %, or dead for channels that change nothing"


def _share(value: Any) -> float:
    if value == DEAD:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"neither a number nor {DEAD}")
    return float(value)


@dataclass(frozen=True)
class RemoveOptions(PassOptions):
    """A group is what the same layers make: its channels leave through all of them."""

    share: float = option(
        0.3,
        "share of the channels of every group that leave, where neither macs nor parameters are "
        "given; dead: only those that change nothing",
        least=0,
        below=1,
        hint=_HINT,
        parse=_share,
    )
    macs: float = option(
        0.0,
        "multiply-accumulates that stay: a share, 0.5 for half, or a count; what leaves is found "
        "over all layers; 0: no budget",
        least=0,
        search=(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3),
    )
    parameters: float = option(
        0.0, "parameters that stay: a share or a count; 0: no budget", least=0
    )
    bytes: float = option(
        0.0,
        "bytes of weights that stay, as int8 stores them (4 for a bias): a share or a count; 0: no "
        "budget",
        least=0,
    )
    latency: float = option(
        0.0, "share that stays of what measure says; 0: no budget", least=0, below=1
    )
    latency_limit: float = option(
        0.0, "most that measure may say, in its own unit; 0: no budget", least=0
    )
    measure: str = option(
        "",
        "python:module:function that is given an int8 .tflite as bytes and says what it costs on "
        "the device: milliseconds, instructions, any number",
    )
    allocate: Literal["auto", "sensitivity", "uniform"] = option(
        "auto",
        "where a budget is won; auto: for the least loss by the criterion; sensitivity: for the "
        "least that was measured with each group alone narrower; uniform: the same share of all",
    )
    sensitivity: str = option(
        "",
        "JSON of edgekit sensitivity, for allocate = sensitivity; empty: measured now",
        file=True,
    )
    criterion: Literal["taylor", "l1", "l2", "apoz", "redundancy"] = option(
        "taylor",
        "taylor: what the scores would change by (arXiv:1611.06440, arXiv:1801.05787); l1, l2: "
        "norm of the filter (arXiv:1608.08710); apoz: how often it is zero (arXiv:1607.03250); "
        "redundancy: distance from the filter most like it (arXiv:1507.06149)",
    )
    blocks: int = option(
        0,
        "blocks of layers that leave before any channels: those that add least to what a linear "
        "probe tells (Chen and Zhao 2018); with share = 0 nothing else leaves",
        least=0,
    )
    rounds: int = option(
        5, "times that channels are judged and leave on the way to the amount", least=1, most=100
    )
    refit: bool = option(
        True,
        "weights that read what is left are solved for the original's outputs, by least squares "
        "(arXiv:1707.06168)",
    )
    multiple: int = option(
        0,
        "channels that a group keeps are a multiple of this; 0: of 4 where there are 16 or more, "
        "as kernels work on four at a time",
        least=0,
    )
    least: float = option(
        0.1, "share of its channels that a group keeps at least", least=0, below=1
    )
    from_scratch: bool = option(
        False,
        "the small network forgets its weights and learns anew, as a comparison (arXiv:1810.05270)",
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); none: all")
    exclude: tuple[str, ...] = option((), "names, patterns or types that are left as they are")
    per_layer: tuple[tuple[str, dict[str, Any]], ...] = option(
        (),
        'shares of single groups: { "conv1" = 0.5, "conv2*" = 0 }; 0: left alone',
        parse=per_layer("share"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_variants()
        for pattern, setting in self.per_layer:
            if set(setting) - {"share"}:
                raise UsageError(
                    f"per_layer '{pattern}': only a share can differ from layer to layer",
                    f'write {{ "{pattern}" = 0.3 }}',
                )
        for name in COUNTED:
            _refuse_percent(name, getattr(self, name))
        self._refuse_half_a_measure()
        self._refuse_half_an_allocation()

    def _refuse_half_a_measure(self) -> None:
        limited = self.latency or self.latency_limit
        if limited and not self.measure:
            raise UsageError(
                "a budget of latency needs something that measures it",
                'write measure = "python:module:function", a function of the bytes of a .tflite',
            )
        if self.measure and not limited:
            raise UsageError(
                "measure has no effect: no budget of latency is given",
                "write latency = 0.5 for half of what it says, or latency_limit in its unit",
            )
        if self.measure and not is_function(self.measure):
            raise UsageError(
                f"measure = {self.measure!r}: names no function", "write python:module:function"
            )

    def _refuse_half_an_allocation(self) -> None:
        if self.sensitivity and self.allocate != "sensitivity":
            raise UsageError(
                "sensitivity names a file, and allocate is not sensitivity",
                "write allocate = sensitivity, too, or leave the file out",
            )
        if self.allocate != "auto" and not self.budget:
            raise UsageError(
                f"allocate = {self.allocate} has no effect: no budget is given",
                "write macs = 0.5, or leave allocate out: share is that of every group",
            )

    @property
    def budget(self) -> bool:
        """Whether what leaves is found over all layers."""
        counted = any(getattr(self, name) for name in COUNTED)
        return counted or bool(self.latency or self.latency_limit)


def _refuse_percent(name: str, value: float) -> None:
    if 1 <= value <= MOST_PERCENT:
        raise UsageError(
            f"{name} = {value:g} is neither a share below 1 nor a count above {MOST_PERCENT}",
            f"for {value:g} % write {value / 100:g}",
        )
