from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_zoo
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data
from onnx_zoo import CONVERTIBLE, Net

from edgekit._run import ToolError, run
from edgekit.errors import ModelError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers import _onnx2tf
from edgekit.importers import onnx as importer
from edgekit.importers.base import load
from edgekit.runtimes.litert import LiteRT

REAL_MODELS = Path(__file__).resolve().parents[3] / "shared" / "real_models"
DRIVER = Path(__file__).parent / "onnx_driver.py"
REAL = {
    "resnet8": ("ic_resnet8/pretrainedResnet_nchw.onnx", (1, 32, 32, 3), 10),
    "visual wake words": ("vww_mobilenetv1/vww_96_float_nchw.onnx", (1, 96, 96, 3), 2),
    "mnist of CNTK": ("mnist_keras3/cntk_mnist_nchw.onnx", (1, 28, 28, 1), 10),
    "keyword spotting, nhwc": ("kws_dscnn/alibaba_kws_nhwc.onnx", (1, 49, 10, 1), 12),
    "mobilenet of PyTorch": ("ic_resnet8/alibaba_ic_mobilenet_nchw.onnx", (1, 32, 32, 3), 10),
}
SHAPES = {
    "cnn, opset 7": ((1, 16, 16, 3),),
    "cnn, dynamic batch": ((1, 16, 16, 3),),
    "mlp": ((1, 10),),
    "1-D convolution": ((1, 40, 6),),
    "flatten of a feature map": ((1, 6, 4, 2),),
    "image mlp": ((1, 6, 6, 3),),
    "lstm": ((1, 12, 6),),
    "layer normalization": ((1, 10, 8),),
    "token ids": ((1, 6),),
    "two inputs, two outputs": ((1, 6, 6, 3), (1, 5)),
    "nhwc with a transpose": ((1, 8, 8, 3),),
    "rank 5": ((1, 5, 6, 7, 2),),
}


def convert(models: dict[str, ModelProto], folder: Path) -> dict[str, Any]:
    """All of `models` in one child; per name the facts (with `tflite`) or the error's text."""
    names = dict(enumerate(models))
    for index, name in names.items():
        onnx.save(models[name], folder / f"{index:03}.onnx")
    run([sys.executable, DRIVER, folder], env=importer._environment(), timeout=300, cwd=folder)
    results = {}
    for index, name in names.items():
        out = folder / f"{index:03}"
        results[name] = json.loads((out / "result.json").read_text())
        if "error" not in results[name]:
            results[name]["tflite"] = (out / "model.tflite").read_bytes()
    return results


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    models = {name: make() for name, make in CONVERTIBLE.items()}
    models["determinant"] = onnx_zoo.determinant()
    if REAL_MODELS.is_dir():
        models |= {name: onnx.load(REAL_MODELS / file) for name, (file, _, _) in REAL.items()}
    return convert(models, tmp_path_factory.mktemp("zoo"))


def graph_of(result: dict[str, Any]) -> Graph:
    assert "error" not in result, result["error"]
    return read(result["tflite"])


def shapes(graph: Graph, indices: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(graph.tensors[index].shape for index in indices)


@pytest.mark.parametrize("name", CONVERTIBLE)
def test_converts_and_proves_equal(converted: dict[str, Any], name: str) -> None:
    graph = graph_of(converted[name])
    proof = converted[name]["proof"]
    assert proof["max_difference"] <= proof["tolerance"]
    assert not [op.name for op in graph.ops if op.custom or op.name == "WHILE"]


@pytest.mark.parametrize(("name", "expected"), SHAPES.items(), ids=SHAPES)
def test_inputs_are_channels_last_with_batch_1(
    converted: dict[str, Any], name: str, expected: tuple[tuple[int, ...], ...]
) -> None:
    graph = graph_of(converted[name])
    assert shapes(graph, graph.inputs) == expected


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("cnn, opset 17", True),
        ("1-D convolution", True),
        ("image mlp", True),
        ("nhwc with a transpose", False),
        ("layer normalization", False),
        ("lstm", False),
    ],
)
def test_channels_first_sources_are_told_apart(
    converted: dict[str, Any], name: str, moved: bool
) -> None:
    assert converted[name]["inputs_moved"] == [moved]


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("split, slice, concat, hard swish", "HARD_SWISH"),
        ("layer normalization", "GELU"),
        ("prelu", "PRELU"),
        ("transposed convolution, resize", "RESIZE_NEAREST_NEIGHBOR"),
    ],
)
def test_patterns_become_one_op(converted: dict[str, Any], name: str, op: str) -> None:
    assert op in [o.name for o in graph_of(converted[name]).ops]


def test_a_plain_cnn_has_no_transposes(converted: dict[str, Any]) -> None:
    ops = [op.name for op in graph_of(converted["cnn, opset 17"]).ops]
    assert ops[:5] == ["PAD", "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MAX_POOL_2D"]
    assert "TRANSPOSE" not in ops


def test_every_opset_gives_the_same_flatbuffer(converted: dict[str, Any]) -> None:
    found = {converted[name]["tflite"] for name in CONVERTIBLE if name.startswith("cnn, opset")}
    assert len(found) == 1


def test_feature_map_outputs_are_channels_last_and_noted(converted: dict[str, Any]) -> None:
    result = converted["transposed convolution, resize"]
    graph = graph_of(result)
    assert shapes(graph, graph.outputs) == ((1, 16, 20, 2),)
    assert result["outputs_moved"] == [True]
    (note,) = importer._problems(Path("up.onnx"), result)
    assert "channels-last" in note.message


def test_values_tell_the_layouts_of_a_cube_apart(converted: dict[str, Any]) -> None:
    assert converted["cube"]["outputs_moved"] == [True]


def test_several_inputs_and_outputs_keep_order_and_names(converted: dict[str, Any]) -> None:
    graph = graph_of(converted["two inputs, two outputs"])
    assert [graph.tensors[i].name for i in graph.inputs] == ["z_image", "a/table"]
    assert [graph.tensors[i].name for i in graph.outputs] == ["z_first", "a_second"]


def test_token_ids_come_in_as_int32_and_are_only_looked_up(converted: dict[str, Any]) -> None:
    graph = graph_of(converted["token ids"])
    assert [graph.tensors[i].dtype for i in graph.inputs] == ["int32"]
    assert "LESS" not in {op.name for op in graph.ops}  # negative ones are not wrapped around


def test_parameters_are_counted_as_the_source_has_them(converted: dict[str, Any]) -> None:
    assert converted["mlp"]["parameters"] == 10 * 16 + 16 + 16 * 3 + 3


def test_what_the_first_attempt_cannot_do_a_later_one_does(converted: dict[str, Any]) -> None:
    assert converted["cnn, opset 17"]["attempt"] == "simplified graph"
    assert converted["erf"]["attempt"] == "plain operators"


def test_an_operator_that_litert_lacks_is_named_with_its_node(converted: dict[str, Any]) -> None:
    error = converted["determinant"]["error"]
    assert error.split(":")[1:2] == [" node 'Det_0' (Det)"], error
    assert "MatrixDeterminant" in error


def one(node: str, opset: int = 17, **attributes: Any) -> ModelProto:
    net = Net(opset)
    return net.model({"x": (1, 6)}, net.add(node, "x", **attributes))


def typed(dtype: int) -> ModelProto:
    net = Net()
    return net.model({"x": (1, 6)}, net.add("Relu", "x"), dtype=dtype, out_type=dtype)


def quantized() -> ModelProto:
    net = Net()
    scale, zero = net.constant(0.1, np.float32), net.constant(0, np.int8)
    x = net.add("DequantizeLinear", net.add("QuantizeLinear", "x", scale, zero), scale, zero)
    return net.model({"x": (1, 6)}, x)


def empty_graph() -> ModelProto:
    return helper.make_model(helper.make_graph([], "empty", [], []))


def bad_weight() -> ModelProto:
    model = onnx_zoo.mlp()
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]
    return model


REFUSED: dict[str, tuple[Callable[[], ModelProto], list[str]]] = {
    "dynamic height and width": (
        lambda: onnx_zoo.cnn(shape=("batch", 3, "height", "width")),
        ["'image'", "(batch, 3, height, width)"],
    ),
    "fixed batch of 8": (lambda: onnx_zoo.cnn(shape=(8, 3, 16, 16)), ["'image'", "batch of 8"]),
    "scalar input": (
        lambda: scalar_input(),
        ["'flag'", "no batch axis"],
    ),
    "float16 input": (lambda: typed(TensorProto.FLOAT16), ["'x'", "FLOAT16"]),
    "string input": (lambda: typed(TensorProto.STRING), ["'x'", "STRING"]),
    "custom domain": (
        lambda: one("Fancy", domain="org.example"),
        ["'Fancy_0'", "(Fancy)", "'org.example'"],
    ),
    "unknown operator": (lambda: one("Nonsense"), ["'Nonsense_0'", "(Nonsense)"]),
    "loop": (onnx_zoo.loop, ["'Loop_0'", "(Loop)"]),
    "already quantized": (quantized, ["'QuantizeLinear_0'", "already quantized"]),
    "no operators": (empty_graph, ["no operators"]),
    "weight of the wrong size": (bad_weight, ["w0"]),
}


def scalar_input() -> ModelProto:
    net = Net()
    return net.model({"flag": ()}, net.add("Relu", "flag"))


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(tmp_path: Path, make: Callable[[], ModelProto], words: list[str]) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(make(), path)
    with pytest.raises(ModelError) as caught:
        _onnx2tf.check(path)
    assert caught.value.message.startswith("net.onnx")
    assert all(word in caught.value.message for word in words), caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"hello, this is a text\n" * 9, id="text"),
        pytest.param(lambda data: data[: len(data) // 2], id="half of it"),
        pytest.param(lambda data: data[:-1], id="last byte missing"),
        pytest.param(lambda data: b"\0" * len(data), id="zeros"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(damage(onnx_zoo.cnn().SerializeToString()))
    with pytest.raises(ModelError, match=r"^net\.onnx"):
        _onnx2tf.check(path)


def with_weight_file(folder: Path, location: str) -> Path:
    """An MLP whose first weight lies in `location`; the file itself is weights.bin in `folder`."""
    model = onnx_zoo.mlp()
    tensor = model.graph.initializer[0]
    (folder / "weights.bin").write_bytes(tensor.raw_data)
    set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_missing_weight_file_is_named(tmp_path: Path) -> None:
    path = with_weight_file(tmp_path, "lost.bin")
    with pytest.raises(ModelError, match=r"lost\.bin"):
        _onnx2tf.check(path)


@pytest.mark.parametrize("kind", ["parent", "absolute", "symlink"])
def test_weight_files_outside_the_folder_are_refused(tmp_path: Path, kind: str) -> None:
    outside, inside = tmp_path / "secret.bin", tmp_path / "model"
    inside.mkdir()
    path = with_weight_file(
        inside, {"parent": "../secret.bin", "absolute": str(outside), "symlink": "link.bin"}[kind]
    )
    outside.write_bytes((inside / "weights.bin").read_bytes())
    (inside / "link.bin").symlink_to(outside)
    with pytest.raises(ModelError, match=r"^net\.onnx: weights in"):
        _onnx2tf.check(path)


def test_no_network() -> None:
    code = (
        "import socket\n"
        "from edgekit.importers._onnx2tf import offline\n"
        "offline()\n"
        "for call in (lambda: socket.create_connection(('127.0.0.1', {port})),\n"
        "             lambda: socket.getaddrinfo('localhost', 80),\n"
        "             lambda: __import__('requests').get('http://127.0.0.1:{port}')):\n"
        "    try:\n"
        "        call()\n"
        "    except OSError as error:\n"
        "        print(error)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        env = {**os.environ, "PYTHONPATH": importer._environment()["PYTHONPATH"]}
        text = run([sys.executable, "-c", code.format(port=port)], env=env).stdout
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    lines = text.splitlines()
    assert len(lines) == 3
    assert all("a conversion never uses the network" in line for line in lines)


def test_first_node_that_differs_is_named(tmp_path: Path) -> None:
    """The converted graph of one net against the outputs of another with other weights."""
    ours, theirs = onnx_zoo.cnn(), onnx_zoo.cnn()
    for tensor in theirs.graph.initializer:
        if tensor.name == "w10":
            values = numpy_helper.to_array(tensor) + np.float32(0.25)
            tensor.CopyFrom(numpy_helper.from_array(values, "w10"))
    paths = [tmp_path / "ours.onnx", tmp_path / "theirs.onnx"]
    for path, model in zip(paths, (ours, theirs), strict=True):
        onnx.save(model, path)
    reader = next(n for n in ours.graph.node if "w10" in n.input)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from edgekit.errors import ModelError\n"
        "from edgekit.importers import _onnx2tf as child, _onnx_prepare\n"
        "ours, theirs = (child.check(Path(p))[1] for p in sys.argv[1:3])\n"
        "proto = _onnx_prepare.fixed(ours.proto)\n"
        "function = child._function(proto, child.ATTEMPTS[0], ours)\n"
        "try:\n"
        "    child._proved(function, theirs, Path('.'))\n"
        "except ModelError as error:\n"
        "    print('MESSAGE', error.message)\n"
    )
    out = run(
        [sys.executable, "-c", code, *paths],
        cwd=tmp_path,
        env=importer._environment(),
        timeout=120,
    ).stdout
    message = next(line for line in out.splitlines() if line.startswith("MESSAGE"))
    assert f"'{reader.name}'" in message


def test_load_gives_the_whole_model_in_silence_and_leaves_the_source_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my net-1.onnx"
    path.write_bytes(with_weight_file(tmp_path, "weights.bin").read_bytes())
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    model = load(path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert capfd.readouterr() == ("", "")
    assert (model.form, model.source.format, model.source.path) == ("tflite", "onnx", path)
    assert model.source.sha256 != hashlib.sha256(path.read_bytes()).hexdigest()
    assert [(i.name, i.shape, i.dtype) for i in model.inputs] == [("features", (1, 10), "float32")]
    assert not model.channels_first
    assert model.history == ("import onnx: opset 17 by zoo, simplified graph",)


def test_two_processes_give_the_same_bytes(tmp_path: Path, converted: dict[str, Any]) -> None:
    path = tmp_path / "other.onnx"
    onnx.save(CONVERTIBLE["split, slice, concat, hard swish"](), path)
    model = load(path)
    assert model.tflite == converted["split, slice, concat, hard swish"]["tflite"]
    assert model.channels_first


def test_load_passes_the_childs_refusal_on(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(one("Nonsense"), path)
    with pytest.raises(ModelError, match=r"net\.onnx: node 'Nonsense_0' \(Nonsense\)"):
        load(path)


def test_a_child_that_comes_to_no_end_is_a_model_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(onnx_zoo.mlp(), path)
    monkeypatch.setattr(importer, "TIMEOUT", 0.05)
    with pytest.raises(ModelError, match="longer than") as caught:
        load(path)
    assert isinstance(caught.value.__cause__, ToolError)


@pytest.fixture(scope="module")
def real(converted: dict[str, Any], real_models: Path) -> dict[str, Any]:
    return converted


@pytest.mark.parametrize(("name", "facts"), REAL.items(), ids=REAL)
def test_real_models_convert(
    real: dict[str, Any], name: str, facts: tuple[str, tuple[int, ...], int]
) -> None:
    file, shape, classes = facts
    graph = graph_of(real[name])
    assert shapes(graph, graph.inputs) == (shape,)
    assert shapes(graph, graph.outputs) == ((1, classes),)
    assert real[name]["inputs_moved"] == ["nchw" in file]
    assert real[name]["proof"]["max_difference"] < 1e-5
    assert real[name]["attempt"] == "simplified graph"


def test_an_nhwc_source_needs_no_transpose(real: dict[str, Any]) -> None:
    ops = [op.name for op in graph_of(real["keyword spotting, nhwc"]).ops]
    assert "TRANSPOSE" not in ops


def test_batch_norms_are_folded(real: dict[str, Any]) -> None:
    ops = {op.name for op in graph_of(real["mobilenet of PyTorch"]).ops}
    assert ops == {"PAD", "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"}


@pytest.mark.slow
def test_accuracy_of_a_real_model_is_the_published_one(real_models: Path) -> None:
    model = load(real_models / REAL["mnist of CNTK"][0])
    data = np.load(real_models / "mnist_keras3" / "mnist_t10k_0_4999.npz")
    images, labels = (data[key] for key in sorted(data, key=lambda key: -data[key].ndim))
    with LiteRT(model.tflite) as runtime:
        rows = (image.reshape(1, 28, 28, 1).astype(np.float32) for image in images)
        found = [int(y.argmax()) for (y,) in (runtime.run((row,)) for row in rows)]
    assert np.mean(np.array(found) == labels) == pytest.approx(0.9830, abs=1e-4)
