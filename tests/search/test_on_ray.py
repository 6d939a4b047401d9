"""Trials on a real Ray cluster of several nodes, all on this machine; nodes are killed for real."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_trials import Benches, Cheap, numbers
from toy_project import write_toy

from edgekit.errors import UsageError
from edgekit.search.bench_on_ray import resource_of
from edgekit.search.cluster import alive, connected
from edgekit.search.executor import Outcome, Recipe
from edgekit.search.on_ray import OnRay

pytestmark = pytest.mark.slow
MEMORY = 64 << 20
PATHS = [str(Path(__file__).parents[up]) for up in (0, 1, 2)]
"""Where the nodes find these tests, and edgekit."""
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
FAST = {"health_check_period_ms": 1000}
"""A node that is gone is noticed after some five seconds; the default is three times that."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that runs nothing, and three nodes of one processor."""
    from ray.cluster_utils import Cluster

    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("RAY_worker_niceness", "0")
    patch.setenv("PYTHONPATH", os.pathsep.join((*PATHS, os.environ.get("PYTHONPATH", ""))))
    head = {**NODE, "num_cpus": 0, "_system_config": FAST}
    made = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(3):
        made.add_node(**NODE, resources={"device_fake": 1} if _ == 0 else None)
    import ray

    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()
    patch.undo()


def executor(evaluate: Any, folder: Path, **more: Any) -> OnRay:
    return OnRay(evaluate, "auto", memory=MEMORY, root=folder, **more)


def recipes(count: int) -> Iterator[Recipe]:
    return (Recipe(number, {}, {"x": number}) for number in range(count))


def states(outcomes: list[Outcome]) -> dict[int, str]:
    assert len({each.number for each in outcomes}) == len(outcomes)
    return {each.number: each.state for each in sorted(outcomes, key=lambda each: each.number)}


def test_nothing_is_told_to_anybody(cluster: Any) -> None:
    from ray._common.usage import usage_lib

    assert not usage_lib.usage_stats_enabled()


def test_trials_are_spread_over_the_nodes(cluster: Any, tmp_path: Path) -> None:
    drawn: list[int] = []

    def noted() -> Iterator[Recipe]:
        for recipe in recipes(9):
            drawn.append(recipe.number)
            yield recipe

    found = []
    for outcome in executor(Cheap(tmp_path, 0.3), tmp_path).run(noted()):
        found.append(outcome)
        assert len(drawn) - len(found) <= 3  # no more than there is room for
    assert states(found) == dict.fromkeys(range(9), "complete")
    assert len({line.split()[1] for line in (tmp_path / "began").read_text().splitlines()}) >= 3


def test_a_batch_is_told_in_order(cluster: Any, tmp_path: Path) -> None:
    found = list(executor(Cheap(tmp_path, 0.05), tmp_path, batch=4).run(recipes(10)))
    assert [each.number for each in found] == list(range(10))


def test_a_worker_that_always_dies_is_accounted_for(cluster: Any, tmp_path: Path) -> None:
    evaluate = Cheap(tmp_path, dies=(1,), fails=(2,))
    found = list(executor(evaluate, tmp_path, retries=2).run(recipes(5)))
    assert states(found) == {0: "complete", 1: "failed", 2: "failed", 3: "complete", 4: "complete"}
    reasons = {each.number: each.reason for each in found}
    assert reasons[1] == "trial 1: its worker was lost (WorkerCrashedError), 3 times"
    assert reasons[2] == "internal error: ZeroDivisionError: a fault"
    assert numbers(tmp_path / "began").count(1) == 3


def test_an_error_of_ours_comes_back_as_it_was(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such model") as caught:
        list(executor(Cheap(tmp_path, refuses=(0,)), tmp_path).run(recipes(2)))
    assert caught.value.hint == "give another"


def test_a_machine_without_the_packages_is_said(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def evaluate(recipe): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here  # type: ignore[import-not-found]

    with pytest.raises(UsageError, match=r"cannot load a trial: .*only_here"):
        list(executor(only_here.evaluate, tmp_path).run(recipes(1)))


def test_a_folder_that_is_not_shared_is_said(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone is not on .*: No such file") as caught:
        list(executor(Cheap(tmp_path), tmp_path / "gone").run(recipes(1)))
    assert caught.value.hint.startswith("share the project's folder")


def test_what_no_machine_can_run_is_refused_at_once(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no machine of the cluster has 8 processors"):
        list(executor(Cheap(tmp_path), tmp_path, cpus=8).run(recipes(1)))
    with pytest.raises(UsageError, match="has the device pi") as caught:
        list(executor(Cheap(tmp_path), tmp_path, device="device_pi").run(recipes(1)))
    assert """--resources='{"device_pi": 1}'""" in caught.value.hint


def test_one_bench_at_a_time_for_a_device(cluster: Any, tmp_path: Path) -> None:
    """Four of 0.6 s take turns, though three trials run at once."""
    write_toy(tmp_path)
    assert resource_of("fake") == "device_fake"
    evaluate = Benches(tmp_path)
    began = time.monotonic()
    found = list(executor(evaluate, tmp_path, device="device_fake").run(recipes(4)))
    assert time.monotonic() - began >= 4 * 0.6
    assert [round(each.figures["latency"]) for each in found] == [10] * 4


def test_a_node_that_is_killed_loses_no_trial(cluster: Any, tmp_path: Path) -> None:
    import ray

    node, began, killed = cluster.add_node(**NODE), tmp_path / "began", threading.Event()

    def kill() -> None:
        """Once a trial is on the node."""
        while not (began.exists() and node.node_id in began.read_text()):
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)
        killed.set()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = list(executor(Cheap(tmp_path, 2.0), tmp_path).run(recipes(16)))
    assert killed.is_set()
    assert states(found) == dict.fromkeys(range(16), "complete")
    victims = {
        int(line.split()[0]) for line in began.read_text().splitlines() if node.node_id in line
    }
    assert victims  # what the node was at was begun again, elsewhere
    assert [numbers(began).count(victim) for victim in victims] == [2] * len(victims)
    assert len(alive(ray)) == 4


def test_one_of_three_workers_killed_every_30_s(cluster: Any, tmp_path: Path) -> None:
    """Trials of 6 s; another node takes the place of a lost one after 5 s."""
    victims = [node for node in cluster.list_all_nodes() if node is not cluster.head_node][1:]
    found: list[Outcome] = []
    evaluate = Cheap(tmp_path, 6.0)
    study = threading.Thread(
        target=lambda: found.extend(executor(evaluate, tmp_path).run(recipes(60))), daemon=True
    )
    study.start()
    kills = 0
    study.join(30)
    while study.is_alive():
        again = time.monotonic() + 30
        cluster.remove_node(victims.pop(0), allow_graceful=False)
        kills += 1
        study.join(5)
        victims.append(cluster.add_node(**NODE))
        study.join(again - time.monotonic())
    assert kills >= 3
    assert states(found) == dict.fromkeys(range(60), "complete")
    assert len(numbers(tmp_path / "began")) > 60


def test_no_cluster_is_said() -> None:
    import ray

    ray.shutdown()
    nowhere = "127.0.0.1:1"
    with pytest.raises(UsageError, match=f"no Ray cluster at {nowhere}"), connected(nowhere):
        pass
