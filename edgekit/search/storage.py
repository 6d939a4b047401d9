"""Where a study is kept: a journal, to which each step is appended, or an SQLite data base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage

from edgekit.errors import OutputError, UsageError
from edgekit.search.journal import Journal

NAME = "edgekit"
KEY = "key"
SQLITE = (".db", ".sqlite", ".sqlite3")


def open_study(
    path: Path | None, directions: list[str], key: dict[str, Any], resume: bool
) -> optuna.Study:
    """The study at `path`, made where it is not there.

    Args:
        path: Of a journal, or of an SQLite data base (`.db`, `.sqlite`); None: in memory.
        directions: `minimize` or `maximize`, one an objective.
        key: What all its trials have in common; a resumed study must have the same.
        resume: Whether it may be there already.

    Raises:
        UsageError: It is there and `resume` is not set, or it is of another search.
        OutputError: It cannot be written.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    there = path is not None and path.exists() and path.stat().st_size > 0
    if there and not resume:
        raise UsageError(
            f"{path}: a study is there already",
            "go on with --resume, or choose another --study or --output",
        )
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        storage = _storage(path)
        study = optuna.create_study(
            storage=storage, study_name=NAME, directions=directions, load_if_exists=True
        )
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}", "choose another --study") from error
    except Exception as error:  # Optuna, SQLAlchemy, JSON: whatever a damaged file makes of them
        raise UsageError(
            f"{path}: no study of edgekit search ({type(error).__name__}: {error})",
            "choose another --study",
        ) from error
    found = study.user_attrs.get(KEY)
    if found is None:
        study.set_user_attr(KEY, key)
    elif differs := [name for name in key if found.get(name) != key[name]]:
        raise UsageError(
            f"{path}: its trials were made with another {' and '.join(differs)}",
            "resume with the same options, or begin a study with another --study",
        )
    return study


def _storage(path: Path | None) -> BaseStorage:
    if path is None:
        return InMemoryStorage()
    if path.suffix in SQLITE:
        return RDBStorage(f"sqlite:///{path.resolve()}")
    return JournalStorage(Journal(path))
