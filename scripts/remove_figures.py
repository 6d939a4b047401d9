"""What structured removal reaches on real models: accuracy, work, instructions, three seeds.

    python scripts/remove_figures.py FOLDER [--only resnet8-labels] [--seeds 3] [--json FILE]
    python scripts/remove_figures.py FOLDER --json FILE --write

FOLDER holds `ic_resnet8/` and `kws_dscnn/`. Each case is built by `edgekit.build` as anyone may,
once for each seed; what is learned from, what calibrates and what is judged on share no row.
Instructions are counted on an emulated Cortex-M4. With --json runs are kept in a file, and those
that are there are not run again; --write runs nothing and puts their table into the README.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from compression_figures import KWS, placed  # noqa: E402
from kept_runs import kept_runs  # noqa: E402
from over_seeds import drops, interval, mean  # noqa: E402
from readme_figures import write  # noqa: E402

TARGET = "cortex-m4"
BEGIN, END = "<!-- removal figures -->\n", "<!-- end of removal figures -->\n"
_COLUMNS = (
    *("model", "passes", "labels", "drop, points (seeds)", "95 % interval", "int8 alone"),
    *("MACs left", "parameters left", "bytes left", "instructions, times fewer", "s"),
)
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
_PICTURES = {
    **{"augment": ["auto", "flip", "shift=4"], "epochs": 60, "patience": 60},
    "learning_rate": 1e-2,
}
_SCRATCH = {key: value for key, value in _PICTURES.items() if key != "learning_rate"}
"""From scratch the pass knows a better learning rate."""
_SOUNDS = {"augment": ["time_shift=4", "noise=0.1", "mix=0.5"], "epochs": 60}


def _resnet(labels: str) -> dict[str, Any]:
    train = "ic_resnet8/cifar10_train_"
    return {
        "calibration": [f"{train}0_999.npz:x[:100]"],
        "training": [f"{train}0_999.npz:x{labels}[100:]", f"{train}1000_1999.npz:x{labels}"],
        "evaluation": ["ic_resnet8/cifar10_test_0_499.npz:x,y"],
    }


_LABELLED_KWS = KWS | {"training": ["kws_dscnn/kws01_even500.npz:x_int8,y[50:350]"]}


@dataclass(frozen=True)
class Case:
    """A row of the table: what `--only` looks for, and what is built."""

    name: str
    model: str
    compress: str
    data: dict[str, Any]
    tuning: dict[str, Any]

    @property
    def labels(self) -> str:
        """Whether it learns from labels."""
        return "yes" if ",y" in self.data["training"][0] else "no"


_RESNET, _DSCNN = "ic_resnet8/pretrainedResnet.h5", "kws_dscnn/kws_ref_model"
_HALF = "remove:macs=0.5"
CASES = (
    Case("resnet8-labels", _RESNET, _HALF, _resnet(",y"), _PICTURES),
    Case("resnet8-scratch", _RESNET, f"{_HALF}:from_scratch=true", _resnet(",y"), _SCRATCH),
    Case("resnet8-none", _RESNET, _HALF, _resnet(""), _PICTURES),
    Case("kws-labels", _DSCNN, _HALF, _LABELLED_KWS, _SOUNDS),
    Case("kws-none", _DSCNN, _HALF, KWS, _SOUNDS),
)


def run(case: Case, folder: Path, seed: int) -> dict[str, Any]:
    """The figures of one build."""
    data = {key: placed(value, folder) for key, value in case.data.items()}
    began = time.monotonic()
    built, instructions = _built(
        str(folder / case.model),
        json.dumps(data | {"compress": case.compress, "fine_tune": case.tuning, "seed": seed}),
    )
    seconds = time.monotonic() - began
    data.pop("training")
    plain, of = _built(str(folder / case.model), json.dumps(data))
    return {
        "case": case.name,
        "seed": seed,
        "epochs": case.tuning["epochs"],
        "drop": built["accuracy"]["drop"],
        "interval": built["accuracy"]["interval"],
        "samples": built["accuracy"]["samples"],
        "int8": plain["accuracy"]["drop"],
        "macs": built["built"]["macs"] / plain["built"]["macs"],
        "parameters": built["built"]["parameters"] / plain["built"]["parameters"],
        "bytes": built["ledger"][-1]["bytes"] / plain["ledger"][-1]["bytes"],
        "instructions": of / instructions,
        "seconds": round(seconds),
    }


@cache
def _built(model: str, options: str) -> tuple[dict[str, Any], int]:
    """Manifest and instructions of a build."""
    import edgekit

    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "built"
        built = edgekit.build(model, TARGET, output=output, **json.loads(options))
        report = edgekit.bench(built.folder, device="qemu", output=Path(scratch) / "run")
        return dict(built.manifest), int(report.to_json()["emulated"]["instructions"])


def row(case: Case, runs: list[dict[str, Any]]) -> str:
    """A line of the table: means over seeds."""
    keys = ("int8", "macs", "parameters", "bytes", "instructions")
    shares = " | ".join(f"{mean(runs, key):.2f}" for key in keys)
    return (
        f"| {'ResNet8' if case.model == _RESNET else 'DS-CNN'} | `{case.compress}` | "
        f"{case.labels} | {drops(runs, 1)} | {interval(runs, 1)} | {shares} | "
        f"{mean(runs, 'seconds'):.0f} |\n"
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
