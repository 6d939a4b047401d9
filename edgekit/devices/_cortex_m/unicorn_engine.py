"""The unicorn engine, which comes by pip: a Cortex-M without its peripherals.

It counts as the plugin of QEMU does (see plugin.c), block by block.
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from edgekit.devices._cortex_m.counts import Counts, Executed
from edgekit.devices._cortex_m.elf import read_elf
from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.devices._cortex_m.zig import require
from edgekit.errors import DeviceError

MODELS = {
    "cortex-m0": "M0",
    "cortex-m0plus": "M0",
    "cortex-m3": "M3",
    "cortex-m4": "M4",
    "cortex-m7": "M7",
    "cortex-m33": "M33",
}
SYSTEM = 0xE000E000
"""Where the registers of the system are: plain memory here; unicorn has floating point on."""

_WRITE0, _EXIT = 0x04, 0x20
_Block = tuple[int, int, int]


class Unicorn:
    """See `emulator.Emulator`."""

    name = "unicorn"
    cores: Collection[str] = tuple(MODELS)

    def count(
        self, firmware: Path, core: Core, machine: Machine, markers: Sequence[int], timeout: float
    ) -> tuple[str, Counts]:
        """Run `firmware` until it ends."""
        run = _Run(firmware, core, machine, markers)
        run.start(timeout)
        return "".join(run.said), run.blocks.counts()

    def version(self) -> str:
        """Name and version."""
        from importlib.metadata import version

        return f"unicorn {version('unicorn')}"


class _Blocks:
    """Counts blocks of instructions by layer."""

    def __init__(self, markers: Sequence[int], lengths: _Lengths) -> None:
        self._markers = {address: index for index, address in enumerate(markers)}
        self._lengths = lengths
        self._active = False
        self._bucket = self._total = 0
        self._totals: list[int] = []
        self._entered: Counter[_Block] = Counter()
        self._fell: Counter[_Block] = Counter()
        self._last: _Block | None = None

    def enter(self, address: int, size: int) -> None:
        """A block begins at `address`."""
        last = self._last
        if last is not None and last[1] + last[2] == address:
            self._fell[last] += 1
        self._last = None
        if address in self._markers:
            self._pass(self._markers[address])
        if not self._active:
            return
        self._total += len(self._lengths.of(address, size))
        if not self._totals:
            self._last = (self._bucket, address, size)
            self._entered[self._last] += 1

    def counts(self) -> Counts:
        """All of it."""
        count: dict[int, Counter[int]] = defaultdict(Counter)
        taken: dict[int, Counter[int]] = defaultdict(Counter)
        for block, times in self._entered.items():
            bucket, address, size = block
            addresses = self._lengths.of(address, size)
            for pc in addresses:
                count[bucket][pc] += times
            taken[bucket][addresses[-1]] += times - self._fell[block]
        at = {
            bucket: {pc: Executed(times, taken[bucket][pc]) for pc, times in sorted(found.items())}
            for bucket, found in sorted(count.items())
        }
        return Counts(tuple(self._totals), at)

    def _pass(self, index: int) -> None:
        if index == 0 and not self._active:
            self._active, self._total, self._bucket = True, 0, 0
        elif index == 1 and self._active:
            self._active = False
            self._totals.append(self._total)
        elif index > 1:
            self._bucket = index - 1


class _Lengths:
    """Addresses of the instructions of a block."""

    def __init__(self, loads: Sequence[tuple[int, bytes]]) -> None:
        self._loads = loads
        self._known: dict[tuple[int, int], list[int]] = {}

    def of(self, address: int, size: int) -> list[int]:
        """A halfword that begins with 11101, 11110 or 11111 is the first of two (Armv7-M, A5.1)."""
        key = (address, size)
        if key not in self._known:
            found, at = [], address
            while at < address + size:
                found.append(at)
                at += 4 if self._halfword(at) >> 11 >= 0b11101 else 2
            self._known[key] = found
        return self._known[key]

    def _halfword(self, address: int) -> int:
        for start, content in self._loads:
            if start <= address < start + len(content):
                return int(struct.unpack_from("<H", content, address - start)[0])
        raise DeviceError(f"code at 0x{address:08x}, where none was loaded", "report this")


class _Run:
    """One run of a firmware."""

    def __init__(
        self, firmware: Path, core: Core, machine: Machine, markers: Sequence[int]
    ) -> None:
        self._unicorn: Any = require("unicorn")
        self._arm: Any = require("unicorn.arm_const")
        image = read_elf(firmware)
        self.said: list[str] = []
        self.blocks = _Blocks(markers, _Lengths(image.loads))
        self._ended = False
        mode = self._unicorn.UC_MODE_THUMB | self._unicorn.UC_MODE_MCLASS
        self._engine = self._unicorn.Uc(self._unicorn.UC_ARCH_ARM, mode)
        self._engine.ctl_set_cpu_model(getattr(self._arm, f"UC_CPU_ARM_CORTEX_{MODELS[core.name]}"))
        for memory in (machine.code, machine.ram):
            self._engine.mem_map(memory.origin, memory.length)
        self._engine.mem_map(SYSTEM, 0x1000)
        for address, content in image.loads:
            self._engine.mem_write(address, content)
        self._vectors = struct.unpack("<II", bytes(self._engine.mem_read(machine.code.origin, 8)))

    def start(self, timeout: float) -> None:
        """From reset to the end."""
        stack, reset = self._vectors
        engine, unicorn = self._engine, self._unicorn
        engine.hook_add(unicorn.UC_HOOK_BLOCK, lambda _, at, size, __: self.blocks.enter(at, size))
        engine.hook_add(unicorn.UC_HOOK_INTR, lambda *_: self._interrupt())
        engine.reg_write(self._arm.UC_ARM_REG_SP, stack)
        try:
            engine.emu_start(reset | 1, 0, timeout=int(timeout * 1e6))
        except unicorn.UcError:
            self._fault()
        if not self._ended:
            raise DeviceError(
                f"the emulated firmware took longer than {timeout:g} s and was stopped",
                "try again when the machine is less busy, or with fewer --inferences",
            )

    def _interrupt(self) -> None:
        """Semihosting; anything else is a fault."""
        operation = self._register("R0")
        if operation == _WRITE0:
            self.said.append(self._text(self._register("R1")))
            self._engine.reg_write(self._arm.UC_ARM_REG_PC, (self._register("PC") + 2) | 1)
        elif operation == _EXIT:
            self._end()
        else:
            self._fault()

    def _text(self, address: int) -> str:
        found = bytearray()
        while byte := self._engine.mem_read(address + len(found), 1)[0]:
            found.append(byte)
        return found.decode("ascii", errors="replace")

    def _register(self, name: str) -> int:
        return int(self._engine.reg_read(getattr(self._arm, f"UC_ARM_REG_{name}")))

    def _fault(self) -> None:
        self.said.append(f"\nfault {self._register('PC')} 0\n")
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._engine.emu_stop()
