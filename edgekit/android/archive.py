"""Zip archives with the same bytes whenever they are made, entries that are mapped aligned.

Nothing is compressed: what comes of that depends on the library, and an app is packed anew anyway.
Source of the extra field that aligns: apksig, ApkSigner's 0xd935, as zipalign leaves it alone.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

ALIGNMENT = 16
"""Of what is stored: buffers in a flatbuffer begin at multiples of it."""
_ALIGNING = 0xD935
_HEADER = 30  # of a local entry, before its name


def archive(entries: Mapping[str, bytes], aligned: str = "\0") -> bytes:
    """A zip archive of `entries` in the order of their names, all stored.

    Args:
        entries: Content by name.
        aligned: Suffix of the names whose content is aligned.
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as made:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name)  # of 1980
            info.external_attr, info.create_system = 0o644 << 16, 3
            if name.endswith(aligned):
                info.extra = _padding(whole.tell() + _HEADER + len(name.encode()))
            made.writestr(info, entries[name])
    return whole.getvalue()


def _padding(start: int) -> bytes:
    """An extra field after which content that would begin at `start` begins aligned."""
    least = 6
    size = least + (-(start + least)) % ALIGNMENT
    return struct.pack("<HHH", _ALIGNING, size - 4, ALIGNMENT) + bytes(size - least)
