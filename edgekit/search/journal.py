"""The journal of a study, opened in half the time: what is written of a trial is one record.

Optuna's journal has a line for each thing that is set of a trial: ten or more. Replaying each takes
most of the time in which a long study is opened, so the lines are read and put together first: a
trial then is created with all that was set. The file is Optuna's own, and stays as it is.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any

from optuna.exceptions import ExperimentalWarning
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend, JournalFileOpenLock
from optuna.trial import TrialState

Record = dict[str, Any]


class Operation(IntEnum):
    """Of a line, by its `op_code`; those of studies are left as they are."""

    DELETE_STUDY = 1
    CREATE_TRIAL = 4
    PARAM = 5
    STATE = 6
    INTERMEDIATE = 7
    USER_ATTR = 8
    SYSTEM_ATTR = 9


class Journal(BaseJournalBackend):
    """Optuna's journal in a file, read as whole trials when it is opened.

    Args:
        path: Of the file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            lock = JournalFileOpenLock(str(path))
            self._file = JournalFileBackend(str(path), lock_obj=lock)
        self._path = path
        whole = path.read_bytes().rpartition(b"\n")
        if whole[2]:  # a line that a kill cut off: the next would be written behind it
            os.truncate(path, len(whole[0]) + len(whole[1]))
        self._merged = 0  # lines that went into others when it was opened

    def read_logs(self, log_number_from: int) -> Iterable[Record]:
        """Records after so many; from the beginning on they are whole trials."""
        if log_number_from:
            return self._file.read_logs(log_number_from + self._merged)
        whole = self._path.read_bytes().rpartition(b"\n")[0]
        # decoded at once, which takes a third of the time that line by line does
        lines = json.loads(b"[%s]" % whole.replace(b"\n", b","))
        records = merged(lines)
        self._merged = len(lines) - len(records)
        return records

    def append_logs(self, logs: list[Record]) -> None:
        """A line for each."""
        self._file.append_logs(logs)


def merged(lines: list[Record]) -> list[Record]:
    """The same study in fewer records, which Optuna replays to the same trials."""
    if any(line["op_code"] == Operation.DELETE_STUDY for line in lines):
        return lines  # trials of it have no numbers
    records: list[Record] = []
    trials: list[Record] = []
    for line in lines:
        put = _PUT.get(line["op_code"])
        if put is None:
            records.append(line)
            if line["op_code"] == Operation.CREATE_TRIAL:
                trials.append(line)
        elif not TrialState(trials[line["trial_id"]].get("state", 0)).is_finished():
            put(trials[line["trial_id"]], line)
    return records


def _param(trial: Record, line: Record) -> None:
    name = line["param_name"]
    trial.setdefault("params", {})[name] = line["param_value_internal"]
    trial.setdefault("distributions", {})[name] = line["distribution"]


def _state(trial: Record, line: Record) -> None:
    trial["state"] = line["state"]
    if line["values"] is not None:
        trial["values"], trial["value"] = line["values"], None
    trial |= {key: line[key] for key in ("datetime_start", "datetime_complete") if key in line}


def _intermediate(trial: Record, line: Record) -> None:
    trial.setdefault("intermediate_values", {})[line["step"]] = line["intermediate_value"]


def _user_attr(trial: Record, line: Record) -> None:
    trial.setdefault("user_attrs", {}).update(line["user_attr"])


def _system_attr(trial: Record, line: Record) -> None:
    trial.setdefault("system_attrs", {}).update(line["system_attr"])


_PUT: dict[int, Callable[[Record, Record], None]] = {
    Operation.PARAM: _param,
    Operation.STATE: _state,
    Operation.INTERMEDIATE: _intermediate,
    Operation.USER_ATTR: _user_attr,
    Operation.SYSTEM_ATTR: _system_attr,
}
