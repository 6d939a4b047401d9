"""Flash and RAM of a compiled model: what is known exactly, and what is estimated of the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.compiler.compiled import Compiled
from edgekit.compiler.cores import Isa, Optimize

STACK_BYTES = 512
"""Of one inference, estimated: compilers report up to 170 in one function, four deep."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# Bytes of code that are always there, and bytes a character of C, so that the estimate is at or
# above what gcc 12.2 makes of ten models (Cortex-M0+, M3; M4, M55).
_CODE: dict[Isa, dict[Optimize, tuple[int, float]]] = {
    "portable": {"size": (500, 0.18), "balanced": (1_700, 0.24), "speed": (1_700, 0.24)},
    "thumb2": {"size": (400, 0.145), "balanced": (1_000, 0.15), "speed": (1_200, 0.15)},
    "dsp": {"size": (400, 0.17), "balanced": (1_000, 0.20), "speed": (1_500, 0.20)},
    "mve": {"size": (400, 0.17), "balanced": (1_000, 0.20), "speed": (1_500, 0.20)},
}


@dataclass(frozen=True)
class Sizes:
    """Bytes of a compiled model on its target.

    Attributes:
        constants: Weights and tables in flash.
        code: In flash, estimated.
        arena: RAM with input and output in it.
        stack: Of one inference, estimated.
    """

    constants: int
    code: int
    arena: int
    stack: int

    @property
    def flash(self) -> int:
        """Constants and code."""
        return self.constants + self.code

    @property
    def ram(self) -> int:
        """Arena and stack."""
        return self.arena + self.stack


def sizes(compiled: Compiled) -> Sizes:
    """The sizes of a compiled model; code is estimated from the length of its C."""
    text = compiled.text
    length = sum(len(_bare(part)) for part in (text.kernels, text.source))
    core = compiled.core
    base, each = _CODE[core.isa][core.optimize]
    code = round(base + each * length)
    return Sizes(text.constant_bytes, code, compiled.plan.arena, STACK_BYTES)


def _bare(text: str) -> str:
    """C without comments and white space."""
    return re.sub(r"\s+", "", _COMMENT.sub("", text))
