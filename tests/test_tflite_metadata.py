"""Metadata: what is written, that nothing computes otherwise, and that others read it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_example import edgekit_in
from made_tflite import Made, Step, build, small_net, unpack

from edgekit.graph.flatbuffer import Table, root
from edgekit.graph.read import read
from edgekit.preprocess import NAMED, Preprocess, parse
from edgekit.runtimes.base import open_runtime
from edgekit.tflite_metadata import LABELS, NAME, described, is_picture, normalization

NAMES = ("zwölf", 'a "b"')


def _slots(**places: int) -> dict[str, int]:
    return places


MODEL = _slots(name=0, subgraph_metadata=3, min_parser_version=7)
GRAPH = _slots(input_tensor_metadata=2, output_tensor_metadata=3)
TENSOR = _slots(name=0, content=3, process_units=4, associated_files=6)


def _metadata(tflite: bytes) -> Table:
    """The root table, read with every offset checked."""
    model = unpack(tflite)
    entry = next(each for each in model.metadata if bytes(each.name) == NAME.encode())
    return root(bytes(bytearray(model.buffers[entry.buffer].data)), MODEL, b"M001")


def test_names_normalization_and_labels_are_there() -> None:
    done = described(small_net(), 'my "模型"', parse("imagenet"), NAMES)
    metadata = _metadata(done)
    assert metadata.text("name") == 'my "模型"'
    assert metadata.text("min_parser_version") == "1.0.0"
    (graph,) = metadata.tables("subgraph_metadata", GRAPH)
    (entry,) = graph.tables("input_tensor_metadata", TENSOR)
    (last,) = graph.tables("output_tensor_metadata", TENSOR)
    assert (entry.text("name"), last.text("name")) == ("in", "out")
    (unit,) = entry.tables("process_units", _slots(kind=0, options=1))
    options = unit.table("options", _slots(mean=0, std=1))
    assert unit.integer("kind", "B") == 1
    assert options is not None
    expected = [[255 * m for m in NAMED["imagenet"].mean], [255 * s for s in NAMED["imagenet"].std]]
    np.testing.assert_allclose(
        [options.vector("mean", "<f4"), options.vector("std", "<f4")], expected
    )
    (file,) = last.tables("associated_files", _slots(name=0, type=2))
    assert (file.text("name"), file.integer("type", "B")) == (LABELS, 2)
    with zipfile.ZipFile(io.BytesIO(done)) as archive:
        assert archive.read(LABELS).decode().splitlines() == list(NAMES)


def test_outputs_are_the_same_and_the_bytes_repeat(real_models: Path) -> None:
    plain = (real_models / "kws_dscnn" / "kws_ref_model_int8.tflite").read_bytes()
    labels = [f"word {number}" for number in range(12)]
    done = described(plain, "kws", Preprocess(), labels)
    assert done == described(plain, "kws", Preprocess(), labels)
    assert described(done, "other", parse("unit"), ()) == done
    rng = np.random.default_rng(0)
    with open_runtime("litert", plain) as one, open_runtime("litert", done) as other:
        for _ in range(3):
            row = rng.integers(-128, 128, one.inputs[0].shape).astype(np.int8)
            np.testing.assert_array_equal(one.run((row,))[0], other.run((row,))[0])
    tensors = [(t.name, t.shape, t.dtype) for t in read(plain).tensors]
    assert [(t.name, t.shape, t.dtype) for t in read(done).tensors] == tensors


def test_labels_that_fit_no_output_are_left_out() -> None:
    done = described(small_net(), "net", Preprocess(), ("a", "b", "c"))
    assert not zipfile.is_zipfile(io.BytesIO(done))
    (graph,) = _metadata(done).tables("subgraph_metadata", GRAPH)
    assert not graph.tables("output_tensor_metadata", TENSOR)[0].tables("associated_files", {})


@pytest.mark.parametrize("text", ["unit", "symmetric", "imagenet", "scale=-0.5,offset=3,std=0.2"])
def test_mean_and_deviation_say_what_the_preprocessing_does(text: str) -> None:
    preprocess = parse(text)
    mean, std = (np.array(values) for values in normalization(preprocess))
    rows = np.random.default_rng(0).uniform(0, 255, (100, 3))
    np.testing.assert_allclose((rows - mean) / std, preprocess.values(rows), rtol=2e-5, atol=1e-5)


PICTURES = {
    "RGB": ((1, 8, 8, 3), "raw", True),
    "grey bytes": ((1, 8, 8, 1), "unit", True),
    "grey, resized": ((1, 8, 8, 1), "resize=8x8", True),
    "a spectrogram": ((1, 49, 10, 1), "scale=0.5847,offset=-48.5301", False),
    "a series": ((1, 100, 6), "raw", False),
    "two channels": ((1, 8, 8, 2), "unit", False),
}


@pytest.mark.parametrize(("shape", "text", "picture"), PICTURES.values(), ids=PICTURES.keys())
def test_what_is_called_a_picture(shape: tuple[int, ...], text: str, picture: bool) -> None:
    data = build([Made("x", shape), Made("y", shape)], [Step("ABS", (0,), (1,))], [0], [1])
    assert is_picture(read(data).input_tensors()[0], parse(text)) is picture
    (graph,) = _metadata(described(data, "n", parse(text), ())).tables("subgraph_metadata", GRAPH)
    content = graph.tables("input_tensor_metadata", TENSOR)[0].table("content", _slots(kind=0))
    assert content is not None
    assert content.integer("kind", "B") == (2 if picture else 1)


def test_a_build_writes_it_for_the_targets_that_want_it(real_models: Path, tmp_path: Path) -> None:
    shutil.copy(
        real_models / "tflm_examples" / "hello_world_float.tflite", tmp_path / "sine.tflite"
    )
    (tmp_path / "names.txt").write_text("low\nhigh\n")
    options = ("--quantize", "float32", "--no-fidelity", "--labels", "names.txt")
    targets = ("--target", "android", "--target", "rpi4")
    done = edgekit_in(tmp_path, "build", "sine.tflite", *options, *targets)
    assert done.returncode == 0, done.stderr
    told, plain = (tmp_path / "build" / f"sine-{name}" for name in ("android", "rpi4"))
    assert _metadata((told / "model.tflite").read_bytes()).text("name") == "sine"
    assert NAME.encode() not in (plain / "model.tflite").read_bytes()
    asset = told / "android" / "assets" / "edgekit" / "sine.tflite"
    assert asset.read_bytes() == (told / "model.tflite").read_bytes()
    assert edgekit_in(tmp_path, "verify", str(told)).returncode == 0


def test_a_quantized_file_that_is_exported_as_it_is_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(small_net())
    done = edgekit_in(tmp_path, "build", "net.tflite", "--target", "android", "--output", "b")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b" / "model.tflite").read_bytes() == small_net()


READER = """
import json, sys
from tflite_support import metadata
shown = metadata.MetadataDisplayer.with_model_file(sys.argv[1])
packed = shown.get_packed_associated_file_list()
files = {name: shown.get_associated_file_buffer(name).decode() for name in packed}
print(json.dumps([json.loads(shown.get_metadata_json()), files]))
"""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with tflite-support: it needs a protobuf that ours must not have."""
    folder = tmp_path_factory.mktemp("reader")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    wanted = ("tflite-support==0.4.4", "protobuf<4")
    done = subprocess.run(
        [folder / "bin" / "pip", "install", "-q", *wanted], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"tflite-support cannot be installed: {done.stderr[-200:]}")
    return folder / "bin" / "python"


@pytest.mark.slow
def test_tflite_support_reads_it(reader: Path, real_models: Path, tmp_path: Path) -> None:
    plain = (real_models / "vww_mobilenetv1" / "vww_96_int8.tflite").read_bytes()
    path = tmp_path / "model.tflite"
    path.write_bytes(described(plain, "person", parse("symmetric"), NAMES))
    done = subprocess.run([reader, "-c", READER, path], capture_output=True, text=True, check=True)
    shown, files = json.loads(done.stdout)
    assert shown["name"] == "person"
    graph: dict[str, Any] = shown["subgraph_metadata"][0]
    (entry,), (last,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
    assert entry["content"]["content_properties"] == {
        "color_space": "RGB",
        "default_size": {"width": 96, "height": 96},
    }
    assert entry["process_units"][0]["options"] == {"mean": [127.5], "std": [127.5]}
    assert last["associated_files"] == [{"name": LABELS, "type": "TENSOR_AXIS_LABELS"}]
    assert files == {LABELS: "".join(f"{name}\n" for name in NAMES)}
