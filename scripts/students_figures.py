"""What students of the zoo learn of MNIST without labels, and ResNet8 with depthwise layers.

    python scripts/students_figures.py FOLDER [--only cnn4] [--seeds 3] [--epochs 20] [--json FILE]
    python scripts/students_figures.py FOLDER --json FILE --write

FOLDER holds `mnist_keras3/` and `ic_resnet8/`. Students have random weights of the seed and learn
from the CNN's scores alone, as in `distill_figures.py`: the same digits, judged on the same others.
ResNet8 has its convolutions replaced by `depthwise_separable`, with labels and without, from 1,900
pictures, judged on 500 others. All is built in int8 for a Cortex-M4. Prints two tables in Markdown.
With --json runs are kept in a file, and those that are there are not run again; --write runs
nothing and puts their tables into the README.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from compression_figures import PICTURES, placed, resnet  # noqa: E402
from distill_figures import TARGET, taught, told  # noqa: E402
from kept_runs import kept_runs  # noqa: E402
from over_seeds import drops, interval, mean  # noqa: E402
from readme_figures import write  # noqa: E402

BEGIN, END = "<!-- measured: students figures -->\n", "<!-- end of students figures -->"
STUDENTS = (
    "zoo:cnn4/channels=12",
    "zoo:mobilenet_v1/width=0.35/stages=3",
    "zoo:resnet8/width=0.45/stem_stride=2",
    "zoo:ds_cnn/channels=20/blocks=3/stem_height=5/stem_width=5",
)
REPLACED = ("depthwise_separable", "depthwise_separable:macs=0.33")
_COST = "parameters | MACs, share of the {} | `.tflite`, bytes | s |"
_LOSS = "points below the {} (seeds) | 95 % interval | agreement % |"
Figures = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A line of a table: what `--only` looks for, and what makes its figures."""

    name: str
    run: Callable[[Path, Path, int, int], Figures]


def distilled(spec: str) -> Row:
    """A student of the zoo."""

    def run(folder: Path, scratch: Path, seed: int, epochs: int) -> Figures:
        chain = f"distill:student={spec}"
        return taught(folder, scratch, chain, "", seed, {"epochs": epochs})

    return Row(f"`{spec}`", run)


def replaced(chain: str, labels: str) -> Row:
    """ResNet8 after a pass."""

    def run(folder: Path, scratch: Path, seed: int, epochs: int) -> Figures:
        import edgekit

        options = {key: placed(value, folder) for key, value in resnet(labels).items()}
        began = time.monotonic()
        built = edgekit.build(
            folder / "ic_resnet8/pretrainedResnet.h5",
            TARGET,
            compress=chain,
            fine_tune={**PICTURES, "epochs": epochs},
            output=scratch / "built",
            seed=seed,
            **options,
        )
        return told(built.manifest, time.monotonic() - began)

    return Row(f"`{chain}`, {'labels' if labels else 'no labels'}", run)


TABLES = {
    ("student", "CNN"): [distilled(spec) for spec in STUDENTS],
    ("ResNet8", "original"): [replaced(c, labels) for c in REPLACED for labels in ("", ",y")],
}


def line(name: str, runs: list[Figures]) -> str:
    """A line of a table: means over seeds."""
    return (
        f"| {name} | {drops(runs)} | {interval(runs)} | "
        f"{mean(runs, 'agreement'):.1f} | {mean(runs, 'parameters'):,.0f} | "
        f"{mean(runs, 'macs'):.3f} | {mean(runs, 'bytes'):,.0f} | {mean(runs, 'seconds'):.0f} |"
    )


def tables(runs: list[Figures]) -> str:
    """Both tables, with the rows that there are runs for."""
    texts = []
    for (what, whole), rows in TABLES.items():
        by_row = [(row.name, [one for one in runs if one["row"] == row.name]) for row in rows]
        lines = [line(name, found) for name, found in by_row if found]
        head = f"| {what} | {_LOSS} {_COST}".replace("{}", whole), "|---" * 8 + "|"
        texts += ["\n".join([*head, *lines])] if lines else []
    return "\n\n".join(texts) + "\n"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--only", default="", help="part of the rows to run")
    parser.add_argument("--json", type=Path, help="file of runs, one a line")
    parser.add_argument("--write", action="store_true", help="put the tables into the README")
    given = parser.parse_args()
    folder = given.folder.resolve()
    by_name = {row.name: row for rows in TABLES.values() for row in rows if given.only in row.name}

    def told_of(name: str, seed: int) -> Figures:
        with tempfile.TemporaryDirectory() as scratch:
            found = by_name[name].run(folder, Path(scratch), seed, given.epochs)
        return {"row": name, "seed": seed, "epochs": given.epochs, **found}

    seeds = 0 if given.write else given.seeds
    runs = kept_runs(given.json, "row", [*by_name], seeds, told_of)
    print(tables(runs), end="")
    if given.write:
        write(tables(runs), BEGIN, END)


if __name__ == "__main__":
    main()
