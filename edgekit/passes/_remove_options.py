"""What `remove` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option, per_layer

DEAD = "dead"
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
        "share of the multiply-accumulates that stays, 0.5 for half; what leaves is found over all "
        "layers; 0: no budget",
        least=0,
        below=1,
        hint="write 0.5 to keep half of the multiply-accumulates",
    )
    parameters: float = option(
        0.0,
        "share of the parameters that stays; 0: no budget",
        least=0,
        below=1,
        hint="write 0.5 to keep half of the parameters",
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
    multiple: int = option(1, "channels that a group keeps are a multiple of this", least=1)
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

    @property
    def budget(self) -> bool:
        """Whether what leaves is found over all layers."""
        return bool(self.macs or self.parameters)
