"""The figures of the compiler in the README: real int8 models as C, on each core, beside TFLM's.

    python scripts/compiler_figures.py FOLDER [--only kws] [--cores cortex-m4,cortex-m7] [--write]

FOLDER holds the models: `kws_dscnn/`, `ic_resnet8/`, `vww_mobilenetv1/`, `tflm_examples/`,
`stm_audio/`, `mltk_small/`. Each is built by `edgekit.build_all` for a board of each core, and what
came of it runs in QEMU by `edgekit bench`. Prints a table in Markdown; --write puts it into the
README. --clustered makes the other table, of a model with 16 weights: it trains, which takes
minutes. Exits with 1 if a golden vector is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import textwrap
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from compression_figures import KWS, SOUNDS, placed  # noqa: E402

README = ROOT / "README.md"
MODELS = {
    "DS-CNN keywords (`kws`)": "kws_dscnn/kws_ref_model_int8.tflite",
    "ResNet8 CIFAR-10 (`ic`)": "ic_resnet8/pretrainedResnet_int8.tflite",
    "MobileNetV1 person detection (`vww`)": "vww_mobilenetv1/vww_96_int8.tflite",
    "miniresnet audio": "stm_audio/miniresnet_1stacks_64x50_int8.tflite",
    "micro speech": "tflm_examples/micro_speech_int8.tflite",
    "micro speech, Silicon Labs": "mltk_small/tflite_micro_speech/tflite_micro_speech.tflite",
    "magic wand": "mltk_small/tflite_micro_magic_wand/tflite_micro_magic_wand.tflite",
    "LSTM MNIST": "tflm_examples/mnist_lstm_int8.tflite",
    "hello world": "tflm_examples/hello_world_int8.tflite",
}
TARGETS = {
    "cortex-m0plus": "rp2040-pico",
    "cortex-m3": "cortex-m3",
    "cortex-m4": "nucleo-l4r5zi",
    "cortex-m7": "nucleo-h7a3zi-q",
    "cortex-m33": "nucleo-u575zi-q",
    "cortex-m55": "cortex-m55",
}
TFLM_SOURCE = (
    "tflite-micro 90b983c2 with CMSIS-NN 4ab83cc3, int8-only registrations and the model's "
    "operators alone, gcc 12.2, same emulation"
)


@dataclass(frozen=True)
class Tflm:
    """TensorFlow Lite Micro with CMSIS-NN on a core: see `TFLM_SOURCE`."""

    instructions: int
    flash: int
    ram: int
    stack: int


TFLM = {
    ("kws", "cortex-m3"): Tflm(10_533_892, 100_528, 23_380, 876),
    ("kws", "cortex-m4"): Tflm(7_699_212, 106_888, 23_380, 940),
    ("kws", "cortex-m7"): Tflm(7_645_017, 105_272, 23_380, 924),
    ("kws", "cortex-m55"): Tflm(1_815_109, 98_232, 27_908, 1_076),
    ("ic", "cortex-m3"): Tflm(41_848_227, 143_012, 55_544, 876),
    ("ic", "cortex-m4"): Tflm(29_864_644, 149_252, 55_560, 940),
    ("ic", "cortex-m7"): Tflm(30_027_454, 147_864, 55_556, 924),
    ("ic", "cortex-m55"): Tflm(4_912_537, 139_528, 55_588, 1_032),
    ("vww", "cortex-m4"): Tflm(24_101_540, 386_240, 101_268, 940),
    ("vww", "cortex-m7"): Tflm(24_025_155, 384_624, 101_268, 924),
}
_COLUMNS = (
    *("model", "core", "instructions", "flash", "RAM", "stack", "est. ms", "est. mJ"),
    *("golden mismatches", "TFLM: instructions", "flash", "RAM", "stack"),
)
_CLUSTERED = (
    *("weights of `kws`, Cortex-M4", "top-1 %", "change, points", "instructions", "flash", "RAM"),
    *("est. ms", "constants", "golden mismatches"),
)
PASSES = "cluster:16"


def measure(model: str, folder: Path, cores: list[str]) -> list[dict[str, Any]]:
    """The figures of one model, an entry for each core."""
    import edgekit

    with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
        builds = edgekit.build_all(
            folder / MODELS[model],
            [TARGETS[core] for core in cores],
            output=Path(scratch),
            fidelity=False,
            force=True,
        )
        return [{"model": model, "core": core, **benched(build)}
                for core, build in zip(cores, builds, strict=True)]  # fmt: skip


def benched(build: Any) -> dict[str, Any]:
    """What a build costs on the emulated core of its target."""
    from edgekit.harness.bench import bench
    from edgekit.harness.wanted import Wanted

    if build.manifest["c_project"] is None:
        said = [one["message"] for one in build.manifest["problems"]]
        sys.exit(f"{build.folder.name}: {'; '.join(said)}")
    report = bench(build, Wanted("qemu")).to_json()
    emulated = report["emulated"] or {}
    return {
        "target": report["target"],
        "golden": report["golden"],
        "weights_bytes": build.manifest["c_project"]["weights_bytes"],
        "tools": report["environment"].get("tools"),
        **{key: emulated.get(key) for key in _FIGURES},
    }


_FIGURES = (
    *("instructions", "flash_bytes", "ram_bytes", "stack_bytes", "cycles_estimated"),
    *("latency_ms_estimated", "energy_mj_estimated", "layers", "machine"),
)


def row(found: dict[str, Any]) -> str:
    """A line of the table."""
    name = re.search(r"`(\w+)`", found["model"])
    theirs = TFLM.get((name[1] if name else "", found["core"]))
    others = (theirs.instructions, theirs.flash, theirs.ram, theirs.stack) if theirs else [None] * 4
    cells = [
        found["model"],
        found["core"].removeprefix("cortex-").upper().replace("PLUS", "+"),
        *(_count(found[key]) for key in _FIGURES[:4]),
        _short(found["latency_ms_estimated"]),
        _short(found["energy_mj_estimated"]),
        _golden(found),
        *map(_count, others),
    ]
    return f"| {' | '.join(cells)} |"


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _golden(found: dict[str, Any]) -> str:
    golden = found["golden"]
    said = f"{golden['mismatched']} of {golden['compared']:,}"
    return f"{said}: {golden['detail']}" if golden["detail"] else said


def table(columns: tuple[str, ...], rows: list[str]) -> str:
    """Markdown."""
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def caption(found: list[dict[str, Any]]) -> str:
    """What the table shows."""
    tools = next((one["tools"] for one in found if one["tools"]), ["gcc", "qemu"])
    boards = ", ".join(f"{TARGETS[core]}" for core in dict.fromkeys(one["core"] for one in found))
    text = (
        f"Real int8 models as plain C (`balanced`), for {boards}: instructions of one inference "
        f"and the deepest stack in {tools[1]}; bytes of flash and RAM of the smallest program "
        f"around the model by {tools[0]}, with input, output and all that lies between. "
        "Milliseconds and millijoules are estimated from the instructions, and missing where no "
        f"source gives the clock, the cycles or their energy. TFLM: {TFLM_SOURCE}."
    )
    return textwrap.fill(text, 100, break_on_hyphens=False)


def clustered(folder: Path) -> list[dict[str, Any]]:
    """Keywords as plain int8 and with 16 weights, on the rows that nothing else saw."""
    import edgekit

    options = {key: placed(value, folder) for key, value in KWS.items()}
    found = []
    with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
        for passes in ("", PASSES):
            more = {"compress": passes, "fine_tune": SOUNDS} if passes else {}
            build = edgekit.build(
                folder / "kws_dscnn/kws_ref_model_from_savedmodel.h5",
                TARGETS["cortex-m4"],
                output=Path(scratch) / (passes or "plain").replace(":", "-"),
                **options,
                **more,
            )
            accuracy, forms = build.manifest["accuracy"], build.manifest["c_project"]["weights"]
            found.append({"passes": passes, "accuracy": accuracy, "forms": forms, **benched(build)})
    return found


def clustered_rows(found: list[dict[str, Any]]) -> list[str]:
    """Two lines, and their ratio."""
    plain, few = found
    rows = []
    for one in found:
        change = one["accuracy"]["drop"] - plain["accuracy"]["drop"]
        cells = [
            f"`{one['passes']}`" if one["passes"] else "int8",
            f"{_top1(one):.1f} ({one['accuracy']['samples']} samples)",
            f"{-change:+.1f}" if one["passes"] else "-",
            *(_count(one[key]) for key in _FIGURES[:3]),
            _short(one["latency_ms_estimated"]),
            _count(one["weights_bytes"]),
            _golden(one),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    keys = (*_FIGURES[:3], "latency_ms_estimated", "weights_bytes")
    ratios = [f"{few[key] / plain[key]:.2f}" for key in keys]
    return [*rows, f"| ratio | | | {' | '.join(ratios)} | |"]


def _top1(one: dict[str, Any]) -> float:
    return float(one["accuracy"]["built"])


def write(name: str, text: str) -> None:
    """Put `text` between the marks of the README."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    old = README.read_text(encoding="utf-8")
    if begin not in old or end not in old:
        sys.exit(f"README.md has no {begin} ... {end}")
    head, rest = old.split(begin, 1)
    README.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of the names of the models to run")
    parser.add_argument("--cores", default=",".join(TARGETS), help="with commas between them")
    parser.add_argument("--clustered", action="store_true", help="the table of clustered weights")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    folder, cores = given.folder.resolve(), given.cores.split(",")
    if unknown := set(cores) - set(TARGETS):
        parser.error(f"no such core: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if given.clustered:
        found = clustered(folder)
        name, text = "clustered figures", table(_CLUSTERED, clustered_rows(found))
    else:
        chosen = [model for model in MODELS if given.only in model + MODELS[model]]
        with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            jobs = [pool.submit(measure, model, folder, cores) for model in chosen]
            found = [one for job in jobs for one in job.result()]
        rows = [row(one) for one in found]
        name, text = "compiler figures", f"{caption(found)}\n\n{table(_COLUMNS, rows)}"
    print(text)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if given.write:
        write(name, text)
    if any(one["golden"]["mismatched"] or one["golden"]["detail"] for one in found):
        sys.exit("golden vectors were missed")


if __name__ == "__main__":
    main()
