"""What a model file is, by its content, and its hash: known before anything heavy is imported."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from edgekit.errors import ModelError

if TYPE_CHECKING:
    from edgekit.model import Format

KINDS = "a .keras or .h5 model, a SavedModel folder, an .onnx or a .tflite file"
SUFFIXES = {
    "keras": (".keras",),
    "h5": (".h5", ".hdf5"),
    "saved_model": (),
    "onnx": (".onnx",),
    "tflite": (".tflite", ".lite"),
}
_ZIP, _HDF5 = b"PK", b"\x89HDF\r\n\x1a\n"
TFLITE = b"TFL3"
"""What a file of TensorFlow Lite has behind its first four bytes."""
_CHUNK = 1 << 20
_HDF5_OFFSETS = (0, 512, 1024, 2048)  # HDF5 specification III, II.A: a user block may come first


def detect(path: Path) -> Format:
    """What the file or folder is, by its content.

    Raises:
        ModelError: There is no such file, or it is no model.
    """
    kind = container(Path(path))
    if kind != "h5":
        return cast("Format", kind)
    from edgekit.importers._hdf5 import inspect

    return inspect(Path(path)).format


def hash_source(path: Path) -> str:
    """SHA-256 of a file; of a folder, over its sorted (relative path, file hash) pairs.

    Raises:
        ModelError: It cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            return _hash_file(path)
        files = sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file())
        lines = "".join(f"{name}\0{_hash_file(file)}\n" for name, file in files)
        return hashlib.sha256(lines.encode()).hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def container(path: Path) -> str:
    """The module of this package that reads the path's kind of container."""
    if not path.exists():
        raise ModelError(f"no such file: {path}", _suggestion(path))
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            return "saved_model"
        raise ModelError(
            f"{path} is a folder, but no SavedModel: it has no saved_model.pb",
            f"give {KINDS}",
        )
    head = _head(path)
    if not head:
        raise ModelError(f"{path} is empty", "make the file again, or copy it again")
    if head.startswith(_ZIP):
        return "keras"
    if any(head[offset : offset + len(_HDF5)] == _HDF5 for offset in _HDF5_OFFSETS):
        return "h5"
    if head[4:8] == TFLITE:
        return "tflite"
    suffix = path.suffix.lower()
    if path.name == "saved_model.pb":
        raise ModelError(f"{path} is a part of a SavedModel", f"give the folder: {path.parent}")
    if suffix == ".onnx" or (head[0] == 0x08 and suffix not in _all_suffixes()):
        return "onnx"
    raise _no_model(path, suffix)


def _no_model(path: Path, suffix: str) -> ModelError:
    if suffix in _all_suffixes():
        return ModelError(
            f"{path} is damaged, or no {suffix} file: its first bytes are those of no model",
            "copy or download it again, or save the model again",
        )
    if suffix in (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt"):
        return ModelError(
            f"{path} is no model that edgekit reads: loading it would execute code",
            f"export it from its framework as {KINDS}",
        )
    return ModelError(f"{path} is no model that edgekit knows", f"give {KINDS}")


def _all_suffixes() -> tuple[str, ...]:
    return tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


def _suggestion(path: Path) -> str:
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, 1)
    return f"did you mean {path.parent / near[0]}?" if near else f"give {KINDS}"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HDF5_OFFSETS[-1] + len(_HDF5))
    except OSError as error:
        raise _unreadable(path, error) from error


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path} cannot be read: {error.strerror or error}", "check the file and its permissions"
    )
