"""Options by which GCC and Clang compile for a core."""

from __future__ import annotations

_OPTIONS = {
    "cortex-m0": "",
    "cortex-m0plus": "",
    "cortex-m3": "",
    "cortex-m4": "-mfloat-abi=hard -mfpu=fpv4-sp-d16",
    "cortex-m7": "-mfloat-abi=hard -mfpu=fpv5-d16",
    "cortex-m33": "-mfloat-abi=hard -mfpu=fpv5-sp-d16",
    "cortex-m55": "-mfloat-abi=hard",
    "cortex-m85": "-mfloat-abi=hard",
}


def options(core: str) -> list[str]:
    """Compiler options for a Cortex-M; none for other cores, which have compilers of their own."""
    if core not in _OPTIONS:
        return []
    return [f"-mcpu={core}", "-mthumb", *_OPTIONS[core].split()]
