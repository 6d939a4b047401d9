"""Programs for emulated Cortex-M cores: any C and C++ with a `main`, run by qemu-system-arm."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgekit.devices._cortex_m.gcc import Gcc
from edgekit.devices._cortex_m.machines import Machine, find_core
from edgekit.devices._cortex_m.qemu_system import QEMU, QUIET, SEMIHOSTING
from edgekit.devices._cortex_m.toolchain import HERE

RUNNER = """\
/* What main returns becomes the exit code of the emulator; say() writes to its standard output. */
#include <stdint.h>
int user_main(void);
int main(void);
void say(const char *text);

static void semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void say(const char *text)
{
    semihost(0x04, text);
}

int main(void)
{
    uint32_t block[2] = {0x20026, 0};
    block[1] = (uint32_t)user_main();
    semihost(0x20, block);
    return 0;
}
"""


def compiled(source: Path, core: str, into: Path, *flags: str) -> Path:
    """An object file; C++ by the suffix."""
    tool = "arm-none-eabi-g++" if source.suffix in (".cpp", ".cc") else "arm-none-eabi-gcc"
    command = [tool, *find_core(core).flags, "-ffunction-sections", "-fdata-sections", *flags]
    done = subprocess.run(
        [*command, "-c", str(source), "-o", str(into)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return into


def link_and_run(objects: Sequence[Path], core: str, folder: Path) -> tuple[int, str]:
    """Exit code and output of a program whose `main` is called `user_main` in the objects."""
    machine: Machine = find_core(core).machines[-1]
    runner = folder / "runner.c"
    runner.write_text(RUNNER)
    start = compiled(HERE / "startup.c", core, folder / "start.o", "-std=gnu11")
    entry = compiled(runner, core, folder / "runner.o", "-std=gnu11")
    local = [folder / f"{place}_{path.name}" for place, path in enumerate(objects)]
    for path, copy in zip(objects, local, strict=True):
        copy.write_bytes(path.read_bytes())
    Gcc().link([start, entry, *local], folder / "main.elf", find_core(core), machine)
    command = [QEMU, "-M", machine.name, *QUIET, *SEMIHOSTING, "-kernel", "main.elf"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def emulate(sources: Sequence[Path], core: str, folder: Path, *flags: str) -> int:
    """Exit code of a program of C files."""
    objects = [
        compiled(path, core, folder / f"{path.stem}.o", "-std=c99", "-Dmain=user_main", *flags)
        for path in sources
    ]
    return link_and_run(objects, core, folder)[0]
