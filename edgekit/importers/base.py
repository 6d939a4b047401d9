"""The contract of an importer: a path in, a proved `Model` out; the content decides which one.

To add a format: write `importers/<format>.py` with `load(path, modules) -> Model` that raises
`ModelError` for whatever is wrong with the file and executes nothing that comes out of it, teach
`_container` its first bytes, and prove the flatbuffer with `importers.prove.prove`.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from edgekit.errors import ModelError
from edgekit.graph.graph import Graph
from edgekit.graph.read import is_tflite
from edgekit.model import Format, Model, TensorSpec
from edgekit.problem import Problem

KINDS = "a .keras or .h5 model, a SavedModel folder, an .onnx or a .tflite file"
SUFFIXES = {
    "keras": (".keras",),
    "h5": (".h5", ".hdf5"),
    "saved_model": (),
    "onnx": (".onnx",),
    "tflite": (".tflite", ".lite"),
}
_ZIP, _HDF5 = b"PK", b"\x89HDF\r\n\x1a\n"
_CHUNK = 1 << 20
_HDF5_OFFSETS = (0, 512, 1024, 2048)  # HDF5 specification III, II.A: a user block may come first


def load(path: Path, modules: Sequence[str] = ()) -> Model:
    """Import a model and prove the import.

    Args:
        path: File or SavedModel folder; what it is, its content says, not its suffix.
        modules: Python modules of the user to import first, that register custom layers.

    Returns:
        The model with its float (or already quantized) flatbuffer, batch 1.

    Raises:
        ModelError: There is no such file, it is damaged or no model, it holds code or
            unregistered layers, it cannot be converted, or the result is not equal to it.
        UsageError: A module of `modules` cannot be imported.
    """
    path = Path(path)
    container = _container(path)
    importer: Any = importlib.import_module(f"edgekit.importers.{container}")
    model = cast(Model, importer.load(path, tuple(modules)))
    suffixes = SUFFIXES[container]
    if not suffixes or path.suffix.lower() in suffixes:
        return model
    note = Problem(
        "note",
        str(path),
        f"the content is {model.source.format}, the suffix says {path.suffix or 'nothing'}",
        f"rename it to {path.stem}{suffixes[0]}",
    )
    return model.step("suffix ignored", problems=(*model.problems, note))


def detect(path: Path) -> Format:
    """What the file or folder is, by its content.

    Raises:
        ModelError: There is no such file, or it is no model.
    """
    container = _container(Path(path))
    if container != "h5":
        return cast(Format, container)
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


def model_name(path: Path) -> str:
    """A short name from the file's: letters, digits, `_`, `-`, `.`; starts with a letter."""
    resolved = Path(path).resolve()
    stem = resolved.name if resolved.is_dir() else resolved.stem
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).strip("_.-")
    return name if re.match(r"[A-Za-z]", name) else f"model_{name}".rstrip("_")


def specs(graph: Graph) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of a flatbuffer, in its order."""

    def spec(index: int) -> TensorSpec:
        tensor = graph.tensors[index]
        return TensorSpec(tensor.name, tensor.shape, tensor.dtype)

    return tuple(map(spec, graph.inputs)), tuple(map(spec, graph.outputs))


def _container(path: Path) -> str:
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
    if is_tflite(head):
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
