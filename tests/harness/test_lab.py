"""lab.toml: names of one's own, and every mistake refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.devices.fake import Driver
from edgekit.errors import UsageError
from edgekit.harness import lab
from edgekit.harness.lab import load_lab


def written(folder: Path, text: str) -> Path:
    path = folder / "lab.toml"
    path.write_text(text)
    return path


def test_names_of_the_lab_go_before_those_of_drivers(tmp_path: Path) -> None:
    path = written(
        tmp_path, '[devices.pi]\ndriver = "fake"\nlatency_ms = 3\n[devices.qemu]\ndriver = "fake"'
    )
    found = load_lab(path)
    assert found.device("pi") == (Driver, {"latency_ms": 3})
    assert found.device("qemu") == (Driver, {})
    assert found.device("fake") == (Driver, {})


def test_lab_here_goes_before_the_one_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".config" / "edgekit"
    home.mkdir(parents=True)
    written(home, '[devices.there]\ndriver = "fake"')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert list(load_lab().devices) == ["there"]
    written(tmp_path, '[devices.here]\ndriver = "fake"')
    assert list(load_lab().devices) == ["here"]
    monkeypatch.setattr(lab, "PLACES", ())
    assert load_lab().path is None


WRONG = {
    "no TOML": ("[devices", "cannot be read", "README"),
    "table": ("[device.pi]\n", r"\[device\] is unknown", "did you mean devices?"),
    "no table": ("devices = 3", "devices is no table", "write [devices.NAME]"),
    "no driver": ("[devices.pi]\nhost = 'x'", r"\[devices.pi\] has no driver", "driver = one of"),
    "driver": ("[devices.pi]\ndriver = 'fke'", "no driver 'fke'", "did you mean fake?"),
    "option": ("[devices.pi]\ndriver = 'fake'\nlatency = 1", "no option 'latency'", "latency_ms?"),
    "value": ("[devices.pi]\ndriver = 'fake'\nseed = 'x'", "'x' is not a whole number", "samples"),
}


@pytest.mark.parametrize(("text", "message", "hint"), WRONG.values(), ids=WRONG.keys())
def test_mistakes_are_refused(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load_lab(written(tmp_path, text))
    assert hint in caught.value.hint
    assert "lab.toml" in caught.value.message


def test_unknown_names_get_the_nearest_of_both(tmp_path: Path) -> None:
    found = load_lab(written(tmp_path, '[devices.kitchen]\ndriver = "fake"'))
    with pytest.raises(UsageError, match="no device 'kitchn'") as caught:
        found.device("kitchn")
    assert caught.value.hint == "did you mean kitchen?"
    with pytest.raises(UsageError, match="no meter 'x'"):
        found.meter("x")


def test_missing_file_is_an_error_when_it_was_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_lab(tmp_path / "lab.toml")
