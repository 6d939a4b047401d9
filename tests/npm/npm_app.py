"""Three real models as npm packages in an app that was empty."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import edgekit
from edgekit.npm.package import package_name
from edgekit.preprocess import Preprocess, parse

NPM = ("--silent", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
COUNT = 20


@dataclass(frozen=True)
class App:
    """Packages in a folder, and what they are made of.

    Attributes:
        folder: What npm has installed into.
        models: By name of the package.
    """

    folder: Path
    models: dict[str, Made]


@dataclass(frozen=True)
class Made:
    """A model of the app: its build, raw rows with their preprocessing, names of classes."""

    build: edgekit.Build
    rows: NDArray[Any]
    preprocess: Preprocess
    labels: tuple[str, ...]


@dataclass(frozen=True)
class _Case:
    path: str
    data: str
    array: str
    preprocess: str


CASES = {
    "Straße & Bilder": _Case(
        "ic_resnet8/pretrainedResnet.h5",
        "ic_resnet8/cifar10_test_0_499.npz",
        "x",
        "raw",
    ),
    "key-words": _Case(
        "kws_dscnn/kws_ref_model_from_savedmodel.h5",
        "kws_dscnn/kws01_even500.npz",
        "x_int8",
        "scale=0.5847,offset=-48.5301",
    ),
    "mnist": _Case(
        "mnist_keras3/mnist_cnn.keras", "mnist_keras3/mnist_t10k_0_4999.npz", "x", "unit"
    ),
}
"""Pictures, sound and a Keras 3 model, each int8 with float32 inputs and outputs.

Float models are not bit-exact: kernels of each processor approximate their softmax otherwise.
"""


def make_app(real_models: Path, folder: Path) -> App:
    """The three packages, packed and installed by npm beside LiteRT.js; skips without npm."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    app = App(folder / "app", {})
    app.folder.mkdir()
    packages = []
    for name, case in CASES.items():
        app.models[package_name(name)] = made = _made(name, case, real_models, folder)
        packed = npm(app.folder, "pack", "--silent", str(made.build.folder / "npm"))
        packages.append(f"./{packed.strip()}")
    try:
        npm(app.folder, "install", *NPM, "@litertjs/core@2.5", "typescript@5", *packages)
    except AssertionError as error:
        pytest.skip(f"@litertjs/core and typescript cannot be had from npm: {error}")
    return app


def _made(name: str, case: _Case, real_models: Path, folder: Path) -> Made:
    model = folder / f"{name}{Path(case.path).suffix}"
    shutil.copy(real_models / case.path, model)
    data = real_models / case.data
    with np.load(data) as arrays:
        rows = arrays[case.array][-COUNT:]
        names = list(arrays["labels"]) if "labels" in arrays else []
    labels = folder / f"{name}.txt"
    labels.write_text("\n".join(names))
    build = edgekit.build(
        model,
        "web",
        calibration=[f"{data}:{case.array}[:{COUNT}]"],
        preprocess=case.preprocess,
        fidelity=False,
        output=folder / name,
        labels=labels if names else None,
    )
    return Made(build, rows, parse(case.preprocess), tuple(names))


def npm(folder: Path, *arguments: str) -> str:
    """What a command of npm prints."""
    done = subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout
