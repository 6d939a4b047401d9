"""When trials are drawn and told; no cluster is needed for that."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from edgekit.errors import UsageError
from edgekit.progress import Progress
from edgekit.search.batching import Batching, slots
from edgekit.search.executor import Sequential
from edgekit.search.executors import make_executor

GB = float(1 << 30)


def test_each_trial_is_on_one_machine() -> None:
    machines = [{"CPU": 4, "memory": 3 * GB}, {"CPU": 3.0, "memory": 16 * GB}, {"memory": 9 * GB}]
    assert slots(machines, {"CPU": 1, "memory": GB}) == 3 + 3
    assert slots(machines, {"CPU": 2, "memory": GB}) == 2 + 1
    assert slots(machines, {"CPU": 5, "memory": 0}) == 0
    assert slots([{"CPU": 0.3}], {"CPU": 0.1}) == 3
    assert slots([], {"CPU": 1}) == 0


def test_without_batches_there_is_a_trial_for_each_room() -> None:
    policy, ended = Batching(), {4: "d", 2: "b"}
    assert [policy.room(3, running) for running in (0, 2, 3, 5)] == [3, 1, 0, 0]
    assert policy.due(ended, running=2) == ["b", "d"]
    assert ended == {}


def test_a_batch_is_drawn_together_and_told_in_order() -> None:
    policy, ended = Batching(4), {3: "c", 1: "a"}
    assert [policy.room(2, running) for running in (0, 1, 4)] == [4, 0, 0]
    assert policy.due(ended, running=2) == []
    ended |= {2: "b", 0: "z"}
    assert policy.due(ended, running=0) == ["z", "a", "b", "c"]


def test_executors_by_name() -> None:
    assert make_executor() is Sequential
    assert callable(make_executor("ray:10.0.0.1:6379", {"memory": "2G", "batch": "0"}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_executor("rai"), "no executor 'rai'"),
        (lambda: make_executor("sequential:here"), "no executor 'sequential:here'"),
        (lambda: make_executor("ray", {"cpu": "1"}), "takes no option 'cpu'"),
        (lambda: make_executor("sequential", {"cpus": "1"}), "takes no option 'cpus'"),
        (lambda: make_executor("ray", {"cpus": "0"}), "cpus = '0' cannot be"),
        (lambda: make_executor("ray", {"memory": "2T"}), "memory = '2T' cannot be"),
    ],
)
def test_what_no_executor_can_be_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_a_live_line_stays_in_its_process() -> None:
    from edgekit.cli._progress import LiveProgress, PlainProgress

    live = LiveProgress()
    try:
        assert type(pickle.loads(pickle.dumps(live))) is Progress
    finally:
        live.close()
    assert type(pickle.loads(pickle.dumps(PlainProgress()))) is PlainProgress
