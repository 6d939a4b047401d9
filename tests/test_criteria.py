"""The figures that networks are judged by."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from digits_example import manifest_of

from edgekit.cli import group
from edgekit.criteria import CRITERIA, Measured, criteria, information_density, netscore
from edgekit.training.spent import Spent


def test_netscore_by_hand() -> None:
    # 100 % with a million parameters and a thousand million MACs: 20 log10(10^4)
    assert netscore(100, 10**6, 10**9) == pytest.approx(80)
    # MobileNet v1: 70.6 %, 4.2 million parameters, 569 million MACs
    wanted = 20 * math.log10(70.6**2 / (math.sqrt(4.2) * math.sqrt(0.569)))
    assert netscore(70.6, 4_200_000, 569_000_000) == pytest.approx(wanted, rel=1e-5)
    # ten times fewer parameters and as many fewer MACs are worth 20 dB
    assert netscore(50, 10**5, 10**8) - netscore(50, 10**6, 10**9) == pytest.approx(20)  # type: ignore[operator]


def test_what_is_not_defined_is_none() -> None:
    assert netscore(0, 10, 10) is None
    assert netscore(50, 10, 0) is None
    assert information_density(50, 0) is None
    without = criteria(Measured(10, 20, 30), Measured(5, 0, 10))
    assert without["netscore"] == {"original": None, "built": None}
    assert without["theoretical_speed_up"]["built"] is None
    other = criteria(Measured(10, 20, 30, 0.5, "mse"), Measured(5, 4, 10, 0.6, "mse"))
    assert other["accuracy"] == {"original": 0.5, "built": 0.6}
    assert other["information_density"]["built"] is None


def test_rates() -> None:
    found = criteria(Measured(10, 20, 30, 80.0, "top1"), Measured(5, 5, 10, 79.0, "top1"))
    assert found["compression_rate"] == {"original": None, "built": 3}
    assert found["theoretical_speed_up"] == {"original": None, "built": 4}
    assert found["information_density"]["built"] == pytest.approx(79 / 5e-6)
    assert list(found) == [each.name for each in CRITERIA if each.place == "manifest"]


def test_a_build_has_them(built: Path) -> None:
    manifest = manifest_of(built / "digits-cortex-m4")
    found = manifest["criteria"]
    assert found["parameters"]["built"] == manifest["built"]["parameters"]
    assert found["accuracy"]["built"] == manifest["accuracy"]["built"]
    ledger = manifest["ledger"]
    rate = ledger[0]["bytes"] / ledger[-1]["bytes"]
    assert found["compression_rate"]["built"] == pytest.approx(rate, rel=1e-5)
    score = netscore(
        manifest["accuracy"]["built"], manifest["built"]["parameters"], manifest["built"]["macs"]
    )
    assert found["netscore"]["built"] == score
    report = json.loads((built / "digits-cortex-m4" / "report.json").read_text())
    assert report["training"] is None


def test_the_list_names_unit_definition_and_source() -> None:
    done = CliRunner().invoke(group, ["criteria", "--json"])
    listed = json.loads(done.stdout)["criteria"]
    assert [each["name"] for each in listed] == [each.name for each in CRITERIA]
    assert all(each["formula"] and each["source"] for each in listed)
    told = CliRunner().invoke(group, ["criteria"]).stdout
    assert all(each.name in told and each.source in told for each in CRITERIA)


def test_definitions_of_our_own_are_where_they_say() -> None:
    root = Path(__file__).resolve().parents[1]
    own = [each.source for each in CRITERIA if each.source.startswith("edgekit/")]
    assert own
    assert all((root / source).is_file() for source in own)


def test_time_and_memory_of_passes() -> None:
    spent = Spent()
    assert spent.to_json() is None
    with spent.on("prune"):
        block = np.ones(100 << 20, np.uint8)
        time.sleep(0.2)
        assert block.sum()
        del block
    with pytest.raises(ValueError, match="fails"), spent.on("cluster"):
        raise ValueError("fails")
    first, second = spent.spells
    assert 0.2 <= first.seconds < 5
    assert first.peak_bytes - second.peak_bytes > 50 << 20
    told = spent.to_json()
    assert told is not None
    assert told["training_peak_bytes"] == first.peak_bytes
    assert [each["pass"] for each in told["passes"]] == ["prune", "cluster"]
