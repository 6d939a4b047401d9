"""The model of instruction classes: single instructions, and firmware that is counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_project import write_toy

from edgekit.devices._cortex_m.classes import M0, M0PLUS, M3, M4, Timing, cycles, registers
from edgekit.devices._cortex_m.counts import Executed
from edgekit.devices._cortex_m.estimate import MODELS, source
from edgekit.devices._cortex_m.instructions import Instruction, read_disassembly
from edgekit.devices.qemu import measure

# What 10 executions take, 4 of them branching away: Cortex-M4 TRM 100166, table 3-1.
ON_M4 = {
    "adds r0, r1, r2": 10,
    "smlad r0, r1, r2, r3": 10,
    "smull r0, r1, r2, r3": 10,
    "it eq": 10,
    "ldr r0, [r1, #4]": 20,
    "ldrsb r0, [r1, r2]": 20,
    "ldrhcs r0, [r1]": 20,
    "ldrd r0, r1, [r2]": 30,
    "ldmia r0!, {r1, r2, r3, r4}": 50,
    "ldmia r0!, {r4-r11}": 90,
    "pop {r4, r5, r6}": 40,
    "str r0, [r1]": 10,
    "strb r0, [r1], #1": 10,
    "strd r0, r1, [r2]": 30,
    "push {r4-r7, lr}": 60,
    "bne 100 <x>": 10 + 2 * 4,
    "b 100 <x>": 10 + 2 * 4,
    "cbz r0, 100 <x>": 10 + 2 * 4,
    "blt 100 <x>": 10 + 2 * 4,
    "bls 100 <x>": 10 + 2 * 4,
    "bl 100 <x>": 30,
    "bx lr": 10 + 2 * 4,
    "pop {r4, pc}": 30 + 2 * 4,
    "tbb [pc, r0]": 20 + 2 * 4,
    "bic r0, r1, r2": 10,
    "bfi r0, r1, #2, #3": 10,
    "udiv r0, r1, r2": 60,
    "sdiv r0, r1, r2": 60,
    "vldr s0, [r1]": 20,
    "vldr d0, [r1]": 30,
    "vldmia r0!, {s0-s3}": 50,
    "vpush {d8-d9}": 50,
    "vfma.f32 s0, s1, s2": 10,
    "vdiv.f32 s0, s1, s2": 140,
    "vmov r0, s1": 10,
    "vmov r0, r1, d1": 20,
}
ELSEWHERE = [
    (M0, "ldr r0, [r1]", 20),
    (M0, "str r0, [r1]", 20),
    (M0, "muls r0, r1", 10),
    (M0, "bne 100 <x>", 10 + 2 * 4),
    (M0, "bl 100 <x>", 40),
    (M0, "pop {r4, pc}", 30 + 3 * 4),
    (M0PLUS, "bne 100 <x>", 10 + 4),
    (M0PLUS, "bl 100 <x>", 30),
    (M0PLUS, "bx lr", 10 + 4),
    (M3, "mla r0, r1, r2, r3", 20),
    (M3, "smull r0, r1, r2, r3", 40),
    (M3, "smlal r0, r1, r2, r3", 60),
]


def ten(text: str, timing: Timing = M4, previous: str = "") -> int:
    mnemonic, _, operands = text.partition(" ")
    return cycles(Instruction(0, mnemonic, operands, previous), Executed(10, 4), timing)


@pytest.mark.parametrize("text", ON_M4)
def test_instruction_on_cortex_m4(text: str) -> None:
    assert ten(text) == ON_M4[text]


@pytest.mark.parametrize(("timing", "text", "expected"), ELSEWHERE)
def test_instruction_on_other_cores(timing: Timing, text: str, expected: int) -> None:
    assert ten(text, timing) == expected


def test_load_behind_a_load_is_pipelined() -> None:
    assert ten("ldr r0, [r1]", previous="ldrb") == 10
    assert ten("ldr r0, [r1]", previous="ldrd") == 20
    assert ten("ldr r0, [r1]", M0, previous="ldr") == 20


def test_registers_of_a_list() -> None:
    assert [registers(text) for text in ("{r4}", "r0!, {r1, r4-r7, lr}", "{s0-s15}")] == [1, 6, 16]


DISASSEMBLY = """
x.elf:     file format elf32-littlearm

00000100 <f>:
     100:\tldr.w\tr3, [pc, #8]\t; 10c <f+0xc>
     104:\tbne.n\t100 <f>
     106:\tbx\tlr
     108:\t.word\t0x12345678

0000010c <g>:
     10c:\tnop
"""


def test_disassembly_is_read_without_literals() -> None:
    found = read_disassembly(DISASSEMBLY)
    assert [(one.mnemonic, one.operands, one.previous) for one in found.values()] == [
        ("ldr", "r3, [pc, #8]", ""),
        ("bne", "100 <f>", "ldr"),
        ("bx", "lr", "bne"),
        ("nop", "", ""),
    ]
    assert list(found) == [0x100, 0x104, 0x106, 0x10C]


def test_selects_that_the_disassembler_does_not_know_have_a_name() -> None:
    """Binutils 2.40 knows but the aliases of these, and compilers make them for Cortex-M55."""
    text = "00000bfa <g>:\n     bfa:\t\t\t@ <UNDEFINED> instruction: 0xea52b2a2\n"
    text += "     bfe:\tcmp\tr1, r2\n     c00:\t\t\t@ <UNDEFINED> instruction: 0xea509000\n"
    found = read_disassembly(text)
    assert [(one.mnemonic, one.previous) for one in found.values()] == [
        ("csneg", ""),
        ("cmp", "csneg"),
        ("csinc", "cmp"),
    ]


def asm(*lines: str) -> str:
    """A first layer that is nothing but these instructions."""
    body = "".join(f'        "{line}\\n"\n' for line in lines)
    return (
        "static __attribute__((naked, noinline)) void toy_layer_00_fully_connected(int8_t *arena)\n"
        f"{{\n    (void)arena;\n    __asm volatile(\n{body}    );\n}}\n"
    )


# A loop of 1000 rounds: MOV 1, then each round the body, SUBS 1, BNE 3 but for the last one: 1,
# and BX 3. Figures: instructions of the body, its cycles.
LOOPS: dict[str, tuple[list[str], int, int]] = {
    "nothing": ([], 0, 0),
    "arithmetic": (["add r1, r2, r3", "smlad r1, r2, r3, r1", "mul r1, r2, r3"], 3, 3),
    "loads in a row": (["ldr r1, [r0]", "ldrb r2, [r0]", "ldrsh r3, [r0]"], 3, 2 + 1 + 1),
    "loads apart": (["ldr r1, [r0]", "nop", "ldr r2, [r0]", "nop"], 4, 2 + 1 + 2 + 1),
    "double and multiple": (["ldrd r1, r2, [r0]", "ldm r0, {r1, r2, r3}"], 2, 3 + 4),
    "stack": (["push {r4, r5}", "pop {r4, r5}"], 2, 3 + 3),
    "store": (["strb r1, [r0, #20]", "str r1, [r0, #20]"], 2, 1 + 1),
    "division": (["mov r1, #77", "mov r2, #5", "udiv r1, r1, r2"], 3, 1 + 1 + 6),
    "branch taken": (["b 2f", "nop", "2:"], 1, 3),
    "branch not taken": (["cmp r0, #0", "beq 2f", "2:"], 2, 1 + 1),
    "call": (["mov r3, lr", "bl 3f", "mov lr, r3"], 4, 1 + 3 + 3 + 1),
    "block that is skipped": (["cmp r0, #0", "itt eq", "moveq r1, #1", "moveq r2, #1"], 4, 4),
}


@pytest.mark.usefixtures("qemu")
@pytest.mark.parametrize("name", LOOPS)
def test_loop_counted_by_hand(tmp_path: Path, name: str) -> None:
    body, instructions, spent = LOOPS[name]
    loop = asm("mov ip, #1000", "1:", *body, "subs ip, ip, #1", "bne 1b", "bx lr", "3: bx lr")
    found = measure(tmp_path, write_toy(tmp_path, first=loop))
    assert found.layers[0].instructions == 1 + 1000 * (instructions + 2) + 1
    by_hand = 1 + 1000 * (spent + 1) + 3 * 999 + 1 + 3
    assert found.layers[0].cycles == round(1.19 * by_hand)


# Helium and low-overhead loops: 100 bytes are 7 rounds of 16 (the last one of 4).
HELIUM: dict[str, tuple[list[str], int]] = {
    "tail-predicated": (
        [
            *("mov r1, #100", "dlstp.8 lr, r1"),
            *("1:", "vldrb.8 q0, [r0]", "vmladava.s8 r12, q0, q0", "letp lr, 1b"),
        ],
        2 + 7 * 3,
    ),
    "low-overhead": (["mov r1, #50", "dls lr, r1", "1:", "nop", "le lr, 1b"], 2 + 50 * 2),
}


@pytest.mark.usefixtures("qemu")
@pytest.mark.parametrize(("body", "instructions"), HELIUM.values(), ids=HELIUM.keys())
def test_loop_of_helium_counted_by_hand(tmp_path: Path, body: list[str], instructions: int) -> None:
    loop = asm("push {r7, lr}", *body, "pop {r7, pc}")
    found = measure(tmp_path, write_toy(tmp_path, first=loop), "cortex-m55")
    assert found.layers[0].instructions == instructions + 2


def test_estimate_says_how_far_it_goes() -> None:
    assert "fitted on STM32L4R5ZI" in source("cortex-m4", "nucleo-l4r5zi")
    assert "another chip" not in source("cortex-m4", "nucleo-l4r5zi")
    assert "another chip" in source("cortex-m4", "nrf52840-dk")
    assert "uncalibrated" in source("cortex-m55", None)
    assert MODELS["cortex-m55"].factor is None
