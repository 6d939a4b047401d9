"""What low rank reaches: an autoencoder of dense layers, and keyword spotting beside its rivals.

    python scripts/low_rank_figures.py FOLDER [--only ad|kws] [--seeds 3] [--epochs 20] [--write]

The autoencoder is shaped as that of MLPerf Tiny's anomaly detection (640-128x4-8-128x4-640, with
batch normalization) and trained here on synthetic machines: five frames of 128 log-mel bands of a
shaft's harmonics in noise; machines to judge on are others, half of them with a damaged bearing.
FOLDER holds `kws_dscnn/`: a DS-CNN and 500 inputs, of which 300 are learned from and 150 judged.
Everything is built in int8 for a Cortex-M4 and counted on an emulated one. Prints tables in
Markdown; --write puts them into the README.
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

from over_seeds import drops, interval, mean, mean_and_each  # noqa: E402
from readme_figures import write  # noqa: E402

TARGET, RATE, FRAMES, BANDS, STEPS = "cortex-m4", 16_000, 5, 128, 3000
AD = ("", "low_rank:parameters=0.4", "low_rank:parameters=0.4:weighted=false")
KWS = ("", "low_rank:0.98", "low_rank:0.95", "remove:macs=0.7", "prune:0.5")
KWS_DATA = {
    "calibration": ["kws_dscnn/kws01_even500.npz:x_int8[:50]"],
    "training": ["kws_dscnn/kws01_even500.npz:x_int8{labels}[50:350]"],
    "evaluation": ["kws_dscnn/kws01_even500.npz:x_int8,y[350:]"],
}
BEGIN, END = "<!-- measured: low rank figures -->\n", "<!-- end of low rank figures -->"
HEADS = {
    "ad": "| autoencoder | labels | parameters left | reconstruction error, times the float "
    "original's (seeds) | AUC, points below | instructions, times fewer | `.tflite`, bytes | s |\n"
    "|---|---|---|---|---|---|---|---|",
    "kws": "| DS-CNN | labels | points lost (seeds) | 95 % interval | parameters left | "
    "MACs left | instructions, times fewer | `.tflite`, bytes | s |\n"
    "|---|---|---|---|---|---|---|---|---|",
}


def sound(random: Any, damaged: bool) -> Any:
    """Two seconds of a machine [32000]: a shaft's harmonics, a motor's hum, noise of a colour."""
    import numpy as np

    time_ = np.arange(2 * RATE) / RATE
    speed = random.uniform(24, 36) * (1 + 0.01 * np.sin(2 * np.pi * random.uniform(0.3, 1) * time_))
    turned = 2 * np.pi * np.cumsum(speed) / RATE
    wave = np.zeros_like(time_)
    for number in range(1, 60):
        strength = random.lognormal(-0.4, 0.5) / number**0.7
        wave += strength * np.sin(number * turned + random.uniform(0, 2 * np.pi))
    wave += random.uniform(0.1, 0.4) * np.sin(2 * np.pi * 100 * time_)
    noise = np.fft.rfft(random.normal(size=len(time_)))
    noise /= (1 + np.arange(len(noise)) / 400) ** random.uniform(0.3, 0.7)
    wave += random.uniform(0.3, 1.0) * np.fft.irfft(noise, len(time_))
    if damaged:  # a bearing's balls hit a dent 4.7 times a turn and let the housing ring
        hits = np.diff(np.floor(4.7 * turned / (2 * np.pi)), prepend=0.0) > 0
        ring = np.exp(-np.arange(400) / 60) * np.sin(2 * np.pi * 3400 * np.arange(400) / RATE)
        wave += random.uniform(1.5, 3) * np.convolve(hits, ring)[: len(time_)]
    return wave


def features(wave: Any) -> Any:
    """Rows [n, 640]: five frames of 128 mel bands in decibels, as MLPerf Tiny's data have them."""
    import numpy as np

    size, hop = 1024, 512
    starts = np.arange(0, len(wave) - size + 1, hop)
    frames = np.stack([wave[s : s + size] for s in starts]) * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1) * size / RATE
    bins = np.arange(power.shape[1])
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    up, down = (bins - low) / (middle - low), (high - bins) / (high - middle)
    bands = power @ np.maximum(0, np.minimum(up, down)).T
    decibels = 10 * np.log10(bands + 1e-6)
    rows = [decibels[n : n + len(decibels) - FRAMES + 1] for n in range(FRAMES)]
    return np.concatenate(rows, axis=1).astype(np.float32)


def machines(seed: int, count: int, damaged: bool = False) -> Any:
    """Rows of so many recordings."""
    import numpy as np

    random = np.random.default_rng(seed)
    return np.concatenate([features(sound(random, damaged)) for _ in range(count)])


def autoencoder(rows: Any, path: Path, seed: int) -> None:
    """Train on rows and save as `.keras`."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    x = inputs = keras.Input((FRAMES * BANDS,))
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(width)(x)))
    net = keras.Model(inputs, layers.Dense(FRAMES * BANDS)(x))
    net.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, STEPS)), "mse")
    net.fit(rows, rows, batch_size=128, epochs=STEPS * 128 // len(rows), verbose=0)
    net.save(path)


def ad_set(scratch: Path) -> None:
    """The autoencoder and its rows, in a folder."""
    import numpy as np

    learned = machines(1, 150)
    learned = learned[np.random.default_rng(0).permutation(len(learned))]
    autoencoder(learned, scratch / "ad.keras", 0)
    healthy, damaged = machines(2, 20), machines(3, 20, damaged=True)
    np.savez(scratch / "learned.npz", x=learned, y=learned)
    np.savez(scratch / "healthy.npz", x=healthy, y=healthy)
    kinds = np.r_[np.zeros(len(healthy)), np.ones(len(damaged))].astype(np.int64)
    np.savez(scratch / "both.npz", x=np.concatenate([healthy, damaged]), y=kinds)


def build(model: str | Path, folder: Path, compress: str, seed: int, **options: Any) -> Any:
    """`edgekit.build` for the target; without passes where `compress` is empty."""
    import edgekit

    if not compress:
        options.pop("training", None)
        options.pop("fine_tune", None)
    else:
        options["compress"] = compress
    return edgekit.build(model, TARGET, output=folder, seed=seed, force=True, **options)


def weighed(built: Any, folder: Path) -> dict[str, Any]:
    """What a build costs."""
    import edgekit

    report = edgekit.bench(built.folder, device="qemu", output=folder)
    manifest = built.manifest
    return {
        "parameters": manifest["built"]["parameters"] / manifest["model"]["parameters"],
        "macs": manifest["built"]["macs"] / manifest["model"]["macs"],
        "bytes": manifest["ledger"][-1]["bytes"],
        "instructions": report.to_json()["emulated"]["instructions"],
    }


def run_ad(scratch: Path, compress: str, labels: bool, seed: int) -> dict[str, Any]:
    """The figures of one build of the autoencoder."""
    from edgekit.evaluate.accuracy import measure

    data = {
        "calibration": [f"{scratch}/learned.npz:x[:200]"],
        "training": [f"{scratch}/learned.npz:x{',y' if labels else ''}"],
        "evaluation": [f"{scratch}/healthy.npz:x,y"],
        "metric": "mse",
    }
    began = time.monotonic()
    built = build(scratch / "ad.keras", scratch / "built", compress, seed, **data)
    seconds = time.monotonic() - began
    tflite = (Path(built.folder) / "model.tflite").read_bytes()
    error = built.manifest["accuracy"]
    return {
        **weighed(built, scratch / "run"),
        "seconds": seconds,
        "error": error["built"] / error["float"],
        "auc": _auc(scratch, tflite, measure),
    }


def _auc(scratch: Path, tflite: bytes, measure: Any) -> float:
    """By how many points the built model tells damaged machines worse than the float original."""
    import numpy as np

    from edgekit.importers.base import load

    reference = load(scratch / "ad.keras").tflite
    with np.load(scratch / "both.npz") as file:
        rows = [(row[None],) for row in file["x"]]
        return float(measure(reference, tflite, rows, file["y"], "litert", "auc").drop)


def run_kws(folder: Path, compress: str, labels: bool, seed: int, epochs: int) -> dict[str, Any]:
    """The figures of one build of the DS-CNN."""
    data = {
        key: [f"{folder}/{spec.format(labels=',y' if labels else '')}" for spec in specs]
        for key, specs in KWS_DATA.items()
    }
    tuning = {"augment": ["time_shift=4", "noise=0.1", "mix=0.5"], "epochs": epochs}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        built = build(
            folder / "kws_dscnn/kws_ref_model",
            Path(scratch) / "built",
            compress,
            seed,
            preprocess="scale=0.5847,offset=-48.5301",
            fine_tune=tuning,
            **data,
        )
        seconds = time.monotonic() - began
        figures = weighed(built, Path(scratch) / "run")
    return {**figures, "seconds": seconds, **built.manifest["accuracy"]}


def row_ad(compress: str, labels: bool, runs: list[dict[str, Any]], plain: float) -> str:
    """A line of the table."""
    errors = mean_and_each((one["error"] for one in runs), 3)
    return (
        f"| `{compress or 'int8 alone'}` | {_labels(compress, labels)} | "
        f"{mean(runs, 'parameters'):.3f} | {errors} | "
        f"{mean(runs, 'auc'):.2f} | {plain / mean(runs, 'instructions'):.2f} | "
        f"{mean(runs, 'bytes'):,.0f} | {mean(runs, 'seconds'):.0f} |"
    )


def row_kws(compress: str, labels: bool, runs: list[dict[str, Any]], plain: float) -> str:
    """A line of the table."""
    return (
        f"| `{compress or 'int8 alone'}` | {_labels(compress, labels)} | {drops(runs, 1)} | "
        f"{interval(runs, 1)} | "
        f"{mean(runs, 'parameters'):.3f} | {mean(runs, 'macs'):.3f} | "
        f"{plain / mean(runs, 'instructions'):.2f} | {mean(runs, 'bytes'):,.0f} | "
        f"{mean(runs, 'seconds'):.0f} |"
    )


def _labels(compress: str, labels: bool) -> str:
    return ("yes" if labels else "no") if compress else "-"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=["ad", "kws"])
    parser.add_argument("--passes", help="one chain in place of the table's")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20, help="of the DS-CNN")
    parser.add_argument("--write", action="store_true", help="put the tables into the README")
    given = parser.parse_args()
    tables = []
    for name, chains, line in (("ad", AD, row_ad), ("kws", KWS, row_kws)):
        if given.only in (None, name):
            tables.append(table(name, chains, line, given))
            print(tables[-1] + "\n", flush=True)
    if given.write:
        write("\n\n".join(tables) + "\n", BEGIN, END)


def table(name: str, chains: tuple[str, ...], line: Any, given: argparse.Namespace) -> str:
    """The lines of one of the tables."""
    chosen = ("", given.passes) if given.passes else chains
    lines, plain = [HEADS[name]], 0.0
    with tempfile.TemporaryDirectory() as text:
        scratch = Path(text)
        if name == "ad":
            ad_set(scratch)
        for compress, labels in [
            (c, n) for c in chosen for n in ((False, True) if c else (False,))
        ]:
            runs = []
            for seed in range(given.seeds if compress else 1):
                if name == "ad":
                    runs.append(run_ad(scratch, compress, labels, seed))
                else:
                    folder = given.folder.resolve()
                    runs.append(run_kws(folder, compress, labels, seed, given.epochs))
                print(name, compress, labels, seed, runs[-1], file=sys.stderr, flush=True)
            plain = plain or mean(runs, "instructions")
            lines.append(line(compress, labels, runs, plain))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
