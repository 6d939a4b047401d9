"""Every meter: found by its file, listed without heavy imports, refusing what it does not take."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edgekit.equipment import Needs
from edgekit.errors import MissingExtra, UsageError
from edgekit.power.base import find_meter, meter_names

METERS = {"android", "estimate", "ina2xx", "joulescope", "none", "ppk2", "replay", "sysfs"}


def test_meters_are_the_files_of_the_folder() -> None:
    assert set(meter_names()) >= METERS


@pytest.mark.parametrize("name", meter_names())
def test_meter_says_what_it_is_and_takes(name: str) -> None:
    meter = find_meter(name)
    assert meter.title
    assert not meter.title.endswith(".")
    assert all(option.help for option in meter.options.values())
    assert isinstance(meter.plugged_in(), list)
    with pytest.raises(UsageError, match=f"{name} takes no option 'collor'"):
        meter({"collor": "red"})


def test_listing_meters_and_what_is_plugged_in_loads_no_numpy() -> None:
    code = (
        "import sys, json\n"
        "from edgekit.power.base import find_meter, meter_names\n"
        "[find_meter(name).plugged_in() for name in meter_names()]\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert loaded.isdisjoint({"numpy", "tensorflow"})


@pytest.mark.parametrize("name", ["ppk2", "joulescope"])
def test_package_that_is_missing_is_named_with_the_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = find_meter(name)
    monkeypatch.setattr(meter, "needs", Needs(modules=("no_such_module",), extra=name))
    with pytest.raises(MissingExtra, match="not installed: no_such_module") as caught:
        meter({})
    assert f"[{name}]" in caught.value.hint
