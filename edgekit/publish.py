"""Outputs are staged beside their folder and put in place in one step, the manifest last.

A kill at any moment leaves the last good build: where the system can exchange two folders
atomically (Linux `renameat2`) the staged folder takes the place of the old one; elsewhere the
files are renamed one by one, the manifest last. Files that edgekit did not write are kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from edgekit.errors import DISK_FULL, OutputError

MANIFEST = "manifest.json"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextlib.contextmanager
def lock(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the only right to write `folder`; call `waiting` once if another build has it."""
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]
    locks = Path(tempfile.gettempdir()) / f"edgekit-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    with open(locks / name, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into; on success it takes the place of `folder`.

    Raises:
        OutputError: The parent cannot be made or written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "exists and is not a folder", str(folder))
        if folder.is_dir() and not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "cannot be written", str(folder))
        _sweep(folder)
        stage = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".new", dir=folder.parent))
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise OutputError(
            f"{folder}: {error.strerror or error}", "choose a folder you can write with --output"
        ) from error
    try:
        yield stage
        stage.chmod(0o777 & ~_umask())
        _put_in_place(stage, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _put_in_place(stage: Path, folder: Path) -> None:
    if not folder.exists():
        os.rename(stage, folder)
        return
    foreign = _foreign(folder)
    taken = [name for name in foreign if (stage / name).exists()]
    if taken:
        raise OutputError(
            f"{folder / taken[0]} is not edgekit's and would be overwritten",
            "move it away, or choose another folder with --output",
        )
    if _is_busy(folder) or not _exchange_keeping(stage, folder, foreign):
        _replace_files(stage, folder)


def _exchange_keeping(stage: Path, folder: Path, foreign: list[str]) -> bool:
    """Swap the folders, foreign files linked into the new one; False where that can't be done."""
    try:
        for name in foreign:
            _link(folder / name, stage / name)
        _exchange(stage, folder)
    except (OSError, AttributeError, shutil.Error):
        for name in foreign:
            _remove(stage / name)
        return False
    return True


def _link(source: Path, place: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, place, copy_function=os.link, symlinks=True)
    else:
        os.link(source, place, follow_symlinks=False)


def _foreign(folder: Path) -> list[str]:
    """Names in `folder` that its manifest does not list."""
    ours = {MANIFEST, "report.json"}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        ours |= {Path(item["path"]).parts[0] for item in manifest["artifacts"]}
    return [name for name in sorted(os.listdir(folder)) if name not in ours]


def _replace_files(stage: Path, folder: Path) -> None:
    files = [path for path in sorted(stage.rglob("*")) if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == MANIFEST):
        place = folder / path.relative_to(stage)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one), os.fsencode(other)
    if libc.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _is_busy(folder: Path) -> bool:
    """Whether exchanging would pull the folder from under somebody: a mount or our own cwd."""
    here = Path.cwd().resolve()
    place = folder.resolve()
    return folder.is_symlink() or os.path.ismount(place) or place == here or place in here.parents


def _sweep(folder: Path) -> None:
    """Remove what a killed build left beside `folder`; the lock says that nobody is using it."""
    for stale in folder.parent.glob(f".{folder.name}.*.new"):
        shutil.rmtree(stale, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
