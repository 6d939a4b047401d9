"""The child of `_hdf5`: walk an HDF5 file and print what is in it as JSON.

Stands alone, so that it starts fast and wherever the parent was started: nothing of edgekit.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SAVE_AGAIN = "copy or download the file again, or save the model again"
LARGEST = 2 << 30  # bytes of weights: a flatbuffer cannot hold more
SECONDS = 120
_DEEPEST = 64


class Refused(Exception):
    """What is wrong and what to do: message and hint."""


def examine(path: str) -> dict[str, Any]:
    """Read all of the file; version of Keras and configuration of the model.

    Raises:
        Refused: It has links, data in other files, circles, or more than 2 GiB.
        Exception: Whatever h5py raises on damage.
    """
    import h5py

    with h5py.File(path, "r") as file:
        _walk(file, "", frozenset(), 0)
        version = _text(file.attrs.get("keras_version", ""))
        if not version and "model_weights" in file:
            version = _text(file["model_weights"].attrs.get("keras_version", ""))
        config = file.attrs.get("model_config")
        return {
            "keras_version": version,
            "model_config": None if config is None else _text(config),
        }


def _walk(group: Any, path: str, above: frozenset[int], total: int) -> int:
    """Read all below `group`; returns the bytes of data found so far."""
    import h5py

    address = h5py.h5o.get_info(group.id).addr
    if address in above or len(above) > _DEEPEST:
        raise Refused("is damaged: its groups are nested in a circle", SAVE_AGAIN)
    _attributes(group)
    for name in group:
        where = f"{path}/{name}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise Refused(f"is refused: {where} links to another place or file", SAVE_AGAIN)
        item = group[name]
        if isinstance(item, h5py.Group):
            total = _walk(item, where, above | {address}, total)
        elif isinstance(item, h5py.Dataset):
            total = _dataset(item, where, total)
    return total


def _dataset(data: Any, where: str, total: int) -> int:
    if data.external or data.is_virtual:
        raise Refused(f"is refused: {where} keeps its data in another file", SAVE_AGAIN)
    total += int(data.nbytes)
    if total > LARGEST:
        raise Refused(f"is too large: {where} brings it over 2 GiB", "use a smaller model")
    _attributes(data)
    data[()]
    return total


def _attributes(item: Any) -> None:
    for key in item.attrs:
        item.attrs[key]


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _limit() -> None:
    """Damage must not eat the machine: bound this process's time and memory."""
    try:
        import resource
    except ImportError:  # not on this platform; the parent's timeout remains
        return
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (4 * LARGEST, 4 * LARGEST))


def main(path: str) -> None:
    """Print the report of `path`, or what is wrong with it, as JSON."""
    _limit()
    try:
        found = examine(path)
    except Refused as refused:
        found = {"error": refused.args[0], "hint": refused.args[1]}
    except ImportError as error:
        found = {
            "error": f"cannot be read: {error}",
            "hint": "install h5py: it comes with tensorflow",
        }
    except Exception:  # h5py raises many kinds on damaged files
        found = {"error": "is damaged: the HDF5 library cannot read it", "hint": SAVE_AGAIN}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
