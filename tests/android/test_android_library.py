"""The library used as an app uses it, on this machine's JVM.

Android and LiteRT's Java binding cannot run here: small classes stand in for them, which read the
assets from a folder and hand the buffers to LiteRT in a Python process.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from jvm import compiled, java, needs_jdk
from made_tflite import Made, Step, build, options, small_net

from edgekit.affine import dequantise
from edgekit.android.names import Names, names_of
from edgekit.exporters.aar import Exporter
from edgekit.exporters.base import ExportInput
from edgekit.golden.litert import make_golden
from edgekit.graph.read import read
from edgekit.interface import prepare
from edgekit.preprocess import parse
from edgekit.runtimes.base import open_runtime
from edgekit.target.profile import load_profile

pytestmark = needs_jdk
MODELS = ("kws_dscnn/kws_ref_model_int8", "tflm_examples/hello_world_float")


@dataclass
class Library:
    """A library as it was written, and its classes with what stands in for a phone."""

    given: ExportInput
    assets: Path
    classes: Path
    names: Names

    def run(self, assets: Path, how: str = "stored") -> dict[str, str]:
        """What `Run` prints, by the first word of the line."""
        printed = java(self.classes, self.names, "Run", assets, how).decode()
        return dict(line.split(" ", 1) for line in printed.splitlines())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return _library("net", small_net(), tmp_path_factory)


def _library(name: str, data: bytes, places: pytest.TempPathFactory) -> Library:
    folder, graph = places.mktemp("library"), read(data)
    labels = tuple(f"class {n}" for n in range(graph.output_tensors()[0].shape[-1]))
    given = ExportInput(
        name,
        data,
        graph,
        load_profile("android"),
        golden=make_golden(data, graph),
        preprocess=parse("scale=0.5,offset=-3"),
        labels=labels,
    )
    assert given.golden is not None
    Exporter().export(given, folder)
    names = names_of(given.name)
    classes = compiled(folder / "android" / "java", names, "Run", places.mktemp("jvm"))
    return Library(given, folder / "android" / "assets", classes, names)


def _scores(given: ExportInput) -> list[np.ndarray]:
    """What Python makes of the rows that `Run` gives: each output."""
    stored = []
    for tensor in given.graph.input_tensors():
        row = (np.arange(tensor.elements) % 17).astype(np.float32)
        stored.append(prepare(row, tensor, given.preprocess).reshape(tensor.shape))
    with open_runtime("litert", given.tflite) as runtime:
        outputs = zip(runtime.run(tuple(stored)), given.graph.output_tensors(), strict=True)
        return [dequantise(values, tensor).ravel() for values, tensor in outputs]


@pytest.mark.parametrize("file", MODELS)
def test_predictions_are_those_of_python(
    file: str, real_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library = _library(file, (real_models / f"{file}.tflite").read_bytes(), tmp_path_factory)
    printed, scores = library.run(library.assets), _scores(library.given)
    printed_scores = np.array(printed["scores"].split(), np.float32)
    np.testing.assert_array_equal(printed_scores, np.concatenate(scores))
    assert printed["label"] == library.given.labels[int(scores[0].argmax())]
    assert printed["labels"] == f"[{', '.join(library.given.labels)}]"
    assert printed["mapped"] == "true, direct true"
    assert printed["test"].startswith("ok: ")
    assert len(library.given.golden.inputs) == int(printed["test"].split()[1])  # type: ignore[union-attr]


def _two_ways() -> bytes:
    """Numbers and tokens in, in that order; both out, in the other."""
    tensors = [
        Made("numbers", (1, 6), "INT8", None, (0.25,), (5,)),
        Made("tokens", (1, 3), "INT32"),
        Made("doubled", (1, 6), "INT8", None, (0.5,), (5,)),
        Made("more", (1, 3), "INT32"),
    ]
    steps = [
        Step("ADD", (0, 0), (2,), options("Add"), version=2),
        Step("ADD", (1, 1), (3,), options("Add")),
    ]
    return build(tensors, steps, (0, 1), (3, 2))


def test_several_inputs_and_outputs_and_tokens_as_they_are(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    library = _library("two ways", _two_ways(), tmp_path_factory)
    printed, scores = library.run(library.assets), _scores(library.given)
    assert scores[0].tolist() == [0, 2, 4]
    printed_scores = np.array(printed["scores"].split(), np.float32)
    np.testing.assert_array_equal(printed_scores, np.concatenate(scores))
    assert printed["test"].startswith("ok: ")


def test_a_compressed_asset_is_read_as_a_stream(library: Library) -> None:
    mapped, copied = (library.run(library.assets, how) for how in ("stored", "compressed"))
    assert copied.pop("mapped") == "false, direct true"
    assert mapped.pop("mapped") == "true, direct true"
    assert copied == mapped


def test_another_result_is_named_by_the_self_test(library: Library, tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    shutil.copytree(library.assets, assets)
    path = assets / library.names.golden
    content = bytearray(path.read_bytes())
    content[-1] ^= 0x40  # of the last element of the last vector
    path.write_bytes(content)
    golden = library.given.golden
    assert golden is not None
    last = len(golden.inputs) - 1
    element = golden.outputs[0][-1].size - 1
    told = library.run(assets)["test"]
    assert told.startswith(f"failed: golden vector {last}: output 0 element {element} is ")
    assert ", should be " in told


def test_another_model_than_the_built_one_is_named(library: Library, tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    shutil.copytree(library.assets, assets)
    with (assets / library.names.asset).open("ab") as file:
        file.write(b"\0")
    told = library.run(assets)["test"]
    assert told.startswith(f"failed: {library.names.asset} has the hash ")
    assert told.endswith(f"should have {library.given.interface.sha256}")
