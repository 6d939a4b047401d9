"""The library's pure functions on a JVM: bit for bit what Python computes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from jvm import compiled, java, needs_jdk
from made_tflite import small_net

from edgekit.affine import dequantise, limits, quantise
from edgekit.android.names import names_of
from edgekit.data.readers.images import with_channels
from edgekit.data.resize import resize
from edgekit.errors import DataError
from edgekit.exporters.aar import Exporter
from edgekit.exporters.base import ExportInput
from edgekit.graph.graph import Quantization, Tensor
from edgekit.graph.read import read
from edgekit.preprocess import Preprocess

pytestmark = needs_jdk
DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool")
MEASURED = ("int8", "uint8", "int16", "float32")
RAW = ("uint8", "int8", "uint16", "int16", "int32", "float32")
NAMES = names_of("some net")
LABELS = tuple(f'{n} "模型" \\u0041 \\ 😀 é ?? \t{n % 7 * "long "}' for n in range(3000))


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    data = small_net()
    graph, profile = read(data), cast(Any, None)
    given = ExportInput("some net", data, graph, profile, labels=LABELS)
    Exporter().export(given, folder)
    return compiled(folder / "android" / "java", NAMES, "Driver", tmp_path_factory.mktemp("jvm"))


@dataclass
class Talk:
    """Questions for `Driver`, and what it answered."""

    questions: list[bytes] = field(default_factory=list)
    answers: bytes = b""

    def ask(self, kind: str, tensor: Tensor, content: bytes) -> None:
        known = tensor.quantization
        scale, zero = (known.scale[0], known.zero_point[0]) if known else (0, 0)
        head = kind.encode() + _text(tensor.dtype) + struct.pack(">fi", scale, zero)
        self.questions.append(head + _ints(tensor.shape) + content)

    def run(self, classes: Path) -> None:
        self.answers = java(classes, NAMES, "Driver", input=b"".join(self.questions))

    def count(self) -> int:
        head, self.answers = self.answers[:4], self.answers[4:]
        return int(struct.unpack(">i", head)[0])

    def take(self, dtype: str) -> np.ndarray:
        """The next array; stored bytes are little-endian, floats of the pipe are not."""
        size = self.count() * (4 if dtype == ">f4" else 1)
        part, self.answers = self.answers[:size], self.answers[size:]
        return np.frombuffer(part, dtype)

    def text(self) -> str:
        size = struct.unpack(">H", self.answers[:2])[0]
        part, self.answers = self.answers[2 : 2 + size], self.answers[2 + size :]
        return (
            part.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
        )


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()


def _ints(values: Any) -> bytes:
    return struct.pack(">i", len(values)) + np.asarray(values, ">i4").tobytes()


def _floats(values: np.ndarray) -> bytes:
    return struct.pack(">i", values.size) + values.astype(">f4").tobytes()


def _doubles(values: Any) -> bytes:
    return struct.pack(">i", len(values)) + np.asarray(values, ">f8").tobytes()


def _tensor(dtype: str, shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    known = None
    if dtype in ("int8", "uint8", "int16", "int32"):
        low, high = limits(dtype if dtype != "int32" else "int16")
        scale = np.float32(10.0 ** rng.uniform(-4, 1))
        zero = 0 if rng.random() < 0.2 else int(rng.integers(low, high + 1))
        known = Quantization(np.array([scale], np.float32), np.array([zero]), 0)
    return Tensor(0, "it", shape, shape, dtype, None, known, None, None, False)


def _reals(tensor: Tensor, rng: np.random.Generator) -> np.ndarray:
    """Values around the range of a tensor, halves of a step, and what is no number."""
    scale = float(tensor.quantization.scale[0]) if tensor.quantization else 1.0
    real = (rng.normal(0, 150, tensor.elements) * scale).astype(np.float32)
    halves = rng.integers(-300, 300, tensor.elements) + 0.5
    real[::3] = (halves * scale).astype(np.float32)[::3]
    real[:6] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 0.49999997 * scale]
    return real


def test_quantize_agrees_on_1000_random_vectors_of_all_types(classes: Path) -> None:
    rng, talk, wanted = np.random.default_rng(7), Talk(), []
    for number in range(1000):
        tensor = _tensor(DTYPES[number % len(DTYPES)], (1, 40), rng)
        real = _reals(tensor, rng)
        if tensor.dtype == "int64":  # what is no number has no nearest integer there
            real[:3] = 0
        talk.ask("q", tensor, _floats(real))
        wanted.append((tensor, quantise(real, tensor)))
    talk.run(classes)
    for tensor, right in wanted:
        got = talk.take("u1").view(np.dtype(tensor.dtype).newbyteorder("<"))
        np.testing.assert_array_equal(got, right, err_msg=str(tensor))
    assert talk.answers == b""


def test_dequantize_agrees_on_1000_random_vectors_of_all_types(classes: Path) -> None:
    rng, talk, wanted = np.random.default_rng(8), Talk(), []
    for number in range(1000):
        tensor = _tensor(DTYPES[number % len(DTYPES)], (1, 40), rng)
        raw = rng.integers(0, 256, tensor.nbytes).astype(np.uint8)
        stored = (raw & 1 if tensor.dtype == "bool" else raw).view(tensor.dtype)
        talk.ask("d", tensor, stored.tobytes())
        wanted.append((tensor, dequantise(stored, tensor)))
    talk.run(classes)
    for tensor, right in wanted:
        np.testing.assert_array_equal(talk.take(">f4"), right, err_msg=str(tensor))
    assert talk.answers == b""


def _preprocess(rng: np.random.Generator, channels: int, dtype: str) -> Preprocess:
    def numbers() -> tuple[float, ...]:
        count = int(rng.choice([0, 1, channels]))
        return tuple(float(value) for value in rng.uniform(0.1, 2, count))

    if rng.random() < 0.2:
        return Preprocess(dtype=dtype)
    scale, offset = float(rng.choice([1 / 255, 1 / 127.5, 0.3])), float(rng.choice([0, -1, 0.7]))
    return Preprocess(scale=scale, offset=offset, mean=numbers(), std=numbers(), dtype=dtype)


def _row(dtype: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if dtype == "float32":
        return rng.normal(0, 100, shape).astype(np.float32)
    low, high = limits(dtype)
    return rng.integers(low, high + 1, shape).astype(dtype)


def _ask_prepare(
    talk: Talk, tensor: Tensor, preprocess: Preprocess, row: np.ndarray, size: Any, kind: str = ""
) -> None:
    kind = kind or {"uint8": "b", "float32": "f"}.get(str(row.dtype), "i")
    values = {"b": lambda: struct.pack(">i", row.size) + row.tobytes(), "f": lambda: _floats(row)}
    content = values.get(kind, lambda: _ints(row.ravel()))()
    numbers = struct.pack(
        ">?dd", preprocess.resize is not None, preprocess.scale, preprocess.offset
    )
    setting = _text(preprocess.dtype) + numbers + _doubles(preprocess.mean)
    setting += _doubles(preprocess.std)
    talk.ask("p", tensor, setting + kind.encode() + struct.pack(">ii", *size) + content)


def _check_prepared(talk: Talk, tensor: Tensor, real: np.ndarray) -> None:
    np.testing.assert_array_equal(talk.take(">f4"), real.ravel())
    stored = talk.take("u1").view(np.dtype(tensor.dtype).newbyteorder("<"))
    np.testing.assert_array_equal(stored, quantise(real, tensor).ravel())


def test_preprocess_agrees_on_1000_random_rows_with_resize(classes: Path) -> None:
    rng, talk, wanted = np.random.default_rng(9), Talk(), []
    for number in range(1000):
        raw, stored = RAW[number % len(RAW)], MEASURED[number % len(MEASURED)]
        height, width, channels = (int(size) for size in rng.integers(1, 9, 3))
        flat = bool(rng.random() < 0.2)  # pictures of a model without a channel axis
        inner = () if flat else (channels,)
        tensor = _tensor(stored, (1, height, width, *inner), rng)
        preprocess = _preprocess(rng, width if flat else channels, str(rng.choice(["auto", raw])))
        size = (0, 0)
        if number % 2:
            size = tuple(int(value) for value in rng.integers(1, 12, 2))
            preprocess = Preprocess(**{**vars(preprocess), "resize": (height, width)})
        row = _row(raw, (*(size if number % 2 else (height, width)), *inner), rng)
        _ask_prepare(talk, tensor, preprocess, row, size)
        wanted.append((tensor, preprocess.apply(row)))
    talk.run(classes)
    for tensor, real in wanted:
        _check_prepared(talk, tensor, real)
    assert talk.answers == b""


def test_3000_labels_of_any_characters_come_through(classes: Path) -> None:
    talk = Talk([b"l"])
    talk.run(classes)
    assert talk.count() == len(LABELS)
    assert tuple(talk.text() for _ in LABELS) == LABELS


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_become_channels_as_pillow_makes_them(classes: Path, channels: int) -> None:
    rng, talk, wanted = np.random.default_rng(channels), Talk(), []
    for number in range(50):
        height, width = (int(size) for size in rng.integers(1, 12, 2))
        rgb = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        argb = (0xFF << 24) + (rgb.astype(np.int64) @ [1 << 16, 1 << 8, 1])
        preprocess = Preprocess(scale=1 / 255, mean=(0.5,) * channels, dtype="uint8")
        target = (5, 7) if number % 2 else (height, width)
        tensor = _tensor("int8", (1, *target, channels), rng)
        pixels = argb.astype(np.uint32).view(np.int32)
        _ask_prepare(talk, tensor, preprocess, pixels, (height, width), "x")
        fitted = resize(with_channels(rgb, channels), *target)
        wanted.append((tensor, preprocess.values(fitted)))
    talk.run(classes)
    for tensor, real in wanted:
        _check_prepared(talk, tensor, real)


def _bad() -> Iterator[tuple[Tensor, Preprocess, np.ndarray, tuple[int, int], str]]:
    rng = np.random.default_rng(0)
    tensor = _tensor("int8", (1, 4, 4, 1), rng)
    row = np.zeros((3, 3, 1), np.uint8)
    yield tensor, Preprocess(), row, (0, 0), "takes 16 values, and 9 are given"
    yield tensor, Preprocess(), row, (3, 3), "build with --preprocess resize=4x4"
    resized = Preprocess(resize=(4, 4))
    yield tensor, resized, row, (5, 3), "9 values are no picture of 5x3x1"
    high = np.full((4, 4, 1), 300, np.int32)
    yield tensor, Preprocess(dtype="uint8"), high, (0, 0), "raw rows are uint8, and 300.0"
    tokens = _tensor("int64", (1, 16), rng)
    yield tokens, Preprocess(scale=9), row.astype(np.float32) + 0.5, (0, 0), "takes 16 values"
    halves = np.full(16, 0.5, np.float32)
    yield tokens, Preprocess(scale=9), halves, (0, 0), "takes whole numbers, at most 2^24, and 0.5"
    flat = _tensor("int8", (1, 16), rng)
    yield flat, resized, row, (3, 3), "takes no pictures"


def test_rows_that_do_not_fit_are_refused(classes: Path) -> None:
    talk, cases = Talk(), list(_bad())
    for tensor, preprocess, row, size, _ in cases:
        _ask_prepare(talk, tensor, preprocess, row, size)
    talk.run(classes)
    for *_, message in cases:
        assert talk.count() == -1
        assert message in talk.text()
    with pytest.raises(DataError):
        cases[3][1].apply(cases[3][2])
