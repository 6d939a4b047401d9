"""Readers, one file a kind of data; `open_source` finds the one that fits a path."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from edgekit.data.readers import _folder
from edgekit.data.readers.base import Reader
from edgekit.data.spec import Spec
from edgekit.errors import DataError
from edgekit.model import TensorSpec


@cache
def kinds() -> dict[str, ModuleType]:
    """Reader modules by suffix, found because they are there."""
    found = {}
    for item in pkgutil.iter_modules(__path__):
        if not item.name.startswith("_") and item.name != "base":
            module = importlib.import_module(f"{__name__}.{item.name}")
            found.update(dict.fromkeys(module.SUFFIXES, module))
    return found


def open_source(spec: Spec, inputs: tuple[TensorSpec, ...] = ()) -> Reader:
    """The reader of what `spec` names; nothing but headers and labels is read.

    Raises:
        DataError: nothing that edgekit reads, or damaged.
    """
    if spec.module:
        reader: Reader = kinds()["python:"].open_file(spec, inputs)
        return reader
    items = {suffix: kind for suffix, kind in kinds().items() if hasattr(kind, "load")}
    if spec.path.is_dir():
        return _folder.open_folder(spec, items)
    suffix = spec.path.suffix.lower()
    module = kinds().get(suffix)
    if module is None:
        raise DataError(
            f"{spec.path}: edgekit does not read {suffix or 'files without suffix'}",
            f"give {', '.join(s for s in kinds() if s[0] == '.')}, a folder of such, or "
            "python:module:function",
        )
    if hasattr(module, "open_file"):
        opened: Reader = module.open_file(spec, inputs)
        return opened
    return _folder.open_item(spec, items)
