"""What can be chosen by name: files of a folder of the package, and entry points of other packages.

A name is a file of `edgekit/<package>/`; another distribution adds one with an entry point of the
group `edgekit.<package>`. Listing imports none of them.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# The class that a file of the folder defines; files of other folders are used as modules.
ROLES = {
    "devices": "Driver",
    "exporters": "Exporter",
    "passes": "Pass",
    "power": "Meter",
    "quantizers": "Quantizer",
    "zoo": "Network",
}
_CONTRACT = "base"
_NOUNS = {
    "power": "meter",
    "zoo": "network",
}  # where the folder's name is not the plural of what it holds


def names(package: str) -> list[str]:
    """Names that can be loaded from `package`, sorted.

    Args:
        package: Folder below `edgekit`, dotted: `exporters`, `calibrate.estimators`.

    `base` (the contract) and names that begin with `_` are not listed.
    """
    return sorted({*_files(package), *_entry_points(package)})


def load(package: str, name: str) -> Any:
    """The class of a role (`Exporter`, `Quantizer`) called `name`, or the module elsewhere.

    A file of the package goes before an entry point of the same name.

    Raises:
        UsageError: There is no such name, or the other package's entry point does not import.
    """
    if name in _files(package):
        found: Any = importlib.import_module(f"edgekit.{package}.{name}")
    else:
        found = _plugin(package, name)
    return getattr(found, ROLES.get(package, ""), found)


def shipped(package: str, name: str) -> bool:
    """Whether a file of the package has this name; unlike `names` it asks no other packages."""
    return name in _files(package)


def require(package: str, name: str) -> None:
    """Refuse a name that cannot be loaded; nothing is imported.

    Raises:
        UsageError: There is no such name.
    """
    if not shipped(package, name) and name not in names(package):
        raise UsageError(f"no {_noun(package)} '{name}'", did_you_mean(name, names(package)))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: its nearest neighbour, or all there are."""
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(choices) or 'none'}"


@functools.cache
def _files(package: str) -> tuple[str, ...]:
    folder = Path(__file__).parent.joinpath(*package.split("."))
    found = [path.stem for path in folder.glob("[!_]*.py")]
    found += [path.parent.name for path in folder.glob("[!_]*/__init__.py")]
    return tuple(sorted(name for name in found if name != _CONTRACT))


def _noun(package: str) -> str:
    return _NOUNS.get(package, package.rpartition(".")[2].removesuffix("s"))


def _entry_points(package: str) -> dict[str, EntryPoint]:
    group = f"edgekit.{package}"
    if not any(_may_have(folder or ".", group) for folder in sys.path):
        return {}
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=group)}


def _may_have(folder: str, group: str) -> bool:
    """Whether a distribution in a folder of the path may have entry points of the group.

    `importlib.metadata`, which knows, takes `email` and `socket` along: a third of a listing.
    """
    if not os.path.isdir(folder):
        return os.path.exists(folder)  # a zip file
    infos = [name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info"))]
    return any(_mentions(Path(folder, name, "entry_points.txt"), group) for name in infos)


def _mentions(path: Path, group: str) -> bool:
    try:
        return group.encode() in path.read_bytes()
    except OSError:
        return False


def _plugin(package: str, name: str) -> Any:
    point = _entry_points(package).get(name)
    if point is None:
        raise UsageError(f"no {_noun(package)} '{name}'", did_you_mean(name, names(package)))
    try:
        return point.load()
    except Exception as error:
        raise UsageError(
            f"{package} '{name}' of {point.value} cannot be imported: {error}",
            "repair or uninstall the package that provides it",
        ) from error
