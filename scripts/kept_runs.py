"""Runs of a measurement that takes hours, kept one by one; the scripts that measure call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Run = dict[str, Any]


def kept_runs(
    path: Path | None, key: str, names: Sequence[str], seeds: int, run: Callable[[str, int], Run]
) -> list[Run]:
    """All runs of the file, and those of `names` and seeds that it has not.

    Args:
        path: Of the file, one run a line, to which each is added when it ends; None: none.
        key: Under which a run has its name; its seed is under `seed`.
        names: What to run, in this order for each seed.
        seeds: So many, from 0.
        run: A name and a seed -> the run.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path and path.exists() else []
    runs = [json.loads(line) for line in lines]
    done = {(one[key], one["seed"]) for one in runs}
    for seed in range(seeds):
        for name in names:
            if (name, seed) in done:
                continue
            runs.append(run(name, seed))
            if path:
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(runs[-1]) + "\n")
    return runs
