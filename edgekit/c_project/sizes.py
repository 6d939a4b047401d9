"""Flash and RAM of a compiled model: what is known exactly, and what is estimated of the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.compiler.compiled import Compiled

STACK_BYTES = 1_024
"""Of one inference, estimated."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BYTES_PER_CHARACTER = {"portable": 0.45, "dsp": 0.45, "mve": 0.45}


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
    code = round(length * _BYTES_PER_CHARACTER[compiled.core.isa])
    return Sizes(text.constant_bytes, code, compiled.plan.arena, STACK_BYTES)


def _bare(text: str) -> str:
    """C without comments and white space."""
    return re.sub(r"\s+", "", _COMMENT.sub("", text))
