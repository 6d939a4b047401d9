"""What targets make of a file before any build: the same verdicts as a build, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_tflite import Made, one_op, small_net

from edgekit.errors import UsageError
from edgekit.graph.read import read
from edgekit.target.profile import profile_names
from edgekit.target.support import Support, support


def of(data: bytes, *targets: str) -> list[Support]:
    return support(read(data), data, targets)


def test_every_target_is_asked() -> None:
    found = of(small_net())
    assert [each.target for each in found] == profile_names()
    assert {each.target for each in found if not each.runs} == {"ios", "web"}  # int8 at the ends
    assert all(each.suits == each.runs for each in found)


def test_flash_is_of_the_interpreter_too_and_ram_the_least() -> None:
    (board,) = of(small_net(), "nucleo-l4r5zi")
    assert board.fits
    assert board.flash.need is not None
    assert board.flash.need > 50_000
    assert board.ram.need == 80  # of the convolution, 32 in and 48 out
    (pi,) = of(small_net(), "rpi4")
    assert (pi.fits, pi.flash.need, pi.ram.need) == (None, len(small_net()), None)


def test_what_is_too_small_is_said(tmp_path: Path) -> None:
    tiny = tmp_path / "tiny.toml"
    memory = "[memory]\nflash_bytes = 1000\nram_bytes = 64\n"
    tiny.write_text(f'title = "t"\nextends = "cortex-m4"\n{memory}')
    (found,) = of(small_net(), str(tiny))
    assert found.runs
    assert not found.suits
    assert [problem.message.partition(" of")[0] for problem in found.problems] == ["flash", "RAM"]


def test_operator_that_a_runtime_has_not_is_named() -> None:
    tensors = [Made("x", (1, 4), "FLOAT32"), Made("y", (1, 4), "FLOAT32")]
    found = of(one_op("CUSTOM", tensors, custom="Wobble"), "rpi4")[0]
    assert not found.runs
    assert "Wobble" in found.problems[0].message


def test_unknown_target_gets_its_neighbour() -> None:
    with pytest.raises(UsageError) as caught:
        of(small_net(), "rpi44")
    assert "rpi4" in caught.value.hint
