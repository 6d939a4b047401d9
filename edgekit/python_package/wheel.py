"""A wheel without a build: a zip of the files with their hashes, the same bytes each time.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence

_EPOCH = (1980, 1, 1, 0, 0, 0)
_WHEEL = "Wheel-Version: 1.0\nGenerator: edgekit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel_name(dist: str, version: str) -> str:
    """Of the file; `-` in the distribution's name is `_` there."""
    return f"{dist.replace('-', '_')}-{version}-py3-none-any.whl"


def wheel(
    dist: str,
    module: str,
    version: str,
    files: Mapping[str, bytes],
    metadata: Mapping[str, str | Sequence[str]],
    read_me: str,
) -> bytes:
    """The wheel of one module.

    Args:
        dist: Name of the distribution.
        module: Of the module.
        version: Of both.
        files: Of the module, by name.
        metadata: Lines of METADATA besides name and version, in order.
        read_me: The long description, Markdown.
    """
    info = f"{dist.replace('-', '_')}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {dist}", f"Version: {version}"]
    for key, value in metadata.items():
        values = [value] if isinstance(value, str) else value
        lines += [f"{key}: {each}" for each in values]
    lines += ["Description-Content-Type: text/markdown", "", read_me]
    content = {f"{module}/{name}": data for name, data in files.items()}
    content[f"{info}/METADATA"] = "\n".join(lines).encode("utf-8")
    content[f"{info}/WHEEL"] = _WHEEL.encode("ascii")
    script = f"[console_scripts]\n{dist} = {module}.__main__:main\n"
    content[f"{info}/entry_points.txt"] = script.encode("ascii")
    record = f"{info}/RECORD"
    rows = [f"{name},sha256={_hash(data)},{len(data)}" for name, data in content.items()]
    content[record] = ("\n".join([*rows, f"{record},,"]) + "\n").encode("utf-8")
    return _zip(content)


def _hash(data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _zip(content: Mapping[str, bytes]) -> bytes:
    """Stored, not deflated: compressors of other machines give other bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever this runs: its permissions follow
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
