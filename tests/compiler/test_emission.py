"""The C text: constants once, kernels once, names that a compiler takes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from c_project import CORES, compiled
from chains import Chain
from random_graphs import random_graph

from edgekit.compiler.cores import core_of
from edgekit.compiler.emission import Emission, Sources

DEFINED = re.compile(r"^(?:static )?(?:const )?[\w ]+?\b(\w+)(?:\[\d+\])? = \{", re.MULTILINE)
FUNCTION = re.compile(r"^[a-z][\w ]*[ *](?!__)(\w+)\([^;{]*\) \{", re.MULTILINE)
SEEDS = range(3_000_000, 3_000_027)


def sources(core: str = "portable") -> Sources:
    return Sources("m", core_of(core))


def layer(of: Sources, name: str) -> Emission:
    return Emission(of, name, ["arena + 0"], "arena + 8", "arena + 16")


def test_arrays_of_the_same_values_are_one() -> None:
    of = sources()
    values = np.arange(5, dtype=np.int32)
    assert layer(of, "m_00").array("bias", values) == "m_00_bias"
    assert layer(of, "m_01").array("bias", values.copy()) == "m_00_bias"
    assert layer(of, "m_02").array("table", values.reshape(5, 1)) == "m_00_bias"
    assert len(of.constants) == 1
    assert of.bytes == 20


def test_the_same_bytes_of_another_type_are_another_array() -> None:
    of = sources()
    values = np.arange(4, dtype=np.int8)
    first = layer(of, "m_00").array("a", values)
    second = layer(of, "m_00").array("b", values.view(np.uint8))
    assert (first, second) == ("m_00_a", "m_00_b")
    assert of.constants[1].startswith("static const uint8_t m_00_b[4] = {")


def test_every_value_is_written_as_c_reads_it() -> None:
    of = sources()
    layer(of, "m").array("i", np.array([-(1 << 31), -1, (1 << 31) - 1], np.int32))
    layer(of, "m").array("u", np.array([0, (1 << 32) - 1], np.uint32))
    layer(of, "m").array("f", np.array([1, 0.1, 1e-30], np.float32))
    rows = [text.splitlines()[1].strip() for text in of.constants]
    assert rows == ["-2147483647 - 1, -1, 2147483647,", "0u, 4294967295u,", "1.0f, 0.1f, 1e-30f,"]


def test_a_kernel_is_taken_once_and_with_what_it_includes() -> None:
    of = sources()
    for _ in range(2):
        of.use("add/add.h")
    before = len(of.kernels)
    of.use("common/requantize.h")
    assert len(of.kernels) == before
    assert not any('#include "' in text for text in of.kernels)


@pytest.mark.parametrize("core", CORES)
def test_what_is_defined_is_defined_once_and_named_after_the_model(core: str) -> None:
    for seed in SEEDS:
        text = compiled(random_graph(seed), core).text
        constants = DEFINED.findall(text.weights)
        functions = FUNCTION.findall(text.source)
        assert constants
        assert len(text.symbols) + 2 == len(functions)
        assert len(set(constants)) == len(constants)
        assert all(name.startswith("m_") for name in (*constants, *functions))
        assert all(name.startswith("ek_") for name in FUNCTION.findall(text.kernels))


HOSTILE = (
    "*/ #error",
    "a\\",
    "line\nbreak",
    "??/",
    "größe",
    '"; exit(1); //',
    "/* /* */",
    "x" * 999,
)


def test_no_name_of_a_model_gets_out_of_its_comment() -> None:
    net = Chain((1, 4, 4, 2))
    for _ in HOSTILE:
        net.conv(2)
    for step, name in zip(net.steps, HOSTILE, strict=True):
        net.tensors[step.outputs[0]].name = name
    made = compiled(net.model())
    assert len(made.program.layers) == len(HOSTILE)
    plain = re.sub(r"/\*.*?\*/", "", made.text.source, flags=re.DOTALL)
    assert "/*" not in plain
    assert "*/" not in plain
    for word in ("error", "break", "exit", "gr"):
        assert not re.search(rf"\b{word}", plain)
    assert made.text.source.isascii()
    assert "\\\n" not in made.text.source
    assert "??" not in made.text.source
