"""Whether a tiny network gains by being part of a wider one while it trains.

    python scripts/augment_figures.py FOLDER [--seeds 3] [--epochs 30] [--width 3] [--write]

A DS-CNN of 1,450 parameters learns 4,500 digits from labels, from the same random weights, in the
same order for as many steps: alone (`distill`), and inside a wide network (`augment_network`). It
is judged on the 5,000 digits of FOLDER/mnist_keras3. The interval is that of the paired difference.
Prints a table in Markdown; --write puts it into docs/compression/augment_network.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from lenet_figures import BATCH, correct, digits, interval  # noqa: E402
from over_seeds import mean_and_each, mean_interval  # noqa: E402
from readme_figures import COMPRESSION, write  # noqa: E402

RATE = 2e-2
BEGIN, END = "<!-- measured: augment figures -->\n", "<!-- end of augment figures -->"
HEAD = (
    "| DS-CNN | epochs | accuracy % (seeds) | points above alone | 95 % interval |\n"
    "|---|---|---|---|---|"
)


def network() -> Any:
    """Untrained: as keyword spotting's (Zhang et al. 2017, arXiv:1711.07128), with 16 channels."""
    import keras

    layers = keras.layers
    blocks = [
        [layers.DepthwiseConv2D(3, padding="same", activation="relu"),
         layers.Conv2D(16, 1, activation="relu")]
        for _ in range(2)
    ]  # fmt: skip
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
            *(layer for block in blocks for layer in block),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def run(folder: Path, seed: int, epochs: int, width: int) -> dict[str, Any]:
    """Name -> which digits are right, of one seed."""
    import keras

    from edgekit.convert import float_tflite
    from edgekit.passes import base
    from edgekit.training.options import FineTune

    rows, guard, judged = digits(folder)
    keras.utils.set_random_seed(seed)
    start = float_tflite(network())
    tuning = FineTune(
        epochs, RATE, BATCH, patience=epochs, label_weight=1.0, feature_weight=0.0,
        augment=("none",),
    )  # fmt: skip
    context, found = base.Context(start, rows, guard, tuning, seed), {}
    for name, values in (("distill", {}), ("augment_network", {"width": width})):
        options, _ = base.from_mapping(name, values, "augment_figures")
        made = base.load(name).run(base.Candidate(start), options, context)
        found[name] = correct(made.tflite, judged)
        print(seed, name, 100 * found[name].mean(), file=sys.stderr, flush=True)
    return found


def rows_of(runs: list[dict[str, Any]], epochs: int) -> list[str]:
    """The lines of the table."""
    lines = []
    for name, words in (("distill", "alone"), ("augment_network", "`augment_network`")):
        each = [100 * one[name].mean() for one in runs]
        text = f"| {words} | {epochs} | {mean_and_each(each)}"
        if name == "distill":
            lines.append(f"{text} | - | - |")
            continue
        ends = [interval(one[name], one["distill"]) for one in runs]
        above = np.mean(each) - 100 * np.mean([one["distill"].mean() for one in runs])
        lines.append(f"{text} | {above:.2f} | {mean_interval(ends)} |")
    return lines


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--width", type=int, default=3, help="of the wide network, in tiny ones")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    given = parser.parse_args()
    folder = given.folder.resolve()
    runs = [run(folder, seed, given.epochs, given.width) for seed in range(given.seeds)]
    table = "\n".join([HEAD, *rows_of(runs, given.epochs)])
    print(table, flush=True)
    if given.write:
        write(table + "\n", BEGIN, END, COMPRESSION / "augment_network.md")


if __name__ == "__main__":
    main()
