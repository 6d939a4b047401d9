"""The figures of the compression chain in the README: real models, three seeds, what was reached.

    python scripts/compression_figures.py FOLDER [--only resnet8] [--seeds 3] [--json FILE]
    python scripts/compression_figures.py FOLDER --json FILE --write

FOLDER holds the models and data: `ic_resnet8/`, `kws_dscnn/`, `mnist_keras3/`, `vww_mobilenetv1/`.
Every build is `edgekit.build` as anyone may call it. What is learned from, what calibrates and what
is judged on share no row. With --json runs are kept in a file, and those that are there are not run
again; --write runs nothing and puts their table into the README.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kept_runs import kept_runs  # noqa: E402
from over_seeds import drops, interval, mean  # noqa: E402
from readme_figures import write  # noqa: E402

PICTURES = {"augment": ["auto", "flip", "shift=4"], "epochs": 14}
SOUNDS = {"augment": ["time_shift=4", "noise=0.1", "mix=0.5"], "epochs": 60}
DIGITS = {"augment": ["shift=2", "mix=0.5"], "epochs": 4}


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        name: What `--only` looks for.
        model: Path below the folder.
        compress: The passes.
        data: Options of `edgekit.build` that name data, paths below the folder.
        goal: What is to be reached, in words.
        options: Further options of `edgekit.build`.
    """

    name: str
    model: str
    compress: str
    data: dict[str, Any]
    goal: str
    options: dict[str, Any] = field(default_factory=dict)


def resnet(labels: str) -> dict[str, Any]:
    """Options of `edgekit.build` for ResNet8; `labels` is ",y" where it learns from them."""
    train = "ic_resnet8/cifar10_train_"
    return {
        "calibration": [f"{train}0_999.npz:x[:100]"],
        "training": [f"{train}0_999.npz:x{labels}[100:]", f"{train}1000_1999.npz:x{labels}"],
        "evaluation": ["ic_resnet8/cifar10_test_0_499.npz:x,y"],
    }


KWS = {
    "calibration": ["kws_dscnn/kws01_even500.npz:x_int8[:50]"],
    "training": ["kws_dscnn/kws01_even500.npz:x_int8[50:350]"],
    "evaluation": ["kws_dscnn/kws01_even500.npz:x_int8,y[350:]"],
    "preprocess": "scale=0.5847,offset=-48.5301",
}
_MNIST = {
    "calibration": ["mnist_keras3/mnist_t10k_0_4999.npz:x[:200]"],
    "training": ["mnist_keras3/mnist_t10k_0_4999.npz:x[200:3000]"],
    "evaluation": ["mnist_keras3/mnist_t10k_0_4999.npz:x,y[3000:]"],
    "preprocess": "unit",
}
_VWW = {
    "calibration": ["vww_mobilenetv1/vww96_coco_train2017_113.npz:x[:20]"],
    "training": ["vww_mobilenetv1/vww96_coco_train2017_113.npz:x[20:80]"],
    "evaluation": ["vww_mobilenetv1/vww96_coco_train2017_113.npz:x,y[80:]"],
    "preprocess": "unit",
}
_NAMES = {
    **{"ic_resnet8": "ResNet8", "kws_dscnn": "DS-CNN", "mnist_keras3": "MNIST CNN"},
    "vww_mobilenetv1": "MobileNetV1 VWW",
}
_RESNET, _DSCNN = "ic_resnet8/pretrainedResnet.h5", "kws_dscnn/kws_ref_model"
CASES = (
    Case("resnet8-50-labels", _RESNET, "prune:0.5,qat", resnet(",y"), "drop <= 1", PICTURES),
    Case("resnet8-70-labels", _RESNET, "prune:0.7,qat", resnet(",y"), "drop <= 2.5", PICTURES),
    Case("resnet8-50", _RESNET, "prune:0.5,qat", resnet(""), "drop <= 3.0", PICTURES),
    Case("resnet8-70", _RESNET, "prune:0.7,qat", resnet(""), "drop <= 3.0", PICTURES),
    Case("kws-cluster", _DSCNN, "cluster:32,qat", KWS, "drop <= 1", {**SOUNDS, "epochs": 20}),
    Case(
        "kws-pcqat", _DSCNN, "prune:0.5,cluster:16:factors=octave:code_bits=4,qat", KWS,
        "drop <= 2.5, gzip <= 0.55x of plain int8", SOUNDS,
    ),
    Case(
        "mnist-pcqat", "mnist_keras3/mnist_cnn.keras",
        "prune:0.7,cluster:16:factors=octave,qat", _MNIST,
        "drop <= 0.5, gzip 10x below the float file", DIGITS,
    ),
    Case("vww", "vww_mobilenetv1/vww_96.h5", "prune:0.5,qat", _VWW, "agreement reported", PICTURES),
)  # fmt: skip


_COLUMNS = (
    *("model", "passes", "labels", "drop, points (seeds)", "95 % interval", "int8 alone"),
    *("agreement %", "gzip / int8's", "float bytes / gzip", "s", "goal"),
)
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
BEGIN, END = "<!-- compression figures -->\n", "<!-- end of compression figures -->\n"
TARGET = "android"


def run(case: Case, folder: Path, seed: int) -> dict[str, Any]:
    """The figures of one build."""
    import edgekit

    options = {key: placed(value, folder) for key, value in case.data.items()}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        build = edgekit.build(
            folder / case.model,
            TARGET,
            output=Path(scratch) / "built",
            compress=case.compress,
            fine_tune=case.options,
            seed=seed,
            **options,
        )
    seconds = time.monotonic() - began
    others = {key: value for key, value in options.items() if key != "training"}
    plain = _plain(folder / case.model, seed, json.dumps(others))
    manifest, ledger = build.manifest, build.manifest["ledger"]
    accuracy = manifest["accuracy"]
    return {
        "case": case.name,
        "seed": seed,
        "drop": accuracy["drop"],
        "interval": accuracy["interval"],
        "samples": accuracy["samples"],
        "plain_drop": plain["accuracy"]["drop"],
        "agreement": manifest["fidelity"]["top1_agreement"],
        "zeros": ledger[-1]["weights"]["zeros"] / ledger[-1]["weights"]["elements"],
        "gzip": ledger[-1]["gzip"],
        "plain_gzip": plain["ledger"][-1]["gzip"],
        "float_bytes": ledger[0]["bytes"],
        "seconds": round(seconds, 1),
    }


@cache
def _plain(model: Path, seed: int, data: str) -> dict[str, Any]:
    """The manifest of the model in int8 without passes; it learns from nothing."""
    import edgekit

    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "plain"
        built = edgekit.build(model, TARGET, output=output, seed=seed, **json.loads(data))
        return dict(built.manifest)


def placed(value: Any, folder: Path) -> Any:
    """Specifications of data below `folder`."""
    return [f"{folder}/{spec}" for spec in value] if isinstance(value, list) else value


def row(case: Case, runs: list[dict[str, Any]]) -> str:
    """A line of the table: the mean over seeds, and what each seed gave."""
    first, gzip = runs[0], mean(runs, "gzip")
    return (
        f"| {_NAMES[case.model.split('/')[0]]} | `{case.compress}` | "
        f"{'yes' if 'x,y' in case.data['training'][0] else 'no'} | "
        f"{drops(runs, 1)} | {interval(runs, 1)} | "
        f"{mean(runs, 'plain_drop'):.2f} | {mean(runs, 'agreement'):.1f} | "
        f"{gzip / first['plain_gzip']:.2f} | {first['float_bytes'] / gzip:.1f} | "
        f"{mean(runs, 'seconds'):.0f} | {case.goal} |\n"
    )


def table(runs: list[dict[str, Any]]) -> str:
    """All rows that there are runs for."""
    by_case = [(case, [one for one in runs if one["case"] == case.name]) for case in CASES]
    return HEAD + "".join(row(case, found) for case, found in by_case if found)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file of runs, one a line")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    seeds = 0 if given.write else given.seeds
    folder = given.folder.resolve()
    by_name = {case.name: case for case in CASES if given.only in case.name}
    runs = kept_runs(
        given.json, "case", [*by_name], seeds, lambda name, seed: run(by_name[name], folder, seed)
    )
    print(table(runs), end="")
    if given.write:
        write(table(runs), BEGIN, END)


if __name__ == "__main__":
    main()
