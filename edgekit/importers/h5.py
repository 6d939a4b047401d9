"""`.h5` models: of legacy Keras (loaded by tf_keras) and of Keras 3 (loaded by Keras 3)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgekit import _tf
from edgekit.errors import ModelError
from edgekit.importers import _config
from edgekit.importers._hdf5 import inspect
from edgekit.importers._keras_object import import_keras, load_error
from edgekit.model import Model


def load(path: Path, modules: Sequence[str] = ()) -> Model:
    """Import an HDF5 model; see `base.load`."""
    report = inspect(path)
    if report.model_config is None:
        raise ModelError(
            f"{path} holds no model, only weights or other data",
            "build the model in Python, load the weights into it, and save all of it: "
            "model.save('model.keras')",
        )
    keras = _tf.keras3() if report.format == "h5-keras3" else _tf.tf_keras()
    library = _config.library(keras, modules)
    _config.check(_config.parse(report.model_config, path), library, path)
    loaded = load_file(keras, path, ".h5", library, report.keras_version or "2")
    return import_keras(loaded, path, report.format, library)


def load_file(keras: Any, path: Path, suffix: str, library: _config.Library, version: str) -> Any:
    """The model in a checked file, uncompiled; Keras chooses the format by the suffix.

    Raises:
        ModelError: Keras refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        link = Path(folder) / f"model{suffix}"
        link.symlink_to(path.resolve())
        try:
            with _tf.silent():
                return keras.models.load_model(
                    str(link), custom_objects=dict(library.known), compile=False
                )
        except Exception as error:
            raise load_error(path, version, error) from error
