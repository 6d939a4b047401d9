"""What structured removal reaches on ResNet8 with 2,000 pictures: accuracy, work, instructions.

    python scripts/remove_figures.py FOLDER [--seeds 3] [--epochs 20] [--passes remove:macs=0.5,qat]

FOLDER holds `ic_resnet8/`: the model, and pictures of CIFAR-10. The same small network is trained
once more from scratch, for as many epochs. What is learned from, what calibrates and what is judged
on share no row. Instructions are counted on an emulated Cortex-M4. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

MODEL, TRAIN = "ic_resnet8/pretrainedResnet.h5", "ic_resnet8/cifar10_train_"
DATA = {
    "calibration": [f"{TRAIN}0_999.npz:x[:100]"],
    "training": [f"{TRAIN}0_999.npz:x,y[100:]", f"{TRAIN}1000_1999.npz:x,y"],
    "evaluation": ["ic_resnet8/cifar10_test_0_499.npz:x,y"],
}
TARGET = "cortex-m4"
HEAD = (
    "| passes | drop, points (seeds) | 95 % interval | MACs left | parameters left | "
    "instructions, times fewer | s |\n|---|---|---|---|---|---|---|"
)


def run(folder: Path, compress: str, seed: int, tuning: dict[str, Any]) -> dict[str, Any]:
    """The figures of one build; without passes where `compress` is empty."""
    import edgekit

    data = {key: [f"{folder}/{spec}" for spec in specs] for key, specs in DATA.items()}
    if not compress:
        data.pop("training")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        built = edgekit.build(
            folder / MODEL,
            TARGET,
            output=Path(scratch) / "built",
            seed=seed,
            **({"compress": compress, "fine_tune": tuning} if compress else {}),
            **data,
        )
        seconds = time.monotonic() - began
        report = edgekit.bench(built.folder, device="qemu", output=Path(scratch) / "run")
    manifest = built.manifest
    return {
        "seconds": seconds,
        "drop": manifest["accuracy"]["drop"],
        "interval": manifest["accuracy"]["interval"],
        "macs": manifest["built"]["macs"] / manifest["model"]["macs"],
        "parameters": manifest["built"]["parameters"] / manifest["model"]["parameters"],
        "instructions": report.to_json()["emulated"]["instructions"],
    }


def row(compress: str, runs: list[dict[str, Any]], plain: int) -> str:
    """A line of the table: means over seeds."""

    def mean(key: str) -> float:
        return statistics.mean(one[key] for one in runs)

    low, high = (statistics.mean(one["interval"][end] for one in runs) for end in (0, 1))
    each = ", ".join(f"{one['drop']:.1f}" for one in runs)
    return (
        f"| `{compress}` | {mean('drop'):.2f} ({each}) | {low:.1f} to {high:.1f} | "
        f"{mean('macs'):.3f} | {mean('parameters'):.3f} | {plain / mean('instructions'):.2f} | "
        f"{mean('seconds'):.0f} |"
    )


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--passes", default="remove:macs=0.5")
    given = parser.parse_args()
    folder = given.folder.resolve()
    tuning = {"epochs": given.epochs, "augment": ["flip", "shift=4"]}
    plain = run(folder, "", 0, {})["instructions"]
    print(HEAD, flush=True)
    first, *others = given.passes.split(",")
    for compress in (given.passes, ",".join([f"{first}:from_scratch=true", *others])):
        runs = [run(folder, compress, seed, tuning) for seed in range(given.seeds)]
        print(row(compress, runs, plain), flush=True)


if __name__ == "__main__":
    main()
