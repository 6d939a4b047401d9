"""`edgekit passes`."""

from __future__ import annotations

import dataclasses
import json

import pytest

from edgekit.cli import main
from edgekit.passes.base import load, names
from edgekit.training.options import FineTune


def test_the_list_has_every_pass_with_its_paper(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes"]) == 0
    text = capsys.readouterr().out
    heads = [line.split(":")[0].split(" ")[0] for line in text.splitlines() if line[:1] > " "]
    assert heads[: len(names())] == names()
    for name in names():
        assert load(name).paper.split()[0] in text
        assert load(name).title.split()[0] in text
    assert "prune:SPARSITY" in text
    assert "quantize_aware (or qat)" in text
    for field in dataclasses.fields(FineTune):
        assert f"\n{field.name} = " in text


def test_one_pass_has_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes", "prune"]) == 0
    text = capsys.readouterr().out
    assert "--compress prune:0.5" in text
    for field in dataclasses.fields(load("prune").Options):
        assert f"\n{field.name} = " in text
        assert field.metadata["help"] in text
    for line in ("sparsity = 0.5 ", 'n_m = "" ', "block = [1, 1] ", "per_layer = {} "):
        assert f"\n{line}" in text


@pytest.mark.parametrize("name", names())
def test_example_is_a_short_form(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from edgekit.project import Project

    assert main(["passes", name, "--json"]) == 0
    (entry,) = Project().with_compress(json.loads(capsys.readouterr().out)["example"]).compress
    assert entry.name == name


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes", "qat", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["aliases"]) == ("quantize_aware", ["qat"])
    assert main(["passes", "--json"]) == 0
    every = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in every["passes"]] == names()
    assert shown in every["passes"]
    assert {one["key"] for one in every["fine_tune"]} >= {"epochs", "augment"}
    options = {one["key"]: one for one in every["passes"][names().index("prune")]["options"]}
    assert options["sparsity"]["type"] == "number from 0 below 1"
    assert options["schedule"]["type"] == "auto | solve | polynomial | constant | splicing"
    assert options["layers"]["type"] == "list of strings"


def test_an_unknown_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes", "prun"]) == 2
    assert capsys.readouterr().err == "error: no pass 'prun'\nhint: did you mean prune?\n"


def test_fits_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (["passes"], *(["passes", name] for name in names())):
        assert main(arguments) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80, arguments
