"""Which versions of which packages have a say in a result."""

from __future__ import annotations

import importlib.metadata

PACKAGES = (
    "ai-edge-litert",
    "keras",
    "numpy",
    "onnx",
    "onnx2tf",
    "onnxruntime",
    "tensorflow",
    "tensorflow-model-optimization",
    "tf-keras",
    "tflite-micro",
)


def versions() -> dict[str, str]:
    """Installed versions of the packages that have a say in the result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
