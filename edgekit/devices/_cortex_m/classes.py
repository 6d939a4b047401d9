"""Cycles of an instruction by its class, as Arm's Technical Reference Manuals give them.

Zero wait states are assumed. Sources: Cortex-M4 TRM 100166_0001 table 3-1 and 3.3.2 (load/store
timings); Cortex-M3 TRM DDI 0337 table 3-1; Cortex-M0 TRM DDI 0432C table 3-1; Cortex-M0+ TRM
DDI 0484C table 3-1 (both with the single-cycle multiplier).

Simplified: an IT block and each instruction in it count, executed or not; a division takes 6 cycles
(2 to 12 by its operands); a single load right behind another is pipelined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.devices._cortex_m.counts import Executed
from edgekit.devices._cortex_m.instructions import Instruction

_CONDITION = r"(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_LOAD = re.compile(rf"ldr(?:b|h|sb|sh|t|bt|ht|ex|exb|exh)?{_CONDITION}$")
_STORE = re.compile(rf"str(?:b|h|t|bt|ht|ex|exb|exh)?{_CONDITION}$")
_DOUBLE = re.compile(rf"(ldrd|strd){_CONDITION}$")
_MULTIPLE = re.compile(rf"(ldm|stm)(?:ia|db|fd|ea)?{_CONDITION}$|(push|pop){_CONDITION}$")
_DIRECT = re.compile(rf"b{_CONDITION}$|cbn?z$")
_INDIRECT = re.compile(rf"(bx|bl|blx){_CONDITION}$|bx(ns)?$|blx(ns)?$")
_TABLE = re.compile(r"tb[bh]$")
_FLOAT = re.compile(r"v[a-z]")


@dataclass(frozen=True)
class Timing:
    """Cycles of the classes that differ between cores.

    Attributes:
        load: A single load; `pipelined` behind another one.
        pipelined: See `load`.
        store: A single store.
        refill: What a taken branch adds to its one cycle.
        call: BL, in full.
        indirect: BX and BLX, in full.
        pop_pc: What a return by POP or LDM adds to 1 + registers.
        accumulate: MLA and MLS.
        long_multiply: SMULL, UMULL.
        long_accumulate: SMLAL, UMLAL and the like.
    """

    load: int = 2
    pipelined: int = 1
    store: int = 1
    refill: int = 2
    call: int = 3
    indirect: int = 3
    pop_pc: int = 2
    accumulate: int = 1
    long_multiply: int = 1
    long_accumulate: int = 1


DIVIDE = 6
M4 = Timing()
M3 = Timing(accumulate=2, long_multiply=4, long_accumulate=6)
M0 = Timing(pipelined=2, store=2, call=4, pop_pc=3)
M0PLUS = Timing(pipelined=2, store=2, refill=1, indirect=2, pop_pc=2)


def cycles(instruction: Instruction, executed: Executed, timing: Timing) -> int:
    """Cycles of all executions of one instruction."""
    base, taken = _each(instruction, timing)
    return base * executed.count + taken * executed.taken


def registers(operands: str) -> int:
    """How many registers a list like `{r4-r7, lr}` names."""
    listed = re.search(r"\{([^}]*)\}", operands)
    count = 0
    for part in (listed[1] if listed else "").split(","):
        ends = [int(number) for number in re.findall(r"[rsd](\d+)", part)]
        count += ends[1] - ends[0] + 1 if len(ends) == 2 else 1
    return count


def _each(one: Instruction, timing: Timing) -> tuple[int, int]:
    """Cycles of each execution, and those that each taken branch adds."""
    name = one.mnemonic
    if _DIRECT.match(name):
        return 1, timing.refill
    if name == "bl":
        return timing.call, 0
    if _INDIRECT.match(name):
        return 1, timing.indirect - 1
    if _TABLE.match(name):
        return 2, timing.refill
    if _LOAD.match(name):
        load = timing.pipelined if _LOAD.match(one.previous) else timing.load
        return load, timing.refill if one.operands.startswith("pc") else 0
    if _STORE.match(name):
        return timing.store, 0
    if _DOUBLE.match(name):
        return 3, 0
    if _MULTIPLE.match(name):
        return 1 + registers(one.operands), timing.pop_pc if "pc" in one.operands else 0
    if _FLOAT.match(name):
        return _float(one), 0
    return _arithmetic(name, timing), 0


def _arithmetic(name: str, timing: Timing) -> int:
    if re.match(r"[us]div", name):
        return DIVIDE
    if re.match(r"(mla|mls)", name):
        return timing.accumulate
    if re.match(r"[us]mull", name):
        return timing.long_multiply
    if re.match(r"([us]mlal|umaal|smlsld)", name):
        return timing.long_accumulate
    return 1


def _float(one: Instruction) -> int:
    """Cortex-M4 TRM table 7-1 (FPv4-SP), but for multiply-accumulate.

    The table says 3 cycles for it. With 3, the one float network among the measured ones comes out
    41 % too slow, with 1 it is 5 % off (see `estimate`): compilers hide the latency.
    """
    stem = one.mnemonic.split(".")[0]
    if stem.startswith(("vldm", "vpush", "vpop", "vstm")):
        words = registers(one.operands) * (2 if "{d" in one.operands else 1)
        return 1 + words
    if stem.startswith(("vldr", "vstr")):
        return 3 if one.operands.startswith("d") else 2
    if stem.startswith(("vdiv", "vsqrt")):
        return 14
    return 2 if stem == "vmov" and one.operands.count(",") == 2 else 1
