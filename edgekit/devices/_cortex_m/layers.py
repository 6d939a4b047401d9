"""Which layer an instruction belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgekit.devices._cortex_m.counts import Counts, Executed
from edgekit.devices._cortex_m.elf import Symbol
from edgekit.devices._cortex_m.project import Project
from edgekit.errors import DeviceError

# GCC renames a function whose parameters it changed.
_CLONE = re.compile(r"(\.(constprop|isra|lto_priv)\.\d+)*")
# Before the name of a layer that must not be inlined: where GCC leaves no function for it all the
# same, it does nothing, like a concatenation whose parts are in place.
_KEPT = "static EK_LAYER void "
_NEVER = 0
"""An address that is never executed: the vector table's."""


@dataclass(frozen=True)
class Shares:
    """What was executed, by address.

    Attributes:
        layers: One for each layer of the project, with the kernels it calls.
        between: In the run function itself.
    """

    layers: tuple[Mapping[int, Executed], ...]
    between: Mapping[int, Executed]


def markers(project: Project, symbols: Mapping[str, Symbol]) -> list[int]:
    """Addresses: begin and end of an inference, then the entry of each layer.

    Raises:
        DeviceError: The compiler left no function for a layer.
    """
    source = project.source.read_text(encoding="utf-8")
    entries = [_entry(layer.symbol, symbols, source) for layer in project.layers]
    return [symbols[f"{project.prefix}_run"].address, symbols["bench_end"].address, *entries]


def share(project: Project, symbols: Mapping[str, Symbol], counts: Counts) -> Shares:
    """Give each instruction to the layer that was entered last, or to the run function."""
    run = symbols[f"{project.prefix}_run"]
    own = range(run.address, run.address + run.size)
    layers = tuple(
        {pc: one for pc, one in counts.at.get(bucket, {}).items() if pc not in own}
        for bucket in range(1, len(project.layers) + 1)
    )
    between: dict[int, Executed] = {}
    for bucket, found in counts.at.items():
        for pc, one in found.items():
            if pc in own or bucket == 0:
                before = between.get(pc, Executed(0, 0))
                between[pc] = Executed(before.count + one.count, before.taken + one.taken)
    return Shares(layers, between)


def _entry(symbol: str, symbols: Mapping[str, Symbol], source: str) -> int:
    for name, found in symbols.items():
        if name.startswith(symbol) and _CLONE.fullmatch(name.removeprefix(symbol)):
            return found.address
    if f"{_KEPT}{symbol}(" in source:
        return _NEVER
    raise DeviceError(
        f"the compiler left no function {symbol}: its layer cannot be told apart",
        "declare the layer's function noinline",
    )
