"""What every name in a C project begins with: the model's, as C and CMake can have it."""

from __future__ import annotations

from edgekit.exporters.c_array import identifier

_OWN = ("main",)
_CMAKE = ("all", "clean", "help", "install", "package", "package_source", "test")
# <name.h> would find the model's header, which lies in a folder that compilers search first.
_HEADERS = (
    *("assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits"),
    *("locale", "math", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbool", "stddef"),
    *("stdint", "stdio", "stdlib", "stdnoreturn", "string", "strings", "tgmath", "threads", "time"),
    *("uchar", "wchar", "wctype", "alloca", "elf", "endian", "features", "link", "malloc"),
    *("arduino", "wire", "spi", "eeprom", "servo", "zephyr", "kernel", "freertos"),
    *("memory", "newlib", "poll", "pthread", "regex", "sched", "search", "semaphore", "unistd"),
)


def prefix_of(name: str) -> str:
    """A C identifier for any text; `_model` is added to what is taken.

    Taken are the names of the project's other files, of CMake's targets and of system headers.
    """
    prefix = identifier(name)
    taken = prefix.lower() in (*_OWN, *_CMAKE, *_HEADERS)
    return f"{prefix}_model" if taken else prefix
