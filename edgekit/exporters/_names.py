"""Legal, stable identifiers for any text, in the spelling that each language expects.

Text that has characters no identifier can hold gets a few digits of its hash, so that two such
models do not share a name.
"""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from collections.abc import Collection

_DIGITS = 6
_FALLBACK = "model"


def reserved(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


JAVA = reserved(
    """abstract assert boolean break byte case catch char class const continue default do double
    else enum extends final finally float for goto if implements import instanceof int interface
    long native new package private protected public record return short static strictfp super
    switch synchronized this throw throws transient try void volatile while true false null var
    yield sealed permits non_sealed"""
)
"""Java Language Specification 21, section 3.9; Kotlin's hard keywords that differ are below."""
KOTLIN = reserved("as fun in is object typealias typeof val when")
"""https://kotlinlang.org/docs/keyword-reference.html, hard keywords."""
JAVASCRIPT = reserved(
    """await break case catch class const continue debugger default delete do else enum export
    extends false finally for function if implements import in instanceof interface let new null
    package private protected public return static super switch this throw true try typeof var
    void while with yield arguments eval"""
)
"""ECMAScript 2025, section 12.7.2."""
SWIFT = reserved(
    """associatedtype class deinit enum extension fileprivate func import init inout internal let
    open operator private precedencegroup protocol public rethrows static struct subscript
    typealias var break case catch continue default defer do else fallthrough for guard if in
    repeat return throw switch where while any as await false is nil self super true try
    type swift foundation"""
)
"""The Swift Programming Language, Lexical Structure; and modules that every file imports."""
PYTHON = frozenset(word.lower() for word in (*keyword.kwlist, *keyword.softkwlist)) | {"numpy"}
"""The Python Language Reference, section 2.3.1; and what the package imports."""


def snake(name: str, reserved: Collection[str] = ()) -> str:
    """`my_model`, for modules, packages and C."""
    return _free("_".join(word.lower() for word in _words(name)), reserved, "_")


def kebab(name: str, reserved: Collection[str] = ()) -> str:
    """`my-model`, for packages of npm and the Python index."""
    return _free("-".join(word.lower() for word in _words(name)), reserved, "-")


def pascal(name: str) -> str:
    """`MyModel`, for types; no language reserves a word that begins with a capital but Swift."""
    joined = "".join(word[:1].upper() + word[1:] for word in _words(name))
    return f"{joined}Model" if joined in ("Any", "Self", "Type", "Protocol") else joined


def camel(name: str, reserved: Collection[str] = ()) -> str:
    """`myModel`, for functions and values."""
    first, *rest = _words(name)
    joined = first.lower() + "".join(word[:1].upper() + word[1:] for word in rest)
    return _free(joined, reserved, "")


def ascii_words(text: str) -> list[str]:
    """The runs of ASCII letters and digits of a text; accents are left off, `ß` is `ss`.

    Where other characters than separators had to go, digits of the text's hash come last.
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = re.findall("[A-Za-z0-9]+", plain)
    if any(ord(char) > 127 and char.isalnum() for char in plain):
        words = words or [_FALLBACK]
        words.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS])
    return words


def _words(name: str) -> list[str]:
    words = ascii_words(name)
    if not words or not words[0][0].isalpha():
        words.insert(0, _FALLBACK)
    return words


def _free(name: str, reserved: Collection[str], joint: str) -> str:
    taken = name.lower() in reserved
    return f"{name}{joint}{_FALLBACK if joint else _FALLBACK.capitalize()}" if taken else name
