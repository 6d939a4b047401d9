"""Damaged files by the thousand: a ModelError or a model, nothing else, and always an end."""

from __future__ import annotations

import io
import shutil
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit import _tf
from edgekit.errors import ModelError
from edgekit.importers.base import load


def write(folder: Path, name: str) -> Path:
    """A small net in one of the formats."""
    keras = _tf.tf_keras() if name.startswith("old") else _tf.keras3()
    layers = keras.layers
    net = keras.Sequential(
        [
            layers.Input((8, 8, 1), name="image"),
            layers.Conv2D(2, 3, strides=2, activation="relu", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="scores"),
        ]
    )
    path = folder / name.replace(".tflite", ".keras")
    with _tf.silent():
        net.save(path)
    if name.endswith(".tflite"):
        (folder / name).write_bytes(load(path).tflite)
    return folder / name


def damaged(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Every fourth is cut, the others have 1 to 64 bits flipped."""
    if turn % 4 == 0:
        return data[: rng.integers(0, len(data))]
    changed = bytearray(data)
    for position in rng.integers(0, len(data), int(rng.choice([1, 1, 2, 8, 64]))):
        changed[position] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def repacked(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """A whole archive, with right checksums, around a damaged configuration or weights."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        victim = source.namelist()[turn % len(source.namelist())]
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, damaged(content, rng, turn) if name == victim else content)
    return out.getvalue()


def outcome(path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "loaded" if load(path).tflite else "nothing"
        except ModelError as error:
            fine = error.message and error.hint and len(error.message) < 500
            return "refused" if fine else "refused without reason"


FAST = [("net.keras", damaged, 10), ("net.keras", repacked, 6), ("net.tflite", damaged, 10)]
THOUSAND = [
    ("net.keras", damaged, 100),
    ("old.keras", damaged, 50),
    ("net.keras", repacked, 150),
    ("old.keras", repacked, 150),
    ("net.h5", damaged, 200),
    ("old.h5", damaged, 200),
    ("net.tflite", damaged, 200),
]


def fuzz(folder: Path, name: str, damage: Any, count: int, seed: int) -> Counter[str]:
    source = write(folder, name)
    data, rng = source.read_bytes(), np.random.default_rng(seed)
    results: Counter[str] = Counter()
    for turn in range(count):
        path = folder / f"turn-{turn}{source.suffix}"
        path.write_bytes(damage(data, rng, turn))
        results[outcome(path)] += 1
        path.unlink()
    return results


@pytest.mark.parametrize(("name", "damage", "count"), FAST)
def test_a_few_damaged_files(tmp_path: Path, name: str, damage: Any, count: int) -> None:
    results = fuzz(tmp_path, name, damage, count, seed=1)
    assert set(results) <= {"refused", "loaded"}
    assert results["refused"] >= count // 4


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage", "count"), THOUSAND)
def test_a_thousand_damaged_files(tmp_path: Path, name: str, damage: Any, count: int) -> None:
    results = fuzz(tmp_path, name, damage, count, seed=2)
    assert set(results) <= {"refused", "loaded"}
    assert results["refused"] >= count // 4
    assert results.total() == count


@pytest.mark.slow
@pytest.mark.parametrize("library", ["keras3", "tf_keras"])
def test_a_hundred_damaged_savedmodels(tmp_path: Path, library: str) -> None:
    keras = getattr(_tf, library)()
    net = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(3, activation="relu")])
    with _tf.silent():
        whole = tmp_path / "whole"
        net.save(whole) if library == "tf_keras" else net.export(whole, verbose=False)
    rng = np.random.default_rng(3)
    names = [file.relative_to(whole) for file in sorted(whole.rglob("*")) if file.is_file()]
    results: Counter[str] = Counter()
    for turn in range(100):
        folder = tmp_path / f"turn-{turn}"
        shutil.copytree(whole, folder)
        victim = folder / names[turn % len(names)]
        victim.write_bytes(damaged(victim.read_bytes(), rng, turn))
        results[outcome(folder)] += 1
        shutil.rmtree(folder)
    assert set(results) <= {"refused", "loaded"}
    assert results["refused"] >= 25
