"""A real search of a few trials, beside what the table of real trials says there is to be found.

    python scripts/search_live.py FOLDER [--model dscnn] [--trials 12] [--seed 0]

FOLDER holds `ic_resnet8/` and `kws_dscnn/`. Space, epochs and limits are those of the replays
(`scripts/search_table.py`, `scripts/search_figures.py`); here every trial is built, trained and run
on the emulated Cortex-M4. A search judges on rows that it holds out, the table on others, so a
point may lose more or less here than there. Said at the end: the lowest latency found, the lowest
of the table and of as many random rows of it, and what the engine took.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from compression_figures import placed  # noqa: E402
from search_figures import TABLE, Replay, replays  # noqa: E402
from search_table import GRIDS, MODELS, TARGET  # noqa: E402

SEEDS = 20
ROWS: dict[str, tuple[dict[str, Any], float]] = {
    "dscnn": ({"training": ["kws_dscnn/kws01_even500.npz:x_int8,y[50:]"]}, 0.33),
    "resnet8": ({}, 0.2),
}
"""Other data than the table's, and the share held out: about as many rows train and judge."""


def tables(replay: Replay, folder: Path, trials: int, seed: int, epochs: int) -> dict[str, Any]:
    """The project file of the search."""
    path, data = MODELS[replay.model]
    more, held_out = ROWS[replay.model]
    data = {key: value for key, value in (data | more).items() if key != "evaluation"}
    space: dict[str, dict[str, Any]] = {}
    for name, values in GRIDS[replay.model].items():
        table, _, key = name.partition(".")
        space.setdefault(table, {})[key] = list(values)
    return {
        "model": {"path": str(folder / path), "name": replay.model},
        "data": {key: placed(value, folder) for key, value in data.items()},
        "build": {"targets": [TARGET], "seed": seed},
        "fine_tune": {"epochs": epochs},
        "search": {
            "objectives": ["latency"],
            "max_drop": f"{replay.drop:g}%",
            "max_flash": f"{replay.flash:.0f}",
            "passes": ["remove", "prune", "cluster"],
            "trials": trials,
            "held_out": held_out,
            "space": space,
        },
    }


def searched(project: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `edgekit search` writes: the report and the times."""
    from edgekit.cli._progress import PlainProgress
    from edgekit.errors import BudgetError
    from edgekit.project import from_mapping
    from edgekit.search.api import search_one
    from edgekit.search.found import FILE, TIMES

    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        with contextlib.suppress(BudgetError):  # the report says that there was nothing
            search_one(from_mapping(project, "search_live"), output="o", progress=PlainProgress())
        found = [json.loads(Path("o", each).read_text(encoding="utf-8")) for each in (FILE, TIMES)]
    return found[0], found[1]


def main() -> None:
    """Search, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="dscnn", choices=tuple(MODELS))
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=1, help="as the table was made with")
    given = parser.parse_args()
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    replay = next(each for each in replays(lines) if each.model == given.model)
    folder = Path(os.path.abspath(given.folder))
    project = tables(replay, folder, given.trials, given.seed, given.epochs)
    report, times = searched(project)
    for each in report["trials"]:
        print(each["number"], each["choices"], each["figures"].get("latency"), each["reason"])
    latencies = [
        each["figures"]["latency"] for each in report["trials"] if each["state"] == "complete"
    ]
    chance = [replay.best("random", seed, given.trials)[-1] for seed in range(SEEDS)]
    every = replay.best("random", 0, len(replay.rows))[-1]
    share = 100 * times["engine_s"] / (times["trials_s"] + times["engine_s"])
    print(f"lowest latency of {times['trials']} trials: {min(latencies, default=None)} ms")
    print(f"of all {len(replay.rows)} points of the table: {every} ms")
    print(f"of as many random ones: {statistics.median(chance)} ms (median of {SEEDS})")
    print(f"{times['trials_s']} s of trials, {times['engine_s']} s engine ({share:.2g} %)")


if __name__ == "__main__":
    main()
