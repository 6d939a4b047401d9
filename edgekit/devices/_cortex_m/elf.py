"""Reading a 32-bit little-endian ELF file: symbols, sizes, what is loaded, where code is.

Source: Tool Interface Standard, ELF specification 1.2; mapping symbols: ELF for the Arm
Architecture (AAELF32) 5.5.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_WRITE, _ALLOC, _EXECUTE = 1, 2, 4
_SYMTAB, _NOBITS, _FILE_SECTION = 2, 8, 0xFFF1


@dataclass(frozen=True)
class Symbol:
    """A function or object of a firmware: address (no Thumb bit) and size in bytes."""

    address: int
    size: int


@dataclass(frozen=True)
class Sizes:
    """Of a linked firmware, in bytes: text and constants and initial data; data and bss."""

    flash: int
    ram: int


@dataclass(frozen=True)
class Elf:
    """A linked firmware.

    Attributes:
        symbols: Functions and objects by name.
        sizes: As `size` of the Arm GNU toolchain counts them.
        loads: Address and content of what has to be in memory at the start.
        code: Address and content of stretches that are Thumb code, without literals.
    """

    symbols: dict[str, Symbol]
    sizes: Sizes
    loads: tuple[tuple[int, bytes], ...]
    code: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True)
class _Section:
    kind: int
    flags: int
    address: int
    content: bytes
    size: int
    link: int


def read_elf(path: Path) -> Elf:
    """Read what a linker wrote."""
    data = path.read_bytes()
    sections = list(_sections(data))
    found = list(_symbols(sections))
    named = {
        name: Symbol(value & ~1, size)
        for name, value, size, section in found
        if name and not name.startswith("$") and section != 0
    }
    marks = [(value, name, section) for name, value, _, section in found if name.startswith("$")]
    return Elf(named, _sizes(sections), tuple(_loads(data)), tuple(_code(sections, marks)))


def _sections(data: bytes) -> Iterator[_Section]:
    offset = struct.unpack_from("<I", data, 32)[0]
    size, count = struct.unpack_from("<HH", data, 46)
    for index in range(count):
        _, kind, flags, address, at, length, link = struct.unpack_from(
            "<7I", data, offset + index * size
        )
        content = b"" if kind == _NOBITS else data[at : at + length]
        yield _Section(kind, flags, address, content, length, link)


def _symbols(sections: list[_Section]) -> Iterator[tuple[str, int, int, int]]:
    """Name, value, size and section of each symbol."""
    for table in (section for section in sections if section.kind == _SYMTAB):
        names = sections[table.link].content
        for name, value, size, _, _, section in struct.iter_unpack("<IIIBBH", table.content):
            yield names[name : names.index(0, name)].decode(), value, size, section


def _sizes(sections: list[_Section]) -> Sizes:
    kept = [section for section in sections if section.flags & _ALLOC]
    constant = sum(section.size for section in kept if not section.flags & _WRITE)
    written = [section for section in kept if section.flags & _WRITE]
    data = sum(section.size for section in written if section.kind != _NOBITS)
    return Sizes(constant + data, sum(section.size for section in written))


def _loads(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = struct.unpack_from("<I", data, 28)[0]
    size, count = struct.unpack_from("<HH", data, 42)
    for index in range(count):
        kind, at, _, physical, length = struct.unpack_from("<5I", data, offset + index * size)
        if kind == 1 and length:
            yield physical, data[at : at + length]


def _code(
    sections: list[_Section], marks: list[tuple[int, str, int]]
) -> Iterator[tuple[int, bytes]]:
    for index, section in enumerate(sections):
        if not section.flags & _EXECUTE:
            continue
        inside = sorted((value & ~1, name) for value, name, where in marks if where == index)
        ends = [*(value for value, _ in inside[1:]), section.address + section.size]
        for (start, name), end in zip(inside, ends, strict=True):
            if name.startswith("$t") and end > start:
                yield start, section.content[start - section.address : end - section.address]
