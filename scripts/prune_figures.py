"""What the pruners reach on ResNet8 with 70 % zeros and 2,000 pictures, with labels and without.

    python scripts/prune_figures.py FOLDER [--only splicing solved] [--seeds 3] [--epochs 4]

FOLDER holds `ic_resnet8/`: the model, and pictures of CIFAR-10. 1,800 pictures are learned from,
200 choose the best epoch, and 500 others judge the float model, before any quantization. Prints a
table in Markdown; the drop is in points of accuracy.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from over_seeds import drops, mean, mean_interval  # noqa: E402

SPARSITY = 0.7
PRUNERS = {
    "gradual, uniform": {"schedule": "polynomial", "allocate": "uniform"},
    "gradual, by sensitivity": {"schedule": "polynomial", "allocate": "sensitivity"},
    "splicing, by sensitivity": {"schedule": "splicing", "allocate": "sensitivity"},
    "solved (the default)": {},
}
AUGMENT = ("auto", "flip", "shift=4")
_HELD = 200
_COLUMNS = (
    *("pruner", "passes", "labels", "drop, points (seeds)", "95 % interval", "agreement %"),
    *("zeros %", "s"),
)
HEAD = f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"


def short(options: dict[str, str]) -> str:
    """As `--compress` takes it."""
    return ":".join(["prune", f"{SPARSITY:g}", *(f"{key}={options[key]}" for key in options)])


def pictures(folder: Path) -> tuple[Any, Any, Any]:
    """To learn from, to choose the epoch by, and to judge on: rows with labels."""
    from edgekit.training.rows import Rows

    def loaded(*names: str) -> tuple[np.ndarray, np.ndarray]:
        files = [np.load(folder / "ic_resnet8" / f"cifar10_{name}.npz") for name in names]
        x, y = (np.concatenate([file[key] for file in files]) for key in "xy")
        return x.astype(np.float32), y

    x, y = loaded("train_0_999", "train_1000_1999")
    judged = loaded("test_0_499")
    return tuple(
        Rows((inputs,), labels)
        for inputs, labels in ((x[:-_HELD], y[:-_HELD]), (x[-_HELD:], y[-_HELD:]), judged)
    )


def run(
    folder: Path, options: dict[str, str], labelled: bool, seed: int, epochs: int
) -> dict[str, Any]:
    """The figures of one pruning."""
    from edgekit.evaluate.intervals import paired_proportions
    from edgekit.passes import base
    from edgekit.training.options import FineTune
    from edgekit.training.rows import Rows

    model = (folder / "ic_resnet8" / "pretrainedResnet_float.tflite").read_bytes()
    rows, guard, judged = pictures(folder)
    if not labelled:
        rows, guard = Rows(rows.inputs), Rows(guard.inputs)
    spec = {"pass": "prune", "sparsity": SPARSITY, **options}
    parsed, _ = base.from_mapping("prune", spec, "prune_figures")
    context = base.Context(model, rows, guard, FineTune(epochs=epochs, augment=AUGMENT), seed)
    began = time.monotonic()
    found = base.load("prune").run(base.Candidate(model), parsed, context)
    seconds = time.monotonic() - began
    before, after = (decisions(data, judged) for data in (model, found.tflite))
    left, right = (each == judged.labels.ravel() for each in (before, after))
    low, high = paired_proportions(
        both=int((left & right).sum()),
        first_only=int((left & ~right).sum()),
        second_only=int((~left & right).sum()),
        neither=int((~left & ~right).sum()),
    )
    return {
        "options": options,
        "labels": labelled,
        "seed": seed,
        "accuracy": 100 * float(left.mean()),
        "drop": 100 * float(left.mean() - right.mean()),
        "interval": [100 * low, 100 * high],
        "agreement": 100 * float((before == after).mean()),
        "zeros": zeros(found),
        "seconds": round(seconds, 1),
    }


def decisions(tflite: bytes, rows: Any) -> np.ndarray:
    """The class of each row."""
    from edgekit.bridge.lift import lift

    model = lift(tflite, form="folded").scores
    return np.asarray(model.predict(rows.inputs[0], verbose=0).argmax(axis=-1))


def zeros(found: Any) -> float:
    """Percent of the weights; all layers of ResNet8 can be pruned."""
    from edgekit.evaluate.weights import kernels, totals
    from edgekit.graph.read import read

    return 100 * totals(kernels(read(found.tflite))).sparsity


def row(name: str, runs: list[dict[str, Any]]) -> str:
    """A line of the table: the mean over seeds, and what each seed gave."""
    return (
        f"| {name} | `{short(runs[0]['options'])}` | {'yes' if runs[0]['labels'] else 'no'} | "
        f"{drops(runs, 1)} | {mean_interval((one['interval'] for one in runs), 1)} | "
        f"{mean(runs, 'agreement'):.1f} | {mean(runs, 'zeros'):.0f} | {mean(runs, 'seconds'):.0f} |"
    )


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=[""], help="parts of names of pruners to run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--json", type=Path, help="append the figures of each seed to this file")
    given = parser.parse_args()
    chosen = {
        name: options
        for name, options in PRUNERS.items()
        if any(part in name for part in given.only)
    }
    runs: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for seed in range(given.seeds):
        for labelled in (True, False):
            for name, options in chosen.items():
                found = run(given.folder.resolve(), options, labelled, seed, given.epochs)
                runs.setdefault((name, labelled), []).append(found)
                if given.json:
                    with given.json.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(found) + "\n")
    print("\n".join([*HEAD, *(row(name, each) for (name, _), each in runs.items())]))


if __name__ == "__main__":
    main()
