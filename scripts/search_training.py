"""Training and compression in one study: a network of four layers, on pictures that it makes.

    python scripts/search_training.py [--trials 20] [--samplers tpe,random] [--seeds 1]

`train` is what `edgekit search --train python:search_training:train` calls for each trial: it
chooses width, kernel and learning rate, trains, and says where the model is. The search chooses how
many multiply-accumulates stay besides. Printed is, for each sampler, the least flash that was found
at 90 % accuracy or more, after each trial: random search is the baseline. It takes minutes;
`scripts/search_training_figures.py` replays trials that were made once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from optuna.trial import Trial

    from edgekit.project import Project

SIDE, CLASSES, ROWS = 16, 4, 600
DATA = "gratings.npz"
EPOCHS = 10
RATES = 1e-4, 3e-2
MACS = "off", 0.7, 0.5
LEAST = 90.0
"""Percent right."""
SEED = 0


def gratings(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy stripes in one of four directions: float32 [rows, 16, 16, 1] in 0..1, and classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, rows)
    angle = (labels * np.pi / CLASSES + rng.normal(0, 0.15, rows))[:, None, None]
    period = rng.uniform(4, 7, rows)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, rows)[:, None, None]
    y, x = np.mgrid[:SIDE, :SIDE]
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + phase)
    noisy = 0.5 + 0.2 * wave + rng.normal(0, 0.15, (rows, SIDE, SIDE))
    return noisy.clip(0, 1).astype(np.float32)[..., None], labels.astype(np.int64)


def choose(trial: Trial) -> tuple[int, int, float]:
    """Width, kernel and learning rate."""
    width = trial.suggest_int("width", 4, 16, step=4)
    kernel = trial.suggest_categorical("kernel", [3, 5])
    return width, kernel, trial.suggest_float("rate", *RATES, log=True)


def train(trial: Trial) -> str:
    """Train what `trial` chooses; the path of the model."""
    path = f"gratings-{trial.number:04d}.keras"
    trained(*choose(trial), SEED + trial.number, path)
    return path


def trained(width: int, kernel: int, rate: float, seed: int, path: str) -> None:
    """Train a network from random weights, and save it."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 1)),
            layers.Conv2D(width, kernel, strides=2, padding="same", activation="relu"),
            layers.Conv2D(2 * width, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(2 * width, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    # other rows than those of the search, which would know them by heart
    x, y = gratings(ROWS, SEED + 1)
    model.fit(x, y, batch_size=32, epochs=EPOCHS, verbose=0)
    model.save(path)


def project(sampler: str, seed: int, trials: int) -> Project:
    """What is searched: what `train` chooses, and how many multiply-accumulates stay."""
    from edgekit.project import from_mapping

    rows = f"{DATA}:x,y"
    return from_mapping(
        {
            "data": {"calibration": [f"{DATA}:x[:100]"], "training": [f"{rows}[100:]"]},
            "build": {"targets": ["cortex-m4"], "seed": seed},
            "fine_tune": {"epochs": 2},
            "search": {
                "objectives": ["flash"],
                "min_accuracy": f"{LEAST:g}%",
                "passes": ["remove"],
                "sampler": sampler,
                "trials": trials,
                "train": "python:search_training:train",
                "space": {"remove": {"macs": [*MACS]}},
            },
        },
        "search_training",
    )


def found(sampler: str, seed: int, trials: int) -> list[Any]:
    """The least flash after each trial, in a folder of its own."""
    from edgekit.errors import BudgetError
    from edgekit.search.api import search_one
    from edgekit.search.found import FILE

    with contextlib.suppress(BudgetError):  # the report says what there was
        search_one(project(sampler, seed, trials), output="found")
    least, after = float("inf"), []
    for each in json.loads(Path("found", FILE).read_text(encoding="utf-8"))["trials"]:
        if each["state"] == "complete":
            least = min(least, each["figures"]["flash"])
        after.append(least)
    return after


def main() -> None:
    """Search with each sampler, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--samplers", default="tpe,random")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    for sampler in given.samplers.split(","):
        for seed in range(given.seeds):
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                x, y = gratings(ROWS, SEED)
                np.savez(DATA, x=x, y=y)
                after = found(sampler, seed, given.trials)
                print(f"{sampler:8} seed {seed}:", *(f"{each:.0f}" for each in after), flush=True)
                os.chdir(ROOT)


if __name__ == "__main__":
    main()
