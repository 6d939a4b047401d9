"""Ratios of `edgekit build` against a bare converter script, and the time of one that is current.

Each command is a process of its own; wall time and peak memory are the operating system's
accounting of the finished process (`os.wait4`). The two commands take turns, so that a machine
whose speed drifts slows both; the figure is the median of the ratios pair by pair.

    python scripts/benchmark_build.py MODEL --calibration DATA.npz --array x [--runs 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "calibration_data"

BARE = """
import sys
import numpy as np
model_path, data_path, array, count, scale, output = sys.argv[1:]
import tensorflow as tf
if model_path.endswith(".h5"):
    import tf_keras as keras
else:
    import keras
model = keras.models.load_model(model_path, compile=False)
rows = np.load(data_path)[array][: int(count)]
shape = model.inputs[0].shape
def representative():
    for row in rows:
        yield [(row.astype(np.float32) * float(scale)).reshape(1, *shape[1:])]
converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = representative
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = tf.int8
converter.inference_output_type = tf.int8
open(output, "wb").write(converter.convert())
"""


@dataclass(frozen=True)
class Usage:
    """What one finished process cost: seconds of wall time and of CPU, bytes of peak memory."""

    wall: float
    cpu: float
    peak: int


def run(command: list[str], folder: Path) -> Usage:
    """Run `command` to its end; raise when it fails."""
    with open(folder / "log", "w") as log:
        began = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
    if status:
        sys.exit(f"failed: {' '.join(command)}\n{(folder / 'log').read_text()}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def median_ratio(ours: list[Usage], theirs: list[Usage], figure: str) -> tuple[float, float, float]:
    """Least, median and greatest of the pairwise ratios of one figure."""
    ratios = sorted(
        getattr(a, figure) / getattr(b, figure) for a, b in zip(ours, theirs, strict=True)
    )
    return ratios[0], statistics.median(ratios), ratios[-1]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, default=EXAMPLE / "digits.keras")
    parser.add_argument(
        "--calibration", type=Path, default=EXAMPLE / "digits_calibration.npz", help="an .npz"
    )
    parser.add_argument("--array", default="x", help="name of the array in it")
    parser.add_argument("--scale", type=float, default=1 / 255, help="value = x * scale")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--target", default="rpi4")
    parser.add_argument("--runs", type=int, default=5, help="pairs, after one that is not counted")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    return parser.parse_args()


def main() -> None:
    """Run the pairs and print the ratios."""
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(options, Path(scratch))
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{options.model.name}, {options.samples} samples, {options.runs} pairs")
    for name, (least, median, greatest) in result.items():
        print(f"{name:45} {median:6.3f}   ({least:.3f} to {greatest:.3f})")


def measure(options: argparse.Namespace, folder: Path) -> dict[str, tuple[float, float, float]]:
    """The ratios: time and memory against the bare script, and memory with ten times the data."""
    rows = np.load(options.calibration)[options.array]
    rows = np.resize(rows, (max(len(rows), options.samples), *rows.shape[1:]))[: options.samples]
    np.savez(folder / "one.npz", **{options.array: rows})
    noise = np.random.default_rng(0).integers(0, 2, (10 * len(rows), *rows.shape[1:]))
    ten = (np.concatenate([rows] * 10) + noise).astype(rows.dtype)
    np.savez(folder / "ten.npz", **{options.array: ten})

    count, scale = str(options.samples), str(options.scale)
    model = str(options.model.resolve())
    bare = [
        sys.executable,
        "-c",
        BARE,
        model,
        "one.npz",
        options.array,
        count,
        scale,
        "bare.tflite",
    ]
    ours = _edgekit(options, model, "one.npz", options.samples)
    tenfold = _edgekit(options, model, "ten.npz", 10 * options.samples)
    pairs = [
        [run(command, folder) for command in (ours, bare, tenfold)] for _ in range(options.runs + 1)
    ]
    one, other, big = ([usages[index] for usages in pairs[1:]] for index in range(3))
    return {
        "wall time / bare converter script": median_ratio(one, other, "wall"),
        "cpu time / bare converter script": median_ratio(one, other, "cpu"),
        "peak memory / bare converter script": median_ratio(one, other, "peak"),
        "peak memory, 10x the calibration data / 1x": median_ratio(big, one, "peak"),
        "seconds where nothing changed": _again(ours, options.runs, folder),
    }


def _again(ours: list[str], runs: int, folder: Path) -> tuple[float, float, float]:
    """Wall time of a build that finds its files as it would write them."""
    command = [word for word in ours if word != "--force"]
    run(command, folder)  # the last build was of other data
    seconds = sorted(run(command, folder).wall for _ in range(runs))
    return seconds[0], statistics.median(seconds), seconds[-1]


def _edgekit(options: argparse.Namespace, model: str, data: str, samples: int) -> list[str]:
    return [
        *(sys.executable, "-m", "edgekit", "build", model, "--target", options.target),
        *("--calibration", f"{data}:{options.array}", "--samples", str(samples)),
        *("--preprocess", f"scale={options.scale}", "--no-fidelity", "--force", "--quiet"),
    ]


if __name__ == "__main__":
    main()
