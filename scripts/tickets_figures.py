"""Whether a lottery ticket of LeNet-300-100 beats the same mask over other initial weights.

    python scripts/tickets_figures.py FOLDER [--seeds 3] [--epochs 12] [--rounds 5] [--write]

The network is trained as `scripts/lenet_figures.py` has it on 4,500 digits, and judged on the 5,000
of FOLDER/mnist_keras3. Its ticket at 90 % zeros is found in rounds; then the ticket's mask is
trained from initial weights that changed places, and from signs. All learn from labels alone, for
as many steps. The interval is that of the paired difference. Prints a table in Markdown; --write
puts it into docs/compression/rewind.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from lenet_figures import BATCH, EPOCHS, correct, digits, interval, network  # noqa: E402
from over_seeds import mean_and_each, mean_interval  # noqa: E402
from readme_figures import COMPRESSION, write  # noqa: E402

NET = "lenet-300-100"
BEGIN, END = "<!-- measured: tickets figures -->\n", "<!-- end of tickets figures -->"
HEAD = (
    "| LeNet-300-100 | zeros % | accuracy % (seeds) | points above the other start | "
    "95 % interval |\n|---|---|---|---|---|"
)
TICKET, OTHER = "ticket", "ticket's mask, other start"
RUNS = {
    TICKET: {"rounds": 0},
    OTHER: {"reinitialise": True},
    "ticket's mask, signs": {"method": "signs"},
    "supermask, untrained weights": {"method": "supermask", "sparsity": 0.5},
}
"""Name -> options of `rewind`; rounds = 0: as many as are asked for."""


def before_and_after(rows: Any, seed: int) -> tuple[bytes, bytes]:
    """The network untrained and trained, as float flatbuffers."""
    import keras

    from edgekit.convert import float_tflite

    keras.utils.set_random_seed(seed)
    model = network(NET)
    before = float_tflite(model)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(rows.inputs[0], rows.labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return before, float_tflite(model)


def run(folder: Path, seed: int, epochs: int, rounds: int) -> dict[str, Any]:
    """Name -> which digits are right, of one seed."""
    from edgekit.passes import base
    from edgekit.training.options import FineTune

    rows, guard, judged = digits(folder)
    before, after = before_and_after(rows, seed)
    tuning = FineTune(batch=BATCH, epochs=epochs, label_weight=1.0, augment=("none",))
    found, start = {"dense": correct(after, judged)}, base.Candidate(after)
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "before.tflite").write_bytes(before)
        context = base.Context(after, rows, guard, tuning, seed, root=Path(scratch))
        for name, values in RUNS.items():
            given = {"initial": "before.tflite", **values}
            given |= {"rounds": rounds} if "rounds" in values else {}
            options, _ = base.from_mapping("rewind", given, "tickets_figures")
            made = base.load("rewind").run(start, options, context)
            found[name] = correct(made.tflite, judged)
            print(seed, name, 100 * found[name].mean(), file=sys.stderr, flush=True)
            start = made if name == TICKET else start  # the others have its mask
    return found


def row(name: str, runs: list[dict[str, Any]]) -> str:
    """A line of the table."""
    each = [100 * one[name].mean() for one in runs]
    zeros = {"dense": 0.0}.get(name, 100 * float(RUNS.get(name, {}).get("sparsity", 0.9)))
    text = f"| {name} | {zeros:.0f} | {mean_and_each(each)}"
    if name == OTHER:
        return f"{text} | - | - |"
    ends = [interval(one[name], one[OTHER]) for one in runs]
    above = np.mean(each) - 100 * np.mean([one[OTHER].mean() for one in runs])
    return f"{text} | {above:.2f} | {mean_interval(ends)} |"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12, help="of each training")
    parser.add_argument("--rounds", type=int, default=5, help="in which the ticket is found")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    given = parser.parse_args()
    folder = given.folder.resolve()
    runs = [run(folder, seed, given.epochs, given.rounds) for seed in range(given.seeds)]
    table = "\n".join([HEAD, *(row(name, runs) for name in runs[0])])
    print(table, flush=True)
    if given.write:
        write(table + "\n", BEGIN, END, COMPRESSION / "rewind.md")


if __name__ == "__main__":
    main()
