"""What passes can be told, and what is refused before any work is done."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.errors import UsageError
from edgekit.passes.base import from_mapping, load, names, refuse_order

PRUNE, CLUSTER, DISTILL = "prune", "cluster", "distill"


def options(name: str, **values: Any) -> Any:
    return from_mapping(name, {"pass": name, **values}, "edgekit.toml: compress 1")[0]


@pytest.mark.parametrize(
    ("name", "given", "key", "wanted"),
    [
        (PRUNE, {"sparsity": 0}, "sparsity", 0.0),
        (PRUNE, {"block": [1, 4]}, "block", (1, 4)),
        (PRUNE, {"block": "4x1"}, "block", (4, 1)),
        (PRUNE, {"n_m": "2:4"}, "target", 0.5),
        (PRUNE, {"n_m": "1:4"}, "target", 0.75),
        (PRUNE, {"n_m": "1:4", "sparsity": 0.75}, "target", 0.75),
        (PRUNE, {"layers": "conv*"}, "layers", ("conv*",)),
        (PRUNE, {"per_layer": {"a": 0.3}}, "per_layer", (("a", {"sparsity": 0.3}),)),
        (CLUSTER, {"clusters": 2}, "clusters", 2),
        (CLUSTER, {"per_layer": {"a": 8}}, "per_layer", (("a", {"clusters": 8}),)),
    ],
    ids=[
        "an integer is a number",
        "a block as a list",
        "a block as text",
        "2:4 leaves half",
        "1:4 leaves a quarter",
        "n_m and the sparsity it makes",
        "one string is a list of one",
        "a bare number is the sparsity",
        "the fewest clusters",
        "a bare number is the clusters",
    ],
)
def test_values_are_brought_to_their_form(
    name: str, given: dict[str, Any], key: str, wanted: Any
) -> None:
    assert getattr(options(name, **given), key) == wanted


@pytest.mark.parametrize(
    ("name", "given", "message", "hint"),
    [
        (PRUNE, {"sparsity": 1.5}, "sparsity = 1.5 is out of range", "0.6 for 60 %"),
        (PRUNE, {"sparsity": -0.1}, "sparsity = -0.1 is out of range", "0.6 for 60 %"),
        (PRUNE, {"sparsity": 1}, "sparsity = 1 is out of range", "0.6 for 60 %"),
        (PRUNE, {"sparsity": float("nan")}, "sparsity = nan: not a number", "give a number"),
        (PRUNE, {"sparsity": "half"}, "sparsity = 'half': not a number", "give a number"),
        (PRUNE, {"sparsity": True}, "sparsity = True: not a number", "give a number"),
        (PRUNE, {"sparsty": 0.5}, "sparsty is unknown", "did you mean sparsity?"),
        (PRUNE, {"schedule": "linear"}, "schedule = 'linear' is no choice", "polynomial"),
        (PRUNE, {"end": 1.5}, "end = 1.5 is out of range", "longer than the training"),
        (PRUNE, {"begin": 0.6}, "end = 0.3 is before begin = 0.6", "after begin"),
        (PRUNE, {"initial": 0.7}, "initial = 0.7 is above sparsity = 0.5", "fewer zeros"),
        (PRUNE, {"block": [1, 2, 3]}, "block = [1, 2, 3]: not two whole numbers", "1x4"),
        (PRUNE, {"block": [0, 0]}, "block = [0, 0]: a side is below 1", "1x4"),
        (PRUNE, {"block": "1x4", "heads": True}, "block and heads are given both", "one of them"),
        (PRUNE, {"threshold": -1}, "threshold = -1 is out of range", "0 or more"),
        (PRUNE, {"threshold": 0.1, "sigma": 1}, "threshold and sigma are given both", "one of"),
        (PRUNE, {"sparsity": 0.7, "macs": 0.3}, "sparsity and macs are given both", "one of them"),
        (PRUNE, {"sigma": 1, "n_m": "2:4"}, "sigma and n_m are given both", "one of them"),
        (PRUNE, {"macs": 1.2}, "macs = 1.2 is out of range", "0.3 to keep 30 %"),
        (PRUNE, {"max_drop": -1}, "max_drop = -1 is out of range", "1 for one point"),
        (PRUNE, {"rounds": 101}, "rounds = 101 is out of range", "at most 100"),
        (PRUNE, {"schedule": "solve", "sigma": 1}, "solve does not go with", "leave these out"),
        (PRUNE, {"sensitivity": "a.json"}, "allocate is not sensitivity", "allocate = sens"),
        (PRUNE, {"per_layer": {"a": {"rounds": 2}}}, "per_layer 'a': rounds is for all", "beside"),
        (PRUNE, {"n_m": "4:2"}, "n_m = '4:2': not N:M with N below M", "2:4"),
        (PRUNE, {"n_m": "2:4", "block": "1x4"}, "block and n_m are given both", "one of them"),
        (PRUNE, {"n_m": "2:4", "sparsity": 0.7}, "does not go with n_m", "leave sparsity out"),
        (PRUNE, {"layers": 3}, "layers = 3: not a list of strings", '["one", "two"]'),
        (PRUNE, {"per_layer": {"a": 2}}, "per_layer 'a': sparsity = 2 is out", "0.6 for 60 %"),
        (PRUNE, {"per_layer": {"a": {"b": 2}}}, "per_layer 'a': b is unknown", "known: "),
        (PRUNE, {"per_layer": 3}, "per_layer = 3: not a table", "exceptions"),
        (CLUSTER, {"clusters": 1}, "clusters = 1 is out of range", "give 2 or more"),
        (CLUSTER, {"clusters": 2.5}, "clusters = 2.5: not an integer", "give an integer"),
        (CLUSTER, {"clusters": 2, "preserve_sparsity": "on"}, "is too few", "give 3 or more"),
        (CLUSTER, {"init": "kmeans"}, "init = 'kmeans' is no choice", "did you mean kmeans++?"),
        (DISTILL, {"sparsity": 0.5}, "sparsity is unknown", "known: "),
        (DISTILL, {"epochs": -1}, "epochs = -1: negative", "zero or more"),
        (DISTILL, {"fine_tune": 3}, "fine_tune = 3: not a table", "fine_tune = {"),
        (DISTILL, {"fine_tune": {"epoch": 3}}, "epoch is unknown", "did you mean epochs?"),
        (DISTILL, {"fine_tune": {"label_weight": 2}}, "label_weight = 2", "share"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value)[:40],
)
def test_what_cannot_be_is_refused_in_two_lines(
    name: str, given: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as raised:
        options(name, **given)
    assert f"edgekit.toml: compress 1: {name}: " in raised.value.message
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_fine_tuning_is_taken_from_its_table_and_from_beside_the_options() -> None:
    table = {"pass": PRUNE, "epochs": 5, "fine_tune": {"batch": 8, "epochs": 3}}
    assert from_mapping(PRUNE, table, "here")[1] == {"batch": 8, "epochs": 5}


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (["cluster", "prune"], "prune cannot follow a pass that left it clustered"),
        (["cluster", "cluster"], "cluster cannot follow a pass that left it clustered"),
        (["prune", "qat", "distill"], "distill cannot follow a pass that left it qat"),
    ],
    ids=["pruning a code book", "two code books", "training after the ranges were learned"],
)
def test_passes_in_an_order_that_cannot_be_are_refused(chain: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        refuse_order(chain)


@pytest.mark.parametrize(
    "chain",
    [["prune", "cluster", "qat"], ["prune", "distill", "prune"], ["cluster", "distill", "qat"]],
    ids=" ".join,
)
def test_sensible_orders_are_not_refused(chain: list[str]) -> None:
    refuse_order(chain)


def test_passes_are_found_by_name_and_alias() -> None:
    assert set(names()) >= {"prune", "cluster", "distill", "quantize_aware"}
    assert not {"select", "promises", "base"} & set(names())
    assert load("qat").name == "quantize_aware"
    for name in names():
        assert load(name).name == name


@pytest.mark.parametrize("name", ["prun", "select", "promises", "base"])
def test_what_is_no_pass_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"no pass '{name}'"):
        load(name)


@pytest.mark.parametrize("name", names())
def test_options_are_documented_and_no_key_is_one_of_fine_tuning(name: str) -> None:
    import dataclasses

    from edgekit.training.options import FineTune

    tuning = {item.name for item in dataclasses.fields(FineTune)}
    found = load(name)
    items = dataclasses.fields(found.Options)
    assert all(item.metadata["help"] for item in items)
    assert not tuning & {item.name for item in items}
    assert not found.value or found.value in {item.name for item in items}
