"""The short form of `--compress`."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.errors import UsageError
from edgekit.passes._short import parse

PARSED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "a name": ("prune", [{"pass": "prune"}]),
    "a value": ("prune:0.6", [{"pass": "prune", "sparsity": 0.6}]),
    "the alias": ("qat", [{"pass": "quantize_aware"}]),
    "a chain": (
        "prune:0.6,cluster:16,qat",
        [
            {"pass": "prune", "sparsity": 0.6},
            {"pass": "cluster", "clusters": 16},
            {"pass": "quantize_aware"},
        ],
    ),
    "spaces": (
        " prune : 0.6 : epochs = 5 , qat ",
        [{"pass": "prune", "sparsity": 0.6, "epochs": 5}, {"pass": "quantize_aware"}],
    ),
    "keys without the value": (
        "prune:schedule=constant:epochs=5",
        [{"pass": "prune", "schedule": "constant", "epochs": 5}],
    ),
    "a colon in a value": ("prune:n_m=2:4", [{"pass": "prune", "n_m": "2:4"}]),
    "a colon in a value, and a key after it": (
        "prune:0.5:n_m=2:4:epochs=3",
        [{"pass": "prune", "sparsity": 0.5, "n_m": "2:4", "epochs": 3}],
    ),
    "a size": ("prune:block=1x4", [{"pass": "prune", "block": "1x4"}]),
    "a TOML list": (
        "prune:block=[1, 4],qat",
        [{"pass": "prune", "block": [1, 4]}, {"pass": "quantize_aware"}],
    ),
    "a TOML table": (
        'prune:per_layer={"conv1"=0.3,Dense={sparsity=0.8}}:epochs=2',
        [{"pass": "prune", "per_layer": {"conv1": 0.3, "Dense": {"sparsity": 0.8}}, "epochs": 2}],
    ),
    "a list by plus": (
        "prune:augment=flip+mix=0.5",
        [{"pass": "prune", "augment": ["flip", "mix=0.5"]}],
    ),
    "a number with a plus": (
        "prune:learning_rate=1e+2",
        [{"pass": "prune", "learning_rate": 100.0}],
    ),
    "quotes keep marks": (
        'prune:layers="a,b:c+d"',
        [{"pass": "prune", "layers": "a,b:c+d"}],
    ),
    "a pattern": ("prune:layers=conv[0-9]*", [{"pass": "prune", "layers": "conv[0-9]*"}]),
}


@pytest.mark.parametrize(("spec", "expected"), PARSED.values(), ids=PARSED.keys())
def test_parsed(spec: str, expected: list[dict[str, Any]]) -> None:
    assert parse(spec) == expected


REFUSED = {
    "nothing": ("  ", "--compress is empty", "e.g. prune:0.6"),
    "an unknown pass": ("prnue:0.6", "no pass 'prnue'", "did you mean prune?"),
    "a file that is no pass": ("promises", "no pass 'promises'", "known: "),
    "a comma too many": ("prune,", "--compress prune,: a pass has no name", "e.g. "),
    "no name": (":0.6", "--compress :0.6: a pass has no name", "e.g. "),
    "a value for a pass without": (
        "qat:8",
        "--compress qat:8: quantize_aware takes no value, but '8' is given",
        "write key=value; edgekit passes quantize_aware lists the keys",
    ),
    "a key without its value": (
        "prune:epochs=",
        "--compress prune:epochs=: a value is missing",
        "",
    ),
    "a colon at the end": ("prune:", "--compress prune:: a value is missing", "e.g. "),
    "a key twice": ("prune:epochs=1:epochs=2", "--compress prune:epochs=1:epochs=2: epochs is", ""),
    "value and key alike": (
        "prune:0.5:sparsity=0.6",
        "--compress prune:0.5:sparsity=0.6: spar",
        "",
    ),
}


@pytest.mark.parametrize(("spec", "message", "hint"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(spec: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(spec)
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)
