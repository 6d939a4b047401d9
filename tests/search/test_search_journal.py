"""The journal of a study: read as whole trials, it holds what Optuna reads line by line."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from edgekit.errors import UsageError
from edgekit.search.journal import Journal
from edgekit.search.storage import NAME, open_study


def study_of(path: Path) -> optuna.Study:
    """Trials in every state, with all that can be set of one, some of them at once."""
    study = open_study(path, ["minimize", "maximize"], {"seed": 3}, False)
    for number in range(6):
        trial = study.ask()
        trial.suggest_int("prune.sparsity", 0, 6)
        trial.suggest_categorical("compile.optimize", ("size", "speed"))
        trial.suggest_float("rate", 1e-4, 1e-2, log=True)
        trial.set_user_attr("outcome", {"figures": {"drop": 0.5}, "text": "a\nline"})
        study._storage.set_trial_system_attr(trial._trial_id, "constraints", [0.0, 1.5])
        if number == 0:
            running = trial
        elif number == 3:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        elif number == 4:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, [number / 3, 7.0])
    running.suggest_int("late", 0, 3)
    study.add_trial(
        optuna.create_trial(
            params={"late": 2},
            distributions={"late": optuna.distributions.IntDistribution(0, 3)},
            values=[1.0, 2.0],
        )
    )
    return study


def test_whole_trials_are_what_the_lines_say(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    written = study_of(path).get_trials()
    plain = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name=NAME, storage=plain)
    assert study.get_trials() == written
    again = open_study(path, ["minimize", "maximize"], {"seed": 3}, True)
    assert again.get_trials() == written
    assert again.user_attrs == study.user_attrs


def test_others_write_on_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    study_of(path)
    one = open_study(path, ["minimize", "maximize"], {"seed": 3}, True)
    other = pickle.loads(pickle.dumps(one))  # as a trial on another machine has it
    for study in (one, other, one):
        study.tell(study.ask(), [0.0, 0.0])
    assert one.get_trials() == other.get_trials()
    assert len(one.trials) == 10


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    written = study_of(path).get_trials()
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:40])
    again = open_study(path, ["minimize", "maximize"], {"seed": 3}, True)
    assert again.get_trials() == written
    again.tell(again.ask(), [0.0, 0.0])
    third = open_study(path, ["minimize", "maximize"], {"seed": 3}, True)
    assert third.get_trials() == again.get_trials()


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    for text in ("{}\n", "[]\n", '{"op_code": 5, "trial_id": 3}\n', "1,2\n"):
        path.write_text(text)
        with pytest.raises(UsageError, match="no study of edgekit search"):
            open_study(path, ["minimize"], {}, True)


@pytest.mark.slow
def test_ten_thousand_trials_are_opened_in_two_seconds(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    study_of(path)
    lines = path.read_text().splitlines()
    made = [line for line in lines if json.loads(line).get("trial_id") == 1]
    create = next(line for line in lines if json.loads(line)["op_code"] == 4)
    head = [line for line in lines if json.loads(line)["op_code"] < 4]
    with path.open("w") as file:
        file.write("\n".join(head) + "\n")
        for number in range(10_000):
            its = (line.replace('"trial_id":1,', f'"trial_id":{number},') for line in made)
            file.write("\n".join((create, *its)) + "\n")
    began = time.process_time()
    study = open_study(path, ["minimize", "maximize"], {"seed": 3}, True)
    taken = time.process_time() - began
    assert len(study.get_trials(deepcopy=False)) == 10_000
    assert taken < 2.0
    assert isinstance(study._storage._backend, Journal)  # type: ignore[attr-defined]
