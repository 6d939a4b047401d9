"""Networks of the zoo in one word, and the files that are written of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli import main
from edgekit.errors import UsageError
from edgekit.passes import base as passes
from edgekit.passes._short import parse as short
from edgekit.zoo import base
from edgekit.zoo._spec import parse


def test_a_network_in_one_word() -> None:
    network, options = parse("zoo:mobilenet_v2/width=0.5/shortcut=false/kernel=5")
    assert network.name == "mobilenet_v2"
    wanted = {"width": 0.5, "shortcut": False, "kernel": 5}
    assert options == base.options_of(network, wanted)
    assert parse("zoo:squeezenet/version=1.0")[1].to_json()["version"] == "1.0"


def test_the_short_form_and_the_table_of_distill_take_it() -> None:
    text = "distill:student=zoo:ds_cnn/channels=8/blocks=2:epochs=3"
    spec = short(text)[0]
    assert spec["student"] == "zoo:ds_cnn/channels=8/blocks=2"
    options, tuning = passes.from_mapping("distill", spec, "--compress")
    assert options.files == ()
    assert options.starts
    assert tuning == {"epochs": 3}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("zoo:mobilenetv2", "no network 'mobilenetv2'", "did you mean mobilenet_v2?"),
        ("zoo:ds_cnn/chanels=8", "ds_cnn: chanels is unknown", "did you mean channels?"),
        ("zoo:ds_cnn/channels", "'channels' is no option", "write zoo:"),
        ("zoo:ds_cnn/blocks=2/blocks=3", "blocks is given twice", "give it once"),
        ("zoo:ds_cnn/blocks=99", "blocks = 99 is out of range", "give 1 or more and at most 8"),
    ],
)
def test_what_is_no_network_is_refused_before_any_work(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        passes.from_mapping("distill", {"student": text}, "--compress")
    assert refused.value.hint.startswith(hint)


def test_the_list_and_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "--json"]) == 0
    every = json.loads(capsys.readouterr().out)["networks"]
    assert [one["name"] for one in every] == base.names()
    assert all(one["paper"] and one["macs"] and one["parameters"] for one in every)
    assert main(["zoo"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n{name} " in text for name in base.names())
    assert main(["zoo", "mobilenet_v1"]) == 0
    text = capsys.readouterr().out
    assert "width = 1.0      times as many channels (0.1 to 2)" in text
    assert "arXiv:1704.04861" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mobilenet"], "no network 'mobilenet'"),
        (["--width=1"], "--width=1 is an option of a network: name one"),
        (["cnn4", "--width", "1"], "cnn4: width is unknown"),
        (["cnn4", "--channels"], "option --channels needs a value"),
        (["cnn4", "8"], "got unexpected extra argument (8)"),
        (["cnn4", "--input", "8xx1"], "'8xx1' is no shape"),
        (["cnn4", "--input", "0x8x1"], "cnn4 cannot take an input of 0x8x1"),
        (["cnn4", "-o", "net.h5"], "net.h5: a network is written as .keras"),
        (["cnn4", "--channels", "8", "-o", "/nowhere/net.keras"], "/nowhere/net.keras: cannot be"),
    ],
)
def test_bad_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", *arguments]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert message in first
    assert second.startswith("hint: ")


def test_a_file_is_the_same_bytes_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgekit.importers.base import load

    files = [tmp_path / f"{number}.keras" for number in range(3)]
    given = ["zoo", "shufflenet_v2/stages=1", "--width=0.25", "--last", "0", "--input", "12x12x1"]
    for file, seed in zip(files, ("1", "1", "2"), strict=True):
        told = ["--classes", "5", "--seed", seed, "-o", str(file), "--json"]
        assert main([*given, *told]) == 0
    shown = json.loads(capsys.readouterr().out.partition("}\n{")[0] + "}")
    first, again, other = (file.read_bytes() for file in files)
    assert first == again
    assert first != other
    model = load(files[0])
    assert model.inputs[0].shape == (1, 12, 12, 1)
    assert model.outputs[0].shape == (1, 5)
    assert shown["parameters"] < model.source.parameters  # moving statistics count there


@pytest.mark.parametrize("arguments", [["zoo"], ["zoo", "ds_cnn"]])
def test_the_page_shows_what_the_command_prints(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[2] / "docs/compression/zoo.md"
    assert main(arguments) == 0
    assert capsys.readouterr().out in page.read_text(encoding="utf-8")
