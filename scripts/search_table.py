"""Real trials on a grid, for replays of a search: ResNet8 and DS-CNN, emulated Cortex-M4.

    python scripts/search_table.py FOLDER [--only dscnn] [--most 10] [--epochs 1]

FOLDER holds `ic_resnet8/` and `kws_dscnn/`. Each point is a build as `edgekit search` makes it,
judged on rows that nothing was fitted to, its latency estimated from the instructions of an
emulated Cortex-M4. Points that begin with the same passes share them. A line is written for each
point, and a point that has its line is not made again: the script may be stopped at any time.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from compression_figures import KWS, placed  # noqa: E402
from remove_figures import CASES  # noqa: E402

from edgekit.errors import EdgekitError  # noqa: E402

TABLE = ROOT / "scripts" / "data" / "search_trials.jsonl"
TARGET = "nucleo-l4r5zi"
GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "dscnn": {
        "remove.macs": ("off", 0.8, 0.6, 0.45, 0.3),
        "prune.sparsity": ("off", 0.5, 0.8),
        "cluster.clusters": ("off", 32, 16),
        "compile.optimize": ("size", "balanced", "speed"),
    },
    "resnet8": {
        "remove.macs": ("off", 0.8, 0.6, 0.4, 0.25),
        "prune.sparsity": ("off", 0.7),
        "cluster.clusters": ("off", 32, 16),
        "compile.optimize": ("size", "speed"),
    },
}
_KEPT = ("drop", "agreement", "flash", "ram", "bytes", "gzip", "macs", "instructions", "latency")
_RESNET = next(case for case in CASES if case.name == "resnet8-labels")
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "dscnn": (
        "kws_dscnn/kws_ref_model",
        KWS | {"training": ["kws_dscnn/kws01_even500.npz:x_int8,y[50:350]"]},
    ),
    "resnet8": (_RESNET.model, _RESNET.data),
}


def points(model: str) -> Iterator[dict[str, Any]]:
    """Its grid, the last dimension fastest: neighbours share their first passes."""
    grid = GRIDS[model]
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


class Bench:
    """Builds and measures the points of one model; what they share is made once."""

    def __init__(self, name: str, folder: Path, scratch: Path, epochs: int) -> None:
        from edgekit.progress import Progress
        from edgekit.project import from_mapping
        from edgekit.target.profile import load_profile
        from edgekit.work import Work

        path, data = MODELS[name]
        data = {key: placed(value, folder) for key, value in data.items()}
        tables = {
            "model": {"path": str(folder / path), "name": name},
            "data": data,
            "build": {"targets": [TARGET], "output": str(scratch / "built")},
            "fine_tune": {"epochs": epochs},
            "compress": [{"pass": "remove"}],  # rows are parted for passes, also without any
            "search": {"passes": ["remove", "prune", "cluster"]},
        }
        base = from_mapping(tables, "search_table")
        self._data = base.data
        self._base = dataclasses.replace(base, compress=())
        self._profile = load_profile(TARGET)
        self._work = Work(base, Path("/"), Progress(), resume=True)
        assert self._work.sets.split.training
        self._scratch = scratch

    def trial(self, choices: dict[str, Any]) -> dict[str, float]:
        """The figures of a point."""
        from edgekit.harness.api import bench_one
        from edgekit.pipeline import _build
        from edgekit.plan import make_plan
        from edgekit.search.objective import of_build, of_report
        from edgekit.search.space import recipe

        project = dataclasses.replace(recipe(self._base, choices), data=self._data)
        work = self._work
        work.project = project
        plan = make_plan(project, self._profile, work.source_format)
        build = _build(work, self._profile, plan, self._scratch / "built")
        figures = of_build(build)[0] | of_report(bench_one(build, "qemu", inferences=1))[0]
        return {key: float(f"{figures[key]:.6g}") for key in _KEPT}


def main() -> None:
    """Make what is not there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", choices=("", *MODELS), help="one of the models")
    parser.add_argument("--most", type=int, default=10**6, help="points to make at most")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--scratch", type=Path, help="folder for passes that points share")
    given = parser.parse_args()
    TABLE.parent.mkdir(exist_ok=True)
    lines = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    done = {json.dumps([one["model"], one["choices"]]) for one in map(json.loads, lines)}
    scratch = given.scratch or Path(tempfile.gettempdir()) / "edgekit-search-table"
    left = given.most
    for name in MODELS:
        todo = [point for point in points(name) if json.dumps([name, point]) not in done]
        if given.only not in ("", name) or not todo or not left:
            continue
        bench = Bench(name, given.folder.resolve(), scratch.resolve() / name, given.epochs)
        for choices in todo[:left]:
            try:
                row = {"model": name, "choices": choices, "figures": bench.trial(choices)}
            except EdgekitError as error:  # a point that is missing is one that cannot be built
                print(f"{choices}: {error.message}", file=sys.stderr, flush=True)
                continue
            with TABLE.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
        left -= min(left, len(todo))


if __name__ == "__main__":
    main()
