"""Outputs are staged beside their folder and put in place in one step, the manifest last.

A kill at any moment leaves the last good build: where the system can exchange two folders
atomically (Linux `renameat2`) the staged folder takes the place of the old one; elsewhere, and
where the folder itself has to stay (a mount, the current folder), the files are renamed one by
one, the manifest last. Files that edgekit did not write are kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from edgekit.errors import DISK_FULL, OutputError

MANIFEST = "manifest.json"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_ELSEWHERE = "choose a folder you can write with --output"


@contextlib.contextmanager
def lock(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the only right to write `folder`; call `waiting` once if another build has it.

    Raises:
        OutputError: The system's folder for temporary files cannot be written.
    """
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]
    try:
        locks = Path(tempfile.gettempdir()) / f"edgekit-{os.getuid()}"
        locks.mkdir(mode=0o700, exist_ok=True)
        handle = open(locks / name, "w")  # noqa: SIM115
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise OutputError(
            f"no temporary file can be made: {error.strerror or error}",
            "set TMPDIR to a folder that you can write",
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_file(place: Path, content: bytes) -> None:
    """Put a single file in place, in one step.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(content)
        os.chmod(file.name, 0o644)
        os.replace(file.name, place)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise OutputError(
            f"{place}: cannot be written: {error.strerror or error}", "choose another --output"
        ) from error


def check(folder: Path) -> None:
    """Refuse, before any work is done, a folder that cannot be written.

    Raises:
        OutputError: It is a file, lies below one, or may not be written.
    """
    place = folder.resolve()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise OutputError(f"{place}: exists and is not a folder", _ELSEWHERE)
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{place}: cannot be written", _ELSEWHERE)


def beside(folder: Path) -> Path:
    """Where something may be put that is not yet for `folder`: beside it, else in it."""
    folder = folder.resolve()
    return folder.parent if not folder.exists() or _exchangeable(folder) else folder


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into; on success it takes the place of `folder`.

    Raises:
        OutputError: The folder cannot be made or written, or holds somebody else's files of
            the same names.
    """
    folder = folder.resolve()
    try:
        check(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        parent = beside(folder)
        name = "edgekit" if parent == folder else folder.name
        stage = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".new", dir=parent))
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise OutputError(f"{folder}: {error.strerror or error}", _ELSEWHERE) from error
    try:
        with _held(stage):
            yield stage
            stage.chmod(0o777 & ~_umask())
            _put_in_place(stage, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _put_in_place(stage: Path, folder: Path) -> None:
    if not folder.exists():
        os.rename(stage, folder)
        return
    ours = _ours(folder)
    foreign = [name for name in _foreign(folder, ours, stage) if name != stage.name]
    taken = [name for name in foreign if (stage / name).exists()]
    if taken:
        raise OutputError(
            f"{folder / taken[0]} is not edgekit's and would be overwritten",
            "move it away, or choose another folder with --output",
        )
    if stage.parent == folder or not _exchange_keeping(stage, folder, foreign):
        _replace_files(stage, folder, ours)


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
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, place, copy_function=os.link, symlinks=True)
    else:
        os.link(source, place, follow_symlinks=False)


def _ours(folder: Path) -> set[str]:
    """Files in `folder` that edgekit wrote; a manifest of another kind is not edgekit's."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        artifacts = [Path(item["path"]) for item in manifest["artifacts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    inside = [path for path in artifacts if not path.is_absolute() and ".." not in path.parts]
    return {MANIFEST, "report.json", *(path.as_posix() for path in inside)}


def _foreign(folder: Path, ours: set[str], stage: Path) -> list[str]:
    """What edgekit did not write: files, and folders in which nothing is or will be edgekit's."""
    coming = {path.relative_to(stage).as_posix() for path in stage.rglob("*")}
    mixed = {parent.as_posix() for name in ours | coming for parent in Path(name).parents}

    def below(at: Path) -> Iterator[str]:
        for name in sorted(os.listdir(folder / at)):
            path = at / name
            place = folder / path
            if path.as_posix() in mixed and place.is_dir() and not place.is_symlink():
                yield from below(path)
            elif path.as_posix() not in ours:
                yield path.as_posix()

    return list(below(Path()))


def _replace_files(stage: Path, folder: Path, ours: set[str]) -> None:
    files = [path for path in sorted(stage.rglob("*")) if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == MANIFEST):
        place = folder / path.relative_to(stage)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)
    for name in ours - {path.relative_to(stage).as_posix() for path in files}:
        _remove(folder / name)
        for parent in list(Path(name).parents)[:-1]:
            with contextlib.suppress(OSError):  # not empty: it holds files of others
                (folder / parent).rmdir()


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one), os.fsencode(other)
    if libc.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _exchangeable(folder: Path) -> bool:
    """Not where it would pull the folder from under somebody: a mount or our own cwd."""
    here = Path.cwd().resolve()
    busy = os.path.ismount(folder) or folder == here or folder in here.parents
    return not busy and os.access(folder.parent, os.W_OK | os.X_OK)


@contextlib.contextmanager
def _held(stage: Path) -> Iterator[None]:
    """Mark `stage` as in use, for a build that does not see our lock (another TMPDIR or user)."""
    handle = os.open(stage, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what killed builds left: stages that nobody holds."""
    for parent, name in ((folder.parent, folder.name), (folder, "edgekit")):
        stale = re.compile(rf"\.{re.escape(name)}\.[a-z0-9_]{{8}}\.new")
        for item in os.listdir(parent) if os.access(parent, os.R_OK) else []:
            if stale.fullmatch(item) and not _in_use(parent / item):
                shutil.rmtree(parent / item, ignore_errors=True)


def _in_use(stage: Path) -> bool:
    try:
        handle = os.open(stage, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
