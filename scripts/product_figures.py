"""What product quantization reaches on ResNet8: bytes of its weights as stored, and what it loses.

    python scripts/product_figures.py FOLDER [--only 256] [--seeds 3] [--epochs 40] [--json FILE]
    python scripts/product_figures.py FOLDER --json FILE --write

FOLDER holds `ic_resnet8/`. The model learns from 1,900 pictures of CIFAR-10's training set, with
labels and without, and is judged on 500 of its test set. Built in int8 and packed (`edgekit pack`):
bytes are those of the weights with code books and indices, of which float32 has 4 a weight, and of
the whole `.eks`. Prints a table in Markdown. With --json runs are kept in a file, and those that
are there are not run again; --write runs nothing and puts their table into
docs/compression/product_quantize.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from compression_figures import PICTURES, placed, resnet  # noqa: E402
from kept_runs import kept_runs  # noqa: E402
from over_seeds import drops, interval, mean  # noqa: E402
from readme_figures import COMPRESSION, write  # noqa: E402

MODEL, TARGET = "ic_resnet8/pretrainedResnet.h5", "android"
CHAINS = "product_quantize:256", "product_quantize:64"
BEGIN, END = "<!-- measured: product figures -->\n", "<!-- end of product figures -->"
HEAD = (
    "| ResNet8 | labels | points lost (seeds) | 95 % interval | agreement % | "
    "weights, bytes | times fewer than float32 | `.eks`, bytes | s |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)
CASES = [
    (f"{chain} {'labels' if labels else 'none'}", chain, labels)
    for chain in CHAINS
    for labels in (True, False)
]
"""Name, passes, whether labels are learned from."""


def weights(tflite: bytes) -> tuple[int, int, int]:
    """Weights of a flatbuffer, their bytes as packed, and those of the whole packed file."""
    from edgekit.evaluate.weights import find
    from edgekit.graph.read import read
    from edgekit.storage.files import pack_model

    packed = pack_model(tflite).packed
    stored = {constant.name: len(each.data) for constant, each in packed.constants}
    kernels = [each.tensor for each in find(read(tflite))]
    sizes = [stored.get(each.name, each.data.nbytes) for each in kernels if each.data is not None]
    return sum(each.elements for each in kernels), sum(sizes), len(packed.data)


def run(folder: Path, chain: str, labels: bool, seed: int, epochs: int) -> dict[str, Any]:
    """The figures of one build."""
    import edgekit

    began = time.monotonic()
    options = {key: placed(value, folder) for key, value in resnet(",y" if labels else "").items()}
    with tempfile.TemporaryDirectory() as scratch:
        built = edgekit.build(
            folder / MODEL,
            TARGET,
            output=Path(scratch) / "built",
            compress=chain,
            fine_tune={**PICTURES, "epochs": epochs},
            seed=seed,
            **options,
        )
        count, size, packed = weights((Path(built.folder) / "model.tflite").read_bytes())
    manifest = built.manifest
    return {
        "seconds": time.monotonic() - began,
        "weights": size,
        "fewer": 4 * count / size,
        "packed": packed,
        "agreement": manifest["fidelity"]["top1_agreement"],
        **{key: manifest["accuracy"][key] for key in ("drop", "interval", "samples")},
    }


def row(chain: str, labels: bool, runs: list[dict[str, Any]]) -> str:
    """A line of the table: means over seeds."""
    return (
        f"| `{chain}` | {'yes' if labels else 'no'} | {drops(runs, 1)} | {interval(runs, 1)} | "
        f"{mean(runs, 'agreement'):.1f} | {mean(runs, 'weights'):,.0f} | "
        f"{mean(runs, 'fewer'):.1f} | {mean(runs, 'packed'):,.0f} | {mean(runs, 'seconds'):.0f} |"
    )


def table(runs: list[dict[str, Any]]) -> str:
    """All rows that there are runs for."""
    by_case = [(case, [one for one in runs if one["case"] == case[0]]) for case in CASES]
    return HEAD + "".join(row(*case[1:], found) + "\n" for case, found in by_case if found)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of the names of the rows to run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=PICTURES["epochs"])
    parser.add_argument("--json", type=Path, help="file of runs, one a line")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    given = parser.parse_args()
    folder = given.folder.resolve()
    by_name = {name: rest for name, *rest in CASES if given.only in name}

    def told(name: str, seed: int) -> dict[str, Any]:
        return {"case": name, "seed": seed} | run(folder, *by_name[name], seed, given.epochs)

    seeds = 0 if given.write else given.seeds
    runs = kept_runs(given.json, "case", [*by_name], seeds, told)
    print(table(runs), end="")
    if given.write:
        write(table(runs), BEGIN, END, COMPRESSION / "product_quantize.md")


if __name__ == "__main__":
    main()
