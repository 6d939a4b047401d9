"""What the kernel for runs has of its own for large models and for pictures of three colours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from c_project import check, compiled
from chains import Chain
from emulated import check_emulated

from edgekit.devices.qemu import Driver

emulator = pytest.mark.skipif(bool(Driver.needs.lacking()), reason="no emulator")
CUT = -128
"""Zero point of outputs that are cut off below zero, so that one product rounds them."""


def cut(net: Chain) -> Chain:
    """The same with its last activation cut off."""
    net.tensors[net.last].zero = (CUT,)
    return net


def rounds() -> bytes:
    """One round of the long loop, two, seven with a rest of channels, and less than one."""
    net = cut(Chain((1, 3, 5, 64), 1).conv(80))
    return cut(net.conv(420).conv(17)).conv(6).model()


def colours() -> bytes:
    """Rows of nine inputs in threes and, where the other kernel ends, alone."""
    return cut(Chain((1, 33, 35, 3), 2).conv(9, (3, 3), stride=2)).conv(5).model()


def few_colours() -> bytes:
    """The same of so few pixels that it is not worth its own code."""
    return Chain((1, 9, 11, 3), 3).conv(9, (3, 3), stride=2).model()


NETS: Mapping[str, bytes] = {"rounds": rounds(), "colours": colours(), "few": few_colours()}


def test_in_c(tmp_path: Path) -> None:
    check([*NETS.values()], "cortex-m4", tmp_path)


@emulator
@pytest.mark.parametrize("name", NETS)
def test_on_the_emulated_core(name: str, tmp_path: Path) -> None:
    check_emulated(NETS[name], "cortex-m4", tmp_path)


def test_the_long_loop_is_there_where_it_saves_a_round() -> None:
    kernels = compiled(NETS["rounds"], "cortex-m4").text.kernels
    assert "#define EK_RUNS_LONG 1" in kernels
    assert "#define EK_LARGE 1" in kernels
    assert "#define EK_RUNS_LONG 1" not in compiled(NETS["few"], "cortex-m4").text.kernels


def test_three_colours_have_their_own_code_where_pixels_are_many() -> None:
    assert "#define EK_COLUMN_NINES 1" in compiled(NETS["colours"], "cortex-m4").text.kernels
    assert "#define EK_COLUMN_NINES 1" not in compiled(NETS["few"], "cortex-m4").text.kernels
