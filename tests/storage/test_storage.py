"""Packing, and unpacking in Python and in C, of files of every kind."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from made_tflite import small_net
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.storage import bits, container, huffman, positions, section, values
from edgekit.storage.damaged import Damaged
from edgekit.storage.files import UNPACKER, pack_model, write_unpacker
from edgekit.storage.layout import Constant, constants
from edgekit.storage.section import Matrix

needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
MAIN = r"""
#include <stdio.h>
#include <stdlib.h>
#include "edgekit_unpack.h"

static uint8_t *content(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    data = malloc(*size ? *size : 1); /* exactly: one byte too far is seen */
    *size = fread(data, 1, *size, file);
    fclose(file);
    return data;
}

int main(int count, char **paths) {
    int place, damaged = 0;
    for (place = 1; place + 1 < count; place += 2) {
        size_t packed_size, size;
        uint8_t *packed = content(paths[place], &packed_size), *out;
        size = edgekit_unpacked_size(packed, packed_size);
        if (size > 1u << 26) size = 0;
        out = malloc(size ? size : 1);
        if (!size || edgekit_unpack(packed, packed_size, out, size)) {
            ++damaged;
        } else {
            FILE *file = fopen(paths[place + 1], "wb");
            fwrite(out, 1, size, file);
            fclose(file);
        }
        free(out);
        free(packed);
    }
    return damaged;
}
"""


@pytest.fixture(scope="module")
def unpack_in_c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that unpacks pairs of files, and counts those that are damaged."""
    folder = tmp_path_factory.mktemp("unpack")
    write_unpacker(folder)
    (folder / "main.c").write_text(MAIN)
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
    sane = ["-std=c99", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover"]
    subprocess.run(
        ["gcc", *sane, *warnings, "-c", UNPACKER[0], "-o", "unpack.o"], cwd=folder, check=True
    )
    subprocess.run(
        ["gcc", *sane, "-I.", "main.c", "unpack.o", "-o", "program"], cwd=folder, check=True
    )
    return folder / "program"


def pruned(random: np.random.Generator, kept: float, dtype: str, count: int) -> NDArray[np.generic]:
    """A matrix [rows, columns], zero but for a share of `count` different values."""
    book = random.integers(1, 200, count).astype(dtype)
    matrix = book[random.integers(0, count, (64, 40))]
    return np.where(random.random(matrix.shape) < kept, matrix, 0).astype(dtype)


def blocks(length: int, count: int, dtype: str) -> NDArray[np.generic]:
    """A matrix [64, 72] of `count` different blocks, some of which come more often than others."""
    random = np.random.default_rng(length)
    book = random.integers(-127, 128, (count, length)).astype(dtype)
    often = random.geometric(3 / count, 64 * 72 // length) % count
    return book[often].reshape(64, 72)


RANDOM = np.random.default_rng(0)
MATRICES = {
    "nothing but zeros": np.zeros((30, 40), np.int8),
    "one value": np.full((8, 9), 7, np.int16),
    "noise": RANDOM.integers(-128, 128, (32, 32)).astype(np.int8),
    "bell": RANDOM.normal(0, 12, (64, 64)).astype(np.int8),
    "floats": RANDOM.normal(size=(20, 30)).astype(np.float32),
    "clustered floats": RANDOM.normal(size=16).astype(np.float32)[RANDOM.integers(0, 16, (50, 60))],
    "pruned": pruned(RANDOM, 0.1, "<i1", 9),
    "hardly anything": pruned(RANDOM, 0.002, "<i1", 9),
    "pruned floats": (RANDOM.normal(size=(50, 80)) * (RANDOM.random((50, 80)) < 0.1)).astype("<f4"),
    "pruned and clustered": pruned(RANDOM, 0.2, "<f4", 12),
    "long gaps": np.eye(1, 70000, 69999, dtype=np.int16),
    "a column": np.repeat(RANDOM.random((1, 50)) < 0.1, 60, axis=0).astype(np.int8) * 3,
    "a byte": np.ones((1, 1), np.uint8),
    "nothing": np.ones((0, 4), np.uint8),
    "blocks": blocks(4, 200, "<i1"),
    "long blocks": blocks(9, 30, "<i1"),
    "few blocks of floats": blocks(2, 17, "<f4"),
}


def looked_at(matrix: NDArray[np.generic]) -> Matrix:
    return Matrix(matrix.shape[0], matrix.shape[1], matrix.itemsize)


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_the_smallest_form_comes_back(matrix: NDArray[np.generic]) -> None:
    stored = section.pack(matrix.tobytes(), looked_at(matrix))
    assert section.unpack(stored.data, looked_at(matrix)) == matrix.tobytes()
    assert len(stored.data) <= matrix.nbytes + 2


@pytest.mark.parametrize("name", [name for name, matrix in MATRICES.items() if matrix.any()])
def test_every_form_comes_back(name: str) -> None:
    matrix = MATRICES[name]
    content, look = matrix.tobytes(), looked_at(matrix)
    elements = np.frombuffer(content, look.dtype)
    for data in values.stored(elements):
        again = values.restored(data, elements.size, look.dtype)
        assert again.tobytes() == content, values.Form(data[0])
    places = np.flatnonzero(elements)
    for form, data in positions.stored(places, look.rows, look.columns):
        found = positions.restored(data, form, look.rows, look.columns)
        assert np.array_equal(np.sort(found), places), form
        by_column = positions.column_by_column(places, look.columns)
        assert np.array_equal(found, by_column if form == positions.Form.CSC else places), form


@needs_gcc
def test_the_c_unpacks_every_form(unpack_in_c: Path, tmp_path: Path) -> None:
    """Each matrix, in each form of positions and values that Python writes."""
    pairs, wanted = [], []
    for name, matrix in MATRICES.items():
        content, look = matrix.tobytes(), looked_at(matrix)
        for number, data in enumerate(every_form(content, look)):
            packed, out = tmp_path / f"{name} {number}.eks", tmp_path / f"{name} {number}"
            packed.write_bytes(one_constant(content, look, data))
            pairs += [packed, out]
            wanted.append((out, b"begin" + content + b"end"))
            assert container.unpack(packed.read_bytes()) == wanted[-1][1]
    subprocess.run([unpack_in_c, *pairs], check=True)
    assert len(wanted) > 80
    for out, content in wanted:
        assert out.read_bytes() == content, out.name


def every_form(content: bytes, look: Matrix) -> list[bytes]:
    elements = np.frombuffer(content, look.dtype)
    found = [bytes([positions.Form.ALL]) + data for data in values.stored(elements)]
    if elements.size:
        found += [stored.data for stored in section._sparse(elements, look)]
    return found


def one_constant(content: bytes, look: Matrix, data: bytes) -> bytes:
    """A file of one constant between two texts."""
    whole = b"begin" + content + b"end"
    head = b"EKS1" + zlib.crc32(whole).to_bytes(4, "little")
    numbers = [len(whole), 1, 5, look.rows, look.columns, look.width, len(data)]
    head += b"".join(container.varint.write(number) for number in numbers)
    return head + data + bytes([values.Form.RAW]) + b"beginend"


@needs_gcc
def test_a_model_comes_back_in_python_and_in_c(unpack_in_c: Path, tmp_path: Path) -> None:
    model = small_net()
    report = pack_model(model)
    assert container.unpack(report.packed.data) == model
    (tmp_path / "model.eks").write_bytes(report.packed.data)
    subprocess.run([unpack_in_c, tmp_path / "model.eks", tmp_path / "model.tflite"], check=True)
    assert (tmp_path / "model.tflite").read_bytes() == model


@needs_gcc
def test_real_models_come_back(unpack_in_c: Path, tmp_path: Path, real_models: Path) -> None:
    pairs, models = [], sorted(real_models.rglob("*.tflite"))
    for number, path in enumerate(models):
        report = pack_model(path.read_bytes())
        assert len(report.packed.data) < report.gzip * 1.005 + 16, path.name
        (tmp_path / f"{number}.eks").write_bytes(report.packed.data)
        pairs += [tmp_path / f"{number}.eks", tmp_path / f"{number}"]
    subprocess.run([unpack_in_c, *pairs], check=True)
    for number, path in enumerate(models):
        assert (tmp_path / f"{number}").read_bytes() == path.read_bytes(), path.name


@needs_gcc
def test_damage_is_seen_and_nothing_is_touched_that_should_not_be(
    unpack_in_c: Path, tmp_path: Path
) -> None:
    """Cut, with flipped bits and with wrong bytes, 250 times; under the address sanitizer."""
    random = np.random.default_rng(1)
    whole = [
        one_constant(matrix.tobytes(), looked_at(matrix), data)
        for matrix in MATRICES.values()
        for data in every_form(matrix.tobytes(), looked_at(matrix))
        if len(data) < 5000
    ]
    pairs: list[Path] = []
    originals = []
    for number in range(250):
        data = bytearray(whole[number % len(whole)])
        if number % 3 == 0:
            del data[int(random.integers(0, len(data))) :]
        else:
            for place in random.integers(4, len(data), int(random.integers(1, 4))):
                data[place] ^= int(random.integers(1, 256))
        originals.append(container.unpack(whole[number % len(whole)]))
        # bits that fill a byte up, for one, may change without harm
        with contextlib.suppress(Damaged):
            assert container.unpack(bytes(data)) == originals[-1]
        (tmp_path / f"{number}.eks").write_bytes(data)
        pairs += [tmp_path / f"{number}.eks", tmp_path / f"{number}"]
    done = subprocess.run([unpack_in_c, *pairs], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode > 200
    for out, original in zip(pairs[1::2], originals, strict=True):
        assert not out.exists() or out.read_bytes() == original


def test_codes_are_the_best_that_15_bits_allow() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 30:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    counts = np.array(fibonacci)
    found = huffman.lengths(counts)
    assert found.max() == huffman.LONGEST
    assert sum(2.0**-length for length in found.tolist()) == 1
    assert huffman.lengths(np.array([5, 0, 0])).tolist() == [1, 0, 0]
    assert huffman.lengths(np.array([0, 45, 13, 12, 16, 9, 5])).tolist() == [0, 1, 3, 3, 3, 4, 4]


def test_numbers_of_every_width_come_back() -> None:
    numbers = np.array([1, 0, 5, 2**32 - 1, 3])
    data = bits.write(numbers, np.array([1, 0, 3, 32, 2]))
    reader = bits.Reader(data)
    assert [int(reader.many(1, width)[0]) for width in (1, 0, 3, 32, 2)] == numbers.tolist()
    with pytest.raises(Damaged):
        reader.many(1, 8)


def test_constants_are_found_where_they_are() -> None:
    model = small_net()
    found = constants(model, read(model))
    assert found
    for one, two in itertools.pairwise(found):
        assert one.end <= two.start
    for each in found:
        assert isinstance(each, Constant)
        tensor = next(t for t in read(model).tensors if t.name == each.name)
        assert tensor.data is not None
        assert model[each.start : each.end] == tensor.data.tobytes()


def test_zeros_and_few_values_are_worth_it() -> None:
    """2,560 weights, a tenth kept, of nine values: a code of 4 bits and a gap of about as many."""
    matrix = MATRICES["pruned"]
    stored = section.pack(matrix.tobytes(), looked_at(matrix))
    kept = np.count_nonzero(matrix)
    assert len(stored.data) < kept * (4 + 5) / 8 + 60
    assert stored.values == values.Form.HUFFMAN or stored.values == values.Form.BOOK


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ModelError, match="is no"):
        pack_model(b"not a model at all")


def test_blocks_are_stored_as_indices_and_a_code_book() -> None:
    """64 x 72 bytes in blocks of four, of 200 kinds: 8 bits a block at most, and the book."""
    matrix = MATRICES["blocks"]
    stored = section.pack(matrix.tobytes(), looked_at(matrix))
    kinds = len(np.unique(matrix.reshape(-1, 4), axis=0))
    assert stored.values in (values.Form.BLOCK_BOOK, values.Form.BLOCK_HUFFMAN)
    assert len(stored.data) <= matrix.size / 4 + 4 * kinds + 4
