"""The cores that C is made for, and which kernels each can run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Isa = Literal["portable", "thumb2", "dsp", "mve"]
Optimize = Literal["size", "balanced", "speed"]
_ISA: dict[str, Isa] = {
    "cortex-m3": "thumb2",
    "cortex-m4": "dsp",
    "cortex-m7": "dsp",
    "cortex-m33": "dsp",
    "cortex-m55": "mve",
    "cortex-m85": "mve",
}


@dataclass(frozen=True)
class Core:
    """What the kernels of a project are chosen by.

    Attributes:
        name: As compilers name it: `cortex-m4`.
        isa: `portable` C99, `thumb2` (ARMv7-M: long multiplication, saturation), `dsp` (dual
            16-bit multiply-accumulate), `mve` (Helium).
        optimize: `size`, `balanced` or `speed`.
    """

    name: str
    isa: Isa
    optimize: Optimize = "balanced"


def core_of(name: str, optimize: Optimize = "balanced") -> Core:
    """The core of that name; any that is not listed gets portable C99."""
    return Core(name, _ISA.get(name, "portable"), optimize)
