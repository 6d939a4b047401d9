"""Names of columns: which quantity, in which unit.

A name is words: one says the quantity (`time`, `current`, `voltage`, `power`, `energy`, or their
letters t, i, v, p, e), the last may say the unit (`time_ms`, `Current(uA)`, `power [mW]`); without
one it is s, A, V, W or J.
"""

from __future__ import annotations

import re

UNITS = {"time": "s", "current": "a", "voltage": "v", "power": "w", "energy": "j"}
WORDS = {
    "time": ("time", "timestamp", "elapsed", "seconds", "t"),
    "current": ("current", "amps", "i"),
    "voltage": ("voltage", "volts", "vbus", "v"),
    "power": ("power", "watts", "p"),
    "energy": ("energy", "joules", "e"),
}
PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9}
OTHERS = {"time": {"min": 60.0, "h": 3600.0}, "energy": {"wh": 3600.0, "mwh": 3.6, "uwh": 3.6e-3}}
HINT = "name columns by quantity and unit: time_s, power_mw, current_ua and voltage_v, energy_uj"


def quantity(name: str) -> tuple[str, float, str] | None:
    """Of a column: its quantity, one of its units in SI units, and per what; None of others."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("µ", "u").replace("μ", "u"))
    per = words[words.index("per") + 1 :] if "per" in words else []
    words = words[: words.index("per")] if "per" in words else words
    for field, known in WORDS.items():
        letter = bool(words) and words[0] == known[-1] and len(words) <= 2
        if letter or any(word in known[:-1] for word in words):
            return field, scale(field, words[-1]), per[0] if per else ""
    return None


def scale(field: str, word: str) -> float:
    """A unit of a quantity in SI units; 1 where the word is no unit."""
    unit = UNITS[field]
    if word in OTHERS.get(field, {}):
        return OTHERS[field][word]
    return PREFIXES.get(word.removesuffix(unit), 1.0) if word.endswith(unit) else 1.0
