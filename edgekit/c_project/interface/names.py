"""Names of the classes as C strings."""

from __future__ import annotations

from collections.abc import Sequence


def name_lines(prefix: str, names: Sequence[str]) -> tuple[str, str]:
    """Declaration and definition; empty where no names are known."""
    if not names:
        return "", ""
    upper = prefix.upper()
    head = (
        f"\n/* Names of the classes, in the order of the scores, in UTF-8. */\n"
        f"#define {upper}_LABELS {len(names)}\n"
        f"extern const char *const {prefix}_labels[{upper}_LABELS];\n"
    )
    rows = "\n".join(f'    "{escaped(name)}",' for name in names)
    return head, f"\nconst char *const {prefix}_labels[{upper}_LABELS] = {{\n{rows}\n}};\n"


def escaped(text: str) -> str:
    """For a C string: UTF-8, in octal where it is no plain ASCII (`?` could begin a trigraph)."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode("utf-8")
    )
