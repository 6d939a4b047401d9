"""The code of a firmware as instructions: address, mnemonic, operands."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^\s*([0-9a-f]+):\t([a-z][\w.]*)\s*([^;@]*)")
_WIDTH = re.compile(r"\.[nw]$")
_UNKNOWN = re.compile(r"^\s*([0-9a-f]+):\s+@ <UNDEFINED> instruction: 0x([0-9a-f]+)")
_SELECT = re.compile(r"^ea5[0-9a-f]([89ab])")
"""Conditional selects of Armv8.1-M, of which objdump of binutils 2.40 knows the aliases alone."""
_SELECTS = {"8": "csel", "9": "csinc", "a": "csinv", "b": "csneg"}


@dataclass(frozen=True)
class Instruction:
    """One instruction as objdump prints it.

    Attributes:
        address: Where it is.
        mnemonic: Without the width suffix (`.n`, `.w`).
        operands: The rest, without comments.
        previous: The mnemonic of the instruction before it in memory, empty for none.
    """

    address: int
    mnemonic: str
    operands: str
    previous: str = ""


def read_disassembly(text: str) -> dict[int, Instruction]:
    """The instructions of `objdump -d` by address; literals between them are left out."""
    found: dict[int, Instruction] = {}
    previous = ""
    for line in text.splitlines():
        unknown = _UNKNOWN.match(line)
        if unknown:
            address, mnemonic = int(unknown[1], 16), _name_of(unknown[2])
            found[address] = Instruction(address, mnemonic, f"0x{unknown[2]}", previous)
            previous = mnemonic
            continue
        match = _LINE.match(line)
        if not match:
            previous = ""  # a new function, a literal: nothing precedes what follows
            continue
        address, mnemonic = int(match[1], 16), without_width(match[2])
        found[address] = Instruction(address, mnemonic, match[3].strip(), previous)
        previous = mnemonic
    return found


def _name_of(code: str) -> str:
    """The mnemonic of what the disassembler does not know; `.inst` if neither does this."""
    select = _SELECT.match(code)
    return _SELECTS[select[1]] if select else ".inst"


def without_width(mnemonic: str) -> str:
    """`mnemonic` without the suffix that says how wide it is encoded."""
    return _WIDTH.sub("", mnemonic)
