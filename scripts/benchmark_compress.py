"""Ratio of a compression pass to a bare TFMOT script for the same work, in one run.

The work is pruning to half zeros with labels: the same net, rows, batch, epochs and schedule (with
`--schedule solve` edgekit's own instead, which TFMOT does not have). Each side is a process of its
own that begins with its imports and ends with the pruned model on disk; they take turns, and the
figure is the median of the ratios pair by pair.

    python scripts/benchmark_compress.py [--rows 4000] [--epochs 3] [--runs 5] [--schedule solve]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

MAKE = """
import sys
from pathlib import Path
import numpy as np
folder, rows = Path(sys.argv[1]), int(sys.argv[2])
from edgekit import _tf
from edgekit.importers.base import load
keras = _tf.tf_keras()
layers, random = keras.layers, np.random.default_rng(0)
keras.utils.set_random_seed(0)
net = keras.Sequential([
    layers.Input((32, 32, 3)),
    layers.Conv2D(16, 3, activation="relu", padding="same"), layers.MaxPooling2D(),
    layers.Conv2D(32, 3, activation="relu", padding="same"), layers.MaxPooling2D(),
    layers.Conv2D(64, 3, activation="relu", padding="same"),
    layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax"),
])
net.save(folder / "net.h5")
(folder / "net.tflite").write_bytes(load(folder / "net.h5").tflite)
x = random.normal(size=(rows, 32, 32, 3)).astype(np.float32)
np.savez(folder / "rows.npz", x=x, y=random.integers(0, 10, rows))
"""

BARE = """
import os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
import tf_keras as keras
import tensorflow_model_optimization as tfmot
folder, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data = np.load(folder + "/rows.npz")
x, y = data["x"], data["y"]
net = keras.models.load_model(folder + "/net.h5", compile=False)
end = epochs * (len(x) // batch)
schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, 0.5, 0, end // 2)
pruned = tfmot.sparsity.keras.prune_low_magnitude(net, pruning_schedule=schedule)
pruned.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
pruned.fit(x, y, batch_size=batch, epochs=epochs, verbose=0,
           callbacks=[tfmot.sparsity.keras.UpdatePruningStep()])
tfmot.sparsity.keras.strip_pruning(pruned).save(folder + "/bare.h5")
"""

OURS = """
import sys
from pathlib import Path
import numpy as np
from edgekit.passes.base import Candidate, Context, from_mapping, load
from edgekit.training.options import FineTune
from edgekit.training.rows import Rows
folder, epochs, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
data = np.load(folder / "rows.npz")
rows = Rows((data["x"],), data["y"])
guard = Rows((data["x"][:64],), data["y"][:64])
original = (folder / "net.tflite").read_bytes()
tuning = FineTune(epochs=epochs, batch=batch, label_weight=1.0, augment=("none",))
options, own = from_mapping("prune", {"sparsity": 0.5, "schedule": SCHEDULE}, "benchmark")
context = Context(original, rows, guard, tuning)
done = load("prune").run(Candidate(original), options, context.tuned(own))
(folder / "ours.tflite").write_bytes(done.tflite)
"""


def seconds(code: str, *arguments: str) -> float:
    """Wall time of a Python process."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, cwd=ROOT)
    return time.monotonic() - began


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--schedule", default="polynomial", choices=("polynomial", "solve"))
    given = parser.parse_args()
    work = str(given.epochs), str(given.batch)
    ours = f"SCHEDULE = {given.schedule!r}\n{OURS}"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", MAKE, folder, str(given.rows)], check=True, cwd=ROOT)
        ratios = []
        for run in range(given.runs):
            order = (ours, BARE) if run % 2 else (BARE, ours)
            times = {code: seconds(code, folder, *work) for code in order}
            ratios.append(times[ours] / times[BARE])
            print(
                f"run {run + 1}: edgekit {times[ours]:.1f} s, bare TFMOT {times[BARE]:.1f} s, "
                f"ratio {ratios[-1]:.2f}",
                flush=True,
            )
    print(f"median ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
