"""`.keras` archives: written by Keras 3 (loaded by Keras 3) or by Keras 2 (loaded by tf_keras)."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from edgekit import _tf
from edgekit.errors import DISK_FULL, ModelError
from edgekit.importers import _config, _hdf5
from edgekit.importers._hdf5_child import SAVE_AGAIN
from edgekit.importers._keras_object import import_keras
from edgekit.importers.h5 import load_file
from edgekit.model import Model

_WEIGHTS = "model.weights.h5"
_MEMBERS = ("metadata.json", "config.json")
_LARGEST = 2 << 30  # bytes unpacked: a flatbuffer cannot hold more


def load(path: Path, modules: Sequence[str] = ()) -> Model:
    """Import a `.keras` archive; see `base.load`."""
    metadata, text = _unpack(path)
    version = str(_config.parse(metadata, path).get("keras_version", ""))
    keras = _tf.tf_keras() if version.startswith("2") else _tf.keras3()
    library = _config.library(keras, modules)
    _config.check(_config.parse(text, path), library, path)
    loaded = load_file(keras, path, ".keras", library, version)
    return import_keras(loaded, path, "keras", library)


def _unpack(path: Path) -> tuple[bytes, bytes]:
    """Metadata and configuration of an archive that is whole, of sane size, and Keras's."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _members(archive, path)
    except ModelError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds on damaged archives
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise
        raise _damaged(path, "the archive cannot be read") from error


def _members(archive: zipfile.ZipFile, path: Path) -> tuple[bytes, bytes]:
    names = archive.namelist()
    missing = [name for name in _MEMBERS if name not in names]
    if missing:
        raise ModelError(
            f"{path} is a zip archive, but no Keras model: it has no {missing[0]}",
            "give the .keras file that model.save('model.keras') writes",
        )
    if _WEIGHTS not in names:
        raise ModelError(
            f"{path} has no {_WEIGHTS}: it holds a model without HDF5 weights",
            "save the model again with model.save('model.keras')",
        )
    if sum(member.file_size for member in archive.infolist()) > _LARGEST:
        raise ModelError(f"{path} unpacks to more than 2 GiB", "use a smaller model")
    bad = archive.testzip()
    if bad is not None:
        raise _damaged(path, f"the checksum of {bad} is wrong")
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        _hdf5.inspect(Path(archive.extract(_WEIGHTS, folder)), f"{path}:{_WEIGHTS}")
    return archive.read(_MEMBERS[0]), archive.read(_MEMBERS[1])


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(f"{path} is damaged: {what}", SAVE_AGAIN)
