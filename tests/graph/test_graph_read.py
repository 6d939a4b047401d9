from __future__ import annotations

import random
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from made_tflite import Made, Step, build, one_op, options, pack, small_net, subgraph, unpack

from edgekit.errors import ModelError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read


def test_a_small_net_is_read_whole() -> None:
    graph = read(small_net())
    assert (graph.name, graph.description) == ("main", "made in a test")
    assert [op.name for op in graph.ops] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    assert [op.version for op in graph.ops] == [3, 1, 4, 2]
    conv, reshape, _, softmax = graph.ops
    assert (conv.inputs, conv.outputs, conv.custom) == ((0, 1, 2), (3,), False)
    assert conv.options["padding"] == "SAME"
    assert conv.options["fused_activation_function"] == "RELU6"
    assert (conv.options["stride_h"], conv.options["dilation_w_factor"]) == (1, 1)
    assert reshape.options["new_shape"] == (1, 48)
    assert softmax.options["beta"] == 1.0
    source, weights = graph.tensors[0], graph.tensors[1]
    assert (source.name, source.shape, source.dtype, source.data) == (
        "in",
        (1, 4, 4, 2),
        "int8",
        None,
    )
    assert source.quantization is not None
    assert (source.quantization.scale.tolist(), source.quantization.zero_point.tolist()) == (
        [0.5],
        [-3],
    )
    assert weights.quantization is not None
    assert weights.quantization.per_channel
    assert weights.quantization.scale.tolist() == np.float32([0.1, 0.2, 0.3]).tolist()
    assert (weights.data.shape, weights.data.dtype) == ((3, 3, 3, 2), np.int8)
    assert graph.input_tensors()[0].name == "in"
    assert graph.output_tensors()[0].name == "out"


def test_constants_are_read_only_views_of_the_file() -> None:
    data = small_net()
    weights = read(data).tensors[1].data
    assert weights is not None
    assert np.shares_memory(weights, np.frombuffer(data, np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        weights[0] = 1


def test_real_models_read_as_the_schema_library_reads_them(real_models: Path) -> None:
    files = sorted(real_models.rglob("*.tflite"))
    assert len(files) > 10
    for file in files:
        data = file.read_bytes()
        graph, model = read(data, file.name), unpack(data)
        told = model.subgraphs[0]
        assert list(graph.inputs) == list(told.inputs)
        assert list(graph.outputs) == list(told.outputs)
        for tensor, expected in zip(graph.tensors, told.tensors, strict=True):
            assert tensor.name == expected.name.decode()
            assert list(tensor.shape) == list(_or_empty(expected.shape))
            raw = _or_empty(model.buffers[expected.buffer].data)
            stored = b"" if tensor.data is None else tensor.data.tobytes()
            assert stored == bytes(bytearray(raw)), (file.name, tensor.name)
            if tensor.quantization is not None:
                assert tensor.quantization.scale.tolist() == expected.quantization.scale.tolist()
        for op, expected in zip(graph.ops, told.operators, strict=True):
            assert list(op.inputs) == list(expected.inputs)
            assert list(op.outputs) == list(expected.outputs)
            given = vars(expected.builtinOptions) if expected.builtinOptions else {}
            assert len(op.options) == len(given)
            assert op.options.get("stride_w") == given.get("strideW")


def _or_empty(values: Any) -> Any:
    return () if values is None else values


TYPES = {
    "float16": ("FLOAT16", np.array([1.5, -2, 0], np.float16), [1.5, -2, 0]),
    "int4, two in a byte, odd count": ("INT4", bytes([0x2F, 0x08]), [-1, 2, -8]),
    "uint4": ("UINT4", bytes([0x2F, 0x08]), [15, 2, 8]),
    "int2, four in a byte": ("INT2", bytes([0b00_10_01_11]), [-1, 1, -2]),
    "bfloat16 as bits": ("BFLOAT16", np.array([0x3F80, 1, 2], np.uint16), [0x3F80, 1, 2]),
    "bool": ("BOOL", np.array([True, False, True]), [True, False, True]),
    "int64": ("INT64", np.array([1, -(2**40), 3]), [1, -(2**40), 3]),
    "int16": ("INT16", np.array([1, -300, 3], np.int16), [1, -300, 3]),
    "float64": ("FLOAT64", np.array([1, -0.1, 3.0]), [1, -0.1, 3.0]),
    "complex64": ("COMPLEX64", np.array([1j, 2, 3], np.complex64), [1j, 2, 3]),
    "uint8": ("UINT8", np.array([0, 255, 3], np.uint8), [0, 255, 3]),
}


@pytest.mark.parametrize(("kind", "stored", "expected"), TYPES.values(), ids=TYPES.keys())
def test_constants_of_every_type(kind: str, stored: Any, expected: list[Any]) -> None:
    tensor = read(build([Made("c", (3,), kind, stored)], [], [], [0])).tensors[0]
    assert tensor.dtype == kind.lower()
    assert tensor.data is not None
    assert tensor.data.tolist() == expected
    assert not tensor.data.flags.writeable
    raw = stored if isinstance(stored, bytes) else stored.tobytes()
    assert tensor.nbytes == len(raw)


def test_texts_are_given_as_the_file_stores_them() -> None:
    stored = np.array([2, 16, 18, 21], np.int32).tobytes() + b"hi" + b"you"
    tensor = read(build([Made("t", (2,), "STRING", stored)], [], [], [0])).tensors[0]
    assert tensor.data.tobytes() == stored
    assert tensor.nbytes == len(stored)


def test_blockwise_scales_are_read_from_their_tensor() -> None:
    def edit(model: Any) -> None:
        details = schema.BlockwiseQuantizationT()
        details.scales, details.blockSize = 1, 4
        quantization = schema.QuantizationParametersT()
        quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
        quantization.details = details
        model.subgraphs[0].tensors[0].quantization = quantization

    scales = np.array([[0.5, 0.25], [1, 2]], np.float16)
    tensors = [Made("w", (2, 8), "INT4", bytes(8)), Made("s", (2, 2), "FLOAT16", scales)]
    found = read(build(tensors, [], [], [0], edit)).tensors[0].quantization
    assert found is not None
    assert (found.scale.tolist(), found.block) == ([0.5, 0.25, 1, 2], 4)
    assert found.zero_point.tolist() == [0, 0, 0, 0]


def test_calibration_statistics() -> None:
    def edit(model: Any) -> None:
        quantization = schema.QuantizationParametersT()
        quantization.min, quantization.max = [-1.5], [2.5]
        model.subgraphs[0].tensors[0].quantization = quantization

    found = read(build([Made("x", (1,))], [], [0], [0], edit)).tensors[0]
    assert (found.minimum, found.maximum, found.quantization) == (-1.5, 2.5, None)


def test_dynamic_sizes() -> None:
    def edit(model: Any) -> None:
        model.subgraphs[0].tensors[0].shapeSignature = [-1, 4]

    found = read(build([Made("x", (1, 4))], [], [0], [0], edit)).tensors[0]
    assert (found.shape, found.signature, found.dynamic) == ((1, 4), (-1, 4), True)


def test_custom_operators_and_absent_inputs() -> None:
    tensors = [Made("x", (1,)), Made("y", (1,))]
    graph = read(build(tensors, [Step("CUSTOM", (0, -1), (1,), None, "MyOp")], [0], [1]))
    assert (graph.ops[0].name, graph.ops[0].custom) == ("MyOp", True)
    assert graph.ops[0].inputs == (0, -1)
    assert dict(graph.ops[0].options) == {}


def looping(condition: int, body: int) -> bytes:
    """A WHILE whose subgraphs 1 and 2 hold a tensor each."""

    def edit(model: Any) -> None:
        model.subgraphs.append(subgraph(model, [Made("a", (), "BOOL")], [], [0], [0]))
        model.subgraphs.append(subgraph(model, [Made("b", (1,))], [], [0], [0]))

    loop = options("While", condSubgraphIndex=condition, bodySubgraphIndex=body)
    steps = [Step("WHILE", (0,), (1,), loop)]
    return build([Made("x", (1,)), Made("y", (1,))], steps, [0], [1], edit)


def test_subgraphs_of_a_loop() -> None:
    graph = read(looping(1, 2))
    assert graph.ops[0].options == {"cond_subgraph_index": 1, "body_subgraph_index": 2}
    assert [each.tensors[0].name for each in graph.subgraphs] == ["a", "b"]


def tensor(number: int, **changes: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0].tensors[number], name, value)

    return edit


def step(number: int, **changes: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0].operators[number], name, value)

    return edit


def option(number: int, **changes: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0].operators[number].builtinOptions, name, value)

    return edit


def quantized(number: int, **changes: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0].tensors[number].quantization, name, value)

    return edit


def top(change: Callable[[Any], Any]) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        change(model)

    return edit


def _external(model: Any) -> None:
    model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, 4096, 54


def _metadata(model: Any) -> None:
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"note", 99
    model.metadata = [entry]


def _signature(model: Any) -> None:
    mapped, signature = schema.TensorMapT(), schema.SignatureDefT()
    mapped.name, mapped.tensorIndex = b"x", 77
    signature.inputs, signature.outputs, signature.signatureKey = [mapped], [], b"serve"
    model.signatureDefs = [signature]


UNSOUND = {
    "schema version": (top(lambda m: setattr(m, "version", 2)), "schema version 2"),
    "no graph": (top(lambda m: setattr(m, "subgraphs", [])), "no graph"),
    "data too short": (tensor(1, shape=[3, 3, 3, 4]), "'w' .* has 54 bytes of data, not 108"),
    "data of another type": (tensor(1, type=schema.TensorType.INT16), "not 108"),
    "no such buffer": (tensor(3, buffer=50), "buffer 50 of"),
    "no such tensor type": (tensor(3, type=99), "unknown type"),
    "negative size": (tensor(3, shape=[1, -4, 4, 3]), "impossible shape"),
    "rank of nine": (tensor(3, shape=[1] * 9), "impossible shape"),
    "huge activation": (tensor(3, shape=[1, 2**20, 2**20, 3]), "more than 2 GB"),
    "signature against shape": (tensor(3, shapeSignature=[1, 5, 4, 3]), "but signature"),
    "sparse": (tensor(1, sparsity=schema.SparsityParametersT()), "stored sparse"),
    "external buffer of a tensor": (tensor(1, externalBuffer=1), "external buffer"),
    "buffer outside": (_external, "outside the flatbuffer"),
    "infinite scale": (quantized(0, scale=[float("inf")]), "not a positive number"),
    "scale that is no number": (quantized(0, scale=[float("nan")]), "not a positive number"),
    "scale of zero": (quantized(0, scale=[0.0]), "not a positive number"),
    "negative scale": (quantized(1, scale=[0.1, -0.2, 0.3]), "'w' has a scale"),
    "too many scales": (quantized(1, scale=[1.0, 2], zeroPoint=[0, 0]), "2 scales on axis 0"),
    "axis outside": (quantized(1, quantizedDimension=4), "3 scales on axis 4"),
    "zero points missing": (quantized(0, zeroPoint=[]), "1 scales and 0 zero points"),
    "zero point outside": (quantized(0, zeroPoint=[128]), "zero point outside int8"),
    "unknown operator": (
        top(lambda m: setattr(m.operatorCodes[0], "builtinCode", 9999)),
        "unknown builtin operator 9999",
    ),
    "version of zero": (
        top(lambda m: setattr(m.operatorCodes[0], "version", 0)),
        "CONV_2D has the impossible version 0",
    ),
    "no such code": (step(0, opcodeIndex=9), "code 9 of 4"),
    "no such input": (step(0, inputs=[0, 1, 99]), "CONV_2D 'conv' reads tensor 99"),
    "input before its writer": (step(0, inputs=[5, 1, 2]), "reads 'flat' before it is written"),
    "writes a constant": (step(0, outputs=[1]), "CONV_2D 'w' writes a constant"),
    "writes what is written": (step(1, outputs=[3]), "written before"),
    "writes an input": (step(0, outputs=[0]), "written before"),
    "no such output": (step(0, outputs=[1000]), "writes tensor 1000"),
    "no such intermediate": (step(0, intermediates=[1000]), "intermediate"),
    "options outside": (step(0, largeCustomOptionsOffset=5000), "outside the flatbuffer"),
    "operator without inputs": (step(0, inputs=[]), "too few inputs"),
    "model input does not exist": (
        top(lambda m: setattr(m.subgraphs[0], "inputs", [40])),
        "input tensor 40 does not exist",
    ),
    "model output does not exist": (
        top(lambda m: setattr(m.subgraphs[0], "outputs", [-1])),
        "output tensor -1 does not exist",
    ),
    "model input is a constant": (
        top(lambda m: setattr(m.subgraphs[0], "inputs", [0, 1])),
        "'w' is a constant",
    ),
    "model output is never written": (
        top(lambda m: m.subgraphs[0].operators.pop()),
        "output 'out' is never written",
    ),
    "stride of zero": (option(0, strideH=0), "impossible stride_h 0"),
    "missing options": (
        step(0, builtinOptions=None, builtinOptionsType=0),
        "impossible stride_h 0",
    ),
    "softmax without options": (step(3, builtinOptions=None, builtinOptionsType=0), "beta 0.0"),
    "options of another kind": (
        step(
            0,
            builtinOptionsType=schema.BuiltinOptions.Pool2DOptions,
            builtinOptions=options("Pool2D", strideH=1, strideW=1),
        ),
        "CONV_2D has Pool2DOptions",
    ),
    "softmax of almost nothing": (option(3, beta=1e-12), "impossible beta"),
    "huge dilation": (option(0, dilationWFactor=2**30), "impossible dilation_w_factor"),
    "int8 without scale": (tensor(3, quantization=None), "'conv', int8 without scale"),
    "stride against shape": (option(0, strideH=2), r"output is \[1, 4, 4, 3\], should be"),
    "padding against shape": (option(0, padding=1), r"should be \[1, 2, 2, 3\]"),
    "unknown padding": (option(0, padding=7), "unknown Padding 7"),
    "unknown activation": (option(0, fusedActivationFunction=77), "unknown ActivationFunction"),
    "reshape to another count": (tensor(5, shape=[1, 47]), "cannot become"),
    "dense of another width": (tensor(8, shape=[1, 3]), "do not give an output"),
    "metadata without a buffer": (_metadata, "metadata 'note' uses buffer 99"),
    "signature without a tensor": (_signature, "signature 'serve' names tensor 77"),
}


@pytest.mark.parametrize(("edit", "message"), UNSOUND.values(), ids=UNSOUND.keys())
def test_unsound_files_are_refused_by_name(edit: Callable[[Any], None], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read(small_net(edit), "my.tflite")
    assert caught.value.message.startswith("my.tflite: ")
    assert caught.value.hint
    assert len(caught.value.message.splitlines()) == 1


def integers(name: str, values: Any) -> Made:
    return Made(name, np.shape(values), "INT32", np.array(values, np.int32))


PLAIN_CONV = options("Conv2D", strideW=1, strideH=1)
SHAPES = {
    "joined on no axis": (
        "CONCATENATION",
        [Made("a", (1, 2)), Made("b", (1, 3)), Made("y", (1, 5))],
        options("Concatenation", axis=2),
    ),
    "sum of what does not fit": (
        "ADD",
        [Made("a", (1, 2)), Made("b", (1, 3)), Made("y", (1, 3))],
        None,
    ),
    "pool of no size": (
        "MAX_POOL_2D",
        [Made("a", (1, 4, 4, 1)), Made("y", (1, 4, 4, 1))],
        options("Pool2D", strideW=1, strideH=1),
    ),
    "order of other axes": (
        "TRANSPOSE",
        [Made("a", (1, 2)), integers("p", [0, 2]), Made("y", (1, 2))],
        None,
    ),
    "mean over no axis": (
        "MEAN",
        [Made("a", (1, 2)), integers("p", [7]), Made("y", (1,))],
        None,
    ),
    "padding below zero": (
        "PAD",
        [Made("a", (2,)), integers("p", [[-1, 1]]), Made("y", (2,))],
        None,
    ),
    "padding to another size": (
        "PAD",
        [Made("a", (2,)), integers("p", [[1, 1]]), Made("y", (3,))],
        None,
    ),
    "block of no size": (
        "SPACE_TO_DEPTH",
        [Made("a", (1, 2, 2, 1)), Made("y", (1, 1, 1, 4))],
        options("SpaceToDepth"),
    ),
    "channels that do not divide": (
        "CONV_2D",
        [
            Made("a", (1, 2, 2, 3)),
            Made("w", (4, 1, 1, 2), data=np.ones(8, np.float32)),
            Made("y", (1, 2, 2, 4)),
        ],
        PLAIN_CONV,
    ),
    "empty weights": (
        "FULLY_CONNECTED",
        [Made("a", (1, 2)), Made("w", (0, 2)), Made("y", (1, 0))],
        None,
    ),
    "split in other parts": (
        "SPLIT",
        [integers("axis", 0), Made("a", (4,)), Made("y", (4,))],
        options("Split", numSplits=2),
    ),
    "transposed conv of another size": (
        "TRANSPOSE_CONV",
        [
            integers("to", [1, 4, 4, 1]),
            Made("w", (1, 2, 2, 3), data=np.ones(12, np.float32)),
            Made("a", (1, 2, 2, 3)),
            Made("y", (1, 5, 4, 1)),
        ],
        options("TransposeConv", strideW=2, strideH=2),
    ),
}


@pytest.mark.parametrize(("name", "tensors", "made"), SHAPES.values(), ids=SHAPES.keys())
def test_shapes_that_contradict_the_operator(name: str, tensors: list[Made], made: Any) -> None:
    with pytest.raises(ModelError, match=f"operator 0 {name} 'y'"):
        read(one_op(name, tensors, made))


CALLS = {
    "a graph that does not exist": (looping(1, 9), "calls graph 9 of 3"),
    "itself": (looping(1, 0), "calls itself"),
}


@pytest.mark.parametrize(("data", "message"), CALLS.values(), ids=CALLS.keys())
def test_a_loop_that_calls(data: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read(data)


NO_MODELS = {
    "empty": b"",
    "seven bytes": b"1234567",
    "text": b"This is no model at all, only a text.",
    "identifier alone": b"\x08\0\0\0TFL3",
    "identifier and zeros": b"\x08\0\0\0TFL3" + bytes(64),
    "root outside": b"\xff\xff\xff\x7fTFL3" + bytes(64),
}


@pytest.mark.parametrize("data", NO_MODELS.values(), ids=NO_MODELS.keys())
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match=re.escape("given.tflite: ")):
        read(data, "given.tflite")


def test_many_tensors_on_one_table_do_not_take_for_ever() -> None:
    """A vector of offsets that all lead to one place: small file, endless work."""
    data = small_net(tensor(0, name=b"n" * 50_000))
    model = unpack(data)
    model.subgraphs[0].tensors *= 3  # room for the offsets
    packed = bytearray(pack(model))
    found = schema.Model.GetRootAs(packed, 0).Subgraphs(0)
    start = found._tab.Vector(found._tab.Offset(4))
    first = start + int.from_bytes(packed[start : start + 4], "little")
    for place in range(found.TensorsLength()):
        position = start + 4 * place
        packed[position : position + 4] = (first - position).to_bytes(4, "little")
    with pytest.raises(ModelError, match="overlap"):
        read(bytes(packed))


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut short, or with one to sixteen bits flipped or bytes overwritten."""
    if rng.random() < 0.2:
        return data[: rng.randrange(len(data))]
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        # Tables lie at both ends of converters' files, weights in between
        reach = rng.choice((len(data), min(len(data), 4096)))
        place = rng.choice((1, -1)) * rng.randrange(1, reach)
        flip = changed[place] ^ (1 << rng.randrange(8))
        changed[place] = flip if rng.random() < 0.7 else rng.choice((0, 1, 127, 128, 255))
    return bytes(changed)


def accepted(data: bytes, count: int, seed: int) -> list[bytes]:
    """Damaged variants that read; anything but a graph or a ModelError fails, slowness too."""
    rng, good = random.Random(seed), []
    for _ in range(count):
        variant = damaged(data, rng)
        start = time.perf_counter()
        try:
            assert isinstance(read(variant), Graph)
            good.append(variant)
        except ModelError:
            pass
        assert time.perf_counter() - start < 2
    return good


def test_damaged_small_nets_never_crash() -> None:
    good = accepted(small_net(), 400, seed=1)
    assert 0 < len(good) < 400


@pytest.mark.slow
def test_damaged_real_models_never_crash_nor_allocate_wildly(real_models: Path) -> None:
    files = sorted(real_models.rglob("*.tflite"))
    tracemalloc.start()
    try:
        for file in files:
            data = file.read_bytes()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            accepted(data, 1000 if len(data) < 100_000 else 300, seed=len(data))
            peak = tracemalloc.get_traced_memory()[1] - before
            assert peak < 1000 * len(data) + 50_000_000, file.name
    finally:
        tracemalloc.stop()


RUN = """
import pathlib, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        kernels = OpResolverType.BUILTIN_REF
        it = Interpreter(str(file), experimental_op_resolver_type=kernels, num_threads=1)
        it.allocate_tensors()
        for end in it.get_input_details():
            it.set_tensor(end['index'], np.zeros(end['shape'], end['dtype']))
        it.invoke()
    except (RuntimeError, ValueError):
        pass
"""


@pytest.mark.slow
def test_an_interpreter_survives_what_is_accepted(real_models: Path, tmp_path: Path) -> None:
    names = ("kws_dscnn/kws_ref_model_int8", "tflm_examples/mnist_lstm_int8")
    for name in names:
        data = (real_models / f"{name}.tflite").read_bytes()
        for place, variant in enumerate(accepted(data, 400, seed=7)):
            (tmp_path / f"{Path(name).name}_{place}.tflite").write_bytes(variant)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_reading_imports_no_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(small_net())
    code = (
        "import sys; from pathlib import Path; from edgekit.graph.read import read;"
        f"read(Path({str(tmp_path / 'net.tflite')!r}).read_bytes());"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
