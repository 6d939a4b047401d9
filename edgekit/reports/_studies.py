"""A search as `edgekit search` left it: `search.json` of its folder, and `times.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from edgekit.errors import ModelError

FILE, TIMES, SCHEMA = "search.json", "times.json", 1
_COUNTED = ("bytes", "gzip", "macs", "parameters")
"""Figures of files, which a search calls measured."""


@dataclass(frozen=True)
class Trial:
    """One trial of a study.

    Attributes:
        number: In the study.
        state: `complete`, `pruned` by a stage or a limit, or `failed`.
        choices: What was chosen.
        figures: By the name of an objective or limit; of a pruned trial those known by then.
        how: How each figure was got.
        stage: That it ended in; empty where it went through all.
        reason: Why it was ruled out or failed.
        folder: Of the build; empty where it was not kept.
        feasible: Whether every limit is kept.
    """

    number: int
    state: Literal["complete", "pruned", "failed"]
    choices: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    how: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""
    reason: str = ""
    folder: str = ""
    feasible: bool = True


@dataclass(frozen=True)
class Study:
    """A search.

    Attributes:
        name: Unique.
        objectives: Name -> `minimize` or `maximize`.
        limits: In words.
        trials: By number.
        target: Its name.
        units: By the name of a figure.
        bounds: Limits as numbers, by the name of a figure.
        trials_s: That trials took; 0 where it is not known.
        engine_s: That it took to choose them and to keep what came of them.
    """

    name: str
    objectives: Mapping[str, str]
    limits: tuple[str, ...]
    trials: tuple[Trial, ...]
    target: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)
    trials_s: float = 0.0
    engine_s: float = 0.0


def read_study(path: Path, name: str) -> Study:
    """The study of a folder, or of its file.

    Raises:
        ModelError: The file is damaged, or of another edgekit.
    """
    file = path / FILE if path.is_dir() else path
    hint = "search again with --resume, which writes it anew"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["schema"] != SCHEMA:
            raise ModelError(f"{file}: schema {found['schema']}, this edgekit reads {SCHEMA}", hint)
        beside = file.with_name(TIMES)
        times = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        spent: dict[str, Any] = {
            key: float(times[key]) for key in ("trials_s", "engine_s") if key in times
        }
        return replace(_study(found, name), **spent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{file}: no search of edgekit ({type(error).__name__})", hint) from error


def _study(found: Mapping[str, Any], name: str) -> Study:
    from edgekit.search.objective import OBJECTIVES, shown

    words = {"lower": ("minimize", "at most"), "higher": ("maximize", "at least")}
    limits = [
        f"{key} {words[OBJECTIVES[key].better][1]} {shown(key, value)}"
        for key, value in found["limits"].items()
    ]
    front = {point["number"]: point for point in found["front"]}
    return Study(
        name,
        {key: words[OBJECTIVES[key].better][0] for key in found["objectives"]},
        tuple(limits),
        tuple(_trial(each, front.get(each["number"], {})) for each in found["trials"]),
        found["target"],
        {key: each.unit for key, each in OBJECTIVES.items()},
        found["limits"],
    )


def _trial(found: Mapping[str, Any], point: Mapping[str, Any]) -> Trial:
    figures, how = dict(found["figures"]), dict(found["how"])
    how |= {key: "counted" for key in _COUNTED if how.get(key) == "measured"}
    if judged := point.get("evaluation"):
        figures["on evaluation data"] = judged["built"]
    return Trial(
        found["number"],
        found["state"],
        dict(found["choices"]),
        figures,
        how,
        found["stage"],
        found["reason"],
        point.get("build", ""),
    )
