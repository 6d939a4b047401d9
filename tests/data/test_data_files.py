"""csv, pictures, wav, npy and Python entry points."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgekit.data.samples import Samples, open_samples
from edgekit.errors import DataError, UsageError


def opened(root: Path, *specs: str) -> tuple[Samples, list[np.ndarray]]:
    samples = open_samples(specs, root)
    return samples, list(samples)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "spec", "rows", "labels"),
    [
        pytest.param("1,2\n3,4\n", "d.csv", [[1, 2], [3, 4]], None, id="plain"),
        pytest.param("a,b\n1,2\n\n3,4", "d.csv", [[1, 2], [3, 4]], None, id="header, blank line"),
        pytest.param("a;b\n1;2\n", "d.csv", [[1, 2]], None, id="semicolons"),
        pytest.param("\ufeffa\tb\n1\t-2e3\n", "d.csv", [[1, -2000]], None, id="tabs and a BOM"),
        pytest.param("0,1\n5,6\n", "d.csv", [[5, 6]], None, id="numbered header of pandas"),
        pytest.param("a,k,b\n1,7,2\n3,8,4\n", "d.csv:,k", [[1, 2], [3, 4]], [7, 8], id="label"),
        pytest.param("1,2,0\n3,4,1\n", "d.csv:,-1", [[1, 2], [3, 4]], [0, 1], id="label by number"),
        pytest.param("a,k\n1,no\n2,cat\n", "d.csv:,k", [[1], [2]], [1, 0], id="text labels sorted"),
        pytest.param("a,t\n1,0.5\n2,1\n", "d.csv:,t", [[1], [2]], [0.5, 1], id="regression"),
        pytest.param("1,2\n3,4\n5,6", "d.csv[1:2]", [[3, 4]], None, id="a range"),
    ],
)
def test_csv(tmp_path: Path, text: str, spec: str, rows: object, labels: object) -> None:
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    samples, got = opened(tmp_path, spec)
    np.testing.assert_array_equal(np.stack(got), np.asarray(rows, np.float32))
    assert (None if samples.labels is None else samples.labels.tolist()) == labels


@pytest.mark.parametrize(
    ("text", "spec", "message"),
    [
        pytest.param("a,b\n1,2\n3\n", "d.csv", "line 3 has 1 cells, the first has 2", id="ragged"),
        pytest.param(
            "a,b\n1,2\n3,x\n", "d.csv", "line 3 column 2 (b): 'x' is no number", id="text"
        ),
        pytest.param("1,2\n3,nan\n", "d.csv", "line 2 column 2: nan is not finite", id="NaN"),
        pytest.param("1,2\n3,1e99\n", "d.csv", "is not finite", id="beyond float32"),
        pytest.param("1,2\n3,\n", "d.csv", "line 2 column 2: '' is no number", id="empty cell"),
        pytest.param("a,b\n1,2\n", "d.csv:,c", "has no column 'c'", id="no such column"),
        pytest.param("1,2\n", "d.csv:,2", "has no column '2'", id="no such column number"),
        pytest.param("a\n1\n", "d.csv:,a", "no column but the label", id="labels only"),
        pytest.param("", "d.csv", "has no rows", id="an empty file"),
        pytest.param("a,b\n", "d.csv", "has no rows", id="a header only"),
        pytest.param("1,2\n1,\udcff\n", "d.csv", "cannot be read", id="not UTF-8"),
        pytest.param("1" * 200_000, "d.csv", "larger than field limit", id="a huge first cell"),
        pytest.param("1," * (1 << 23), "d.csv", "longer than 16 MB", id="a huge line"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, spec: str, message: str) -> None:
    (tmp_path / "d.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError) as error:
        opened(tmp_path, spec)
    assert message in str(error.value)


def test_a_csv_column_given_as_array_is_explained(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,k\n1,2\n")
    with pytest.raises(UsageError) as error:
        opened(tmp_path, "d.csv:k")
    assert "d.csv:,k" in error.value.hint


def picture(path: Path, value: object, **options: object) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.asarray(value, np.uint8)).save(path, **options)  # type: ignore[arg-type]


def test_pictures_are_rows_and_sub_folders_are_classes(tmp_path: Path) -> None:
    for index, name in enumerate(("dog/b", "cat/z", "cat/a")):
        picture(tmp_path / f"{name}.png", np.full((4, 5, 3), index))
    (tmp_path / "notes.txt").write_text("ignored")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.png").write_bytes(b"no picture")
    samples, rows = opened(tmp_path.parent, tmp_path.name)
    assert [row[0, 0, 0] for row in rows] == [2, 1, 0]
    assert samples.labels is not None
    assert samples.labels.tolist() == [0, 0, 1]
    assert "0 cat, 1 dog" in samples.problems[0].message
    assert samples.where(1) == f"{tmp_path.name}/cat/z.png", "the same on every machine"


def test_sub_folders_named_by_numbers_are_those_classes(tmp_path: Path) -> None:
    for name in ("2", "10", "7"):
        picture(tmp_path / name / "p.png", np.zeros((2, 2)))
    samples, _ = opened(tmp_path, ".")
    assert samples.labels is not None
    assert samples.labels.tolist() == [10, 2, 7], "in the order of the files"
    assert "are the class numbers" in samples.problems[0].message


def test_labels_csv_wins_over_sub_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / name / "p.png", np.zeros((2, 2)))
    (tmp_path / "labels.csv").write_text("file,label\nb/p.png,4\na/p.png,9\n")
    assert opened(tmp_path, ".")[0].labels.tolist() == [9, 4]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param("p.png,1\nq.png,1\n", "line 2 names q.png", id="a file that is not there"),
        pytest.param("file,label\n", "has no label for p.png", id="a file without label"),
        pytest.param("p.png\n", "line 1 has 1 cells", id="no label"),
        pytest.param("p.png,1\np.png,2\n", "line 2 labels p.png as 2", id="two labels"),
        pytest.param("p.png,\udce9\n", "cannot be read: 'utf-8'", id="not UTF-8"),
    ],
)
def test_bad_labels_csv(tmp_path: Path, lines: str, message: str) -> None:
    picture(tmp_path / "p.png", np.zeros((2, 2)))
    (tmp_path / "labels.csv").write_text(lines, errors="surrogateescape")
    with pytest.raises(DataError, match=message):
        opened(tmp_path, ".")


def test_an_unreadable_picture_in_the_middle_is_named(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / f"{name}.png", np.random.default_rng(0).integers(0, 255, (30, 30)))
    data = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"b\.png is no readable picture"):
        opened(tmp_path, ".")


def test_exif_orientation_and_modes(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    picture(tmp_path / "t.jpg", np.zeros((8, 16, 3)), exif=exif)
    assert opened(tmp_path, "t.jpg")[0].row_shape == (16, 8, 3)
    Image.new("RGBA", (2, 3), (1, 2, 3, 0)).save(tmp_path / "a.png")
    assert opened(tmp_path, "a.png")[1][0][0, 0].tolist() == [1, 2, 3]
    Image.new("P", (2, 3)).save(tmp_path / "p.png")
    assert opened(tmp_path, "p.png")[0].row_shape == (3, 2, 3)
    Image.new("1", (2, 3), 1).save(tmp_path / "bw.png")
    assert opened(tmp_path, "bw.png")[1][0].max() == 255
    Image.fromarray(np.full((2, 3), 40000, np.uint16)).save(tmp_path / "deep.png")
    assert opened(tmp_path, "deep.png")[1][0].max() == 40000


def sound(path: Path, frames: bytes, width: int, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(channels)
        stream.setsampwidth(width)
        stream.setframerate(16000)
        stream.writeframes(frames)


@pytest.mark.parametrize(
    ("width", "frames"),
    [
        pytest.param(1, bytes([0, 128, 192]), id="8 bits, unsigned"),
        pytest.param(2, np.array([-32768, 0, 16384], "<i2").tobytes(), id="16 bits"),
        pytest.param(3, b"\x00\x00\x80\x00\x00\x00\x00\x00\x40", id="24 bits"),
        pytest.param(4, np.array([-(2**31), 0, 2**30], "<i4").tobytes(), id="32 bits"),
    ],
)
def test_wav_is_minus_one_to_one(tmp_path: Path, width: int, frames: bytes) -> None:
    sound(tmp_path / "a.wav", frames, width)
    row = opened(tmp_path, "a.wav")[1][0]
    assert row.dtype == np.float32
    assert row.tolist() == [-1, 0, 0.5]


def test_wav_folders(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", bytes(8), 2, channels=2)
    assert opened(tmp_path, ".")[0].row_shape == (2, 2)
    sound(tmp_path / "b.wav", bytes(12), 2, channels=2)
    with pytest.raises(DataError, match=r"b\.wav has shape \(3, 2\) and a\.wav has \(2, 2\)"):
        opened(tmp_path, ".")
    (tmp_path / "a.wav").write_bytes(b"RIFFnonsense")
    with pytest.raises(DataError, match="no readable PCM wav"):
        opened(tmp_path, "a.wav")
    (tmp_path / "c.npy").write_bytes(b"")
    with pytest.raises(DataError, match="1 npy and 2 wav"):
        opened(tmp_path, ".")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no files that edgekit reads"):
        opened(tmp_path, "none")


def test_npy_file_and_folder(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.int16).reshape(4, 3)
    np.save(tmp_path / "all.npy", x)
    np.testing.assert_array_equal(np.stack(opened(tmp_path, "all.npy[1:3]")[1]), x[1:3])
    (tmp_path / "rows").mkdir()
    for index, row in enumerate(x):
        np.save(tmp_path / "rows" / f"{index}.npy", row)
    samples, rows = opened(tmp_path, "rows")
    np.testing.assert_array_equal(np.stack(rows), x)
    assert samples.hashes() == opened(tmp_path, "all.npy")[0].hashes()
    with pytest.raises(UsageError, match="one array without a name"):
        opened(tmp_path, "all.npy:x")
    (tmp_path / "all.npy").write_bytes((tmp_path / "all.npy").read_bytes()[:-3])
    with pytest.raises(DataError, match="header says"):
        opened(tmp_path, "all.npy")


LOADER = """
import numpy as np
X = np.arange(12, dtype=np.float32).reshape(4, 3)
def plain(): yield from X
def pairs(): return [(row, i % 2) for i, row in enumerate(X)]
def array(): return X
def named(): return {'a': X, 'b': X[:, :1]}
def dicts(): return ({'a': row, 'b': row[:1]} for row in X)
def fails():
    yield X[0]
    raise KeyError('gone')
def empty(): return []
def leaves(): raise SystemExit(3)
def talks():
    print('hello')
    return X
def text(): return ['x']
def triple(): return [(1, 2, 3)]
calls = []
def shrinks():
    calls.append(1)
    return X[: 4 - 2 * (len(calls) > 1)]
"""


def test_python_entry_points(tmp_path: Path) -> None:
    (tmp_path / "edgekit_test_loader.py").write_text(LOADER)
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    for name in ("plain", "array"):
        samples, rows = opened(tmp_path, f"python:edgekit_test_loader:{name}[1:]")
        np.testing.assert_array_equal(np.stack(rows), x[1:])
        assert samples.labels is None
    samples, rows = opened(tmp_path, "python:edgekit_test_loader:pairs")
    assert samples.labels is not None
    assert samples.labels.tolist() == [0, 1, 0, 1]
    np.testing.assert_array_equal(np.stack(list(samples.take([2]))), x[2:3])
    for name in ("named", "dicts"):
        row = opened(tmp_path, f"python:edgekit_test_loader:{name}")[1][3]
        assert {key: value.tolist() for key, value in row.items()} == {"a": [9, 10, 11], "b": [9]}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("edgekit_test_nowhere:f", "no module named edgekit_test_nowhere", id="module"),
        pytest.param("edgekit_test_loader:nope", "has no function nope", id="function"),
        pytest.param("edgekit_test_loader:fails", "failed: KeyError: 'gone'", id="it fails"),
        pytest.param("edgekit_test_loader:leaves", "failed: SystemExit: 3", id="it leaves"),
        pytest.param("edgekit_test_loader:empty", "yields no rows", id="no rows"),
        pytest.param("edgekit_test_loader:text", "no array of numbers", id="text"),
        pytest.param("edgekit_test_loader:triple", "a tuple of 3", id="a triple"),
        pytest.param("edgekit_test_loader:shrinks", "fewer rows than the 4", id="another length"),
    ],
)
def test_bad_entry_points(tmp_path: Path, spec: str, message: str) -> None:
    (tmp_path / "edgekit_test_loader.py").write_text(LOADER)
    with pytest.raises(DataError, match=message):
        opened(tmp_path, f"python:{spec}")


def test_what_an_entry_point_prints_stays_off_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edgekit_test_loader.py").write_text(LOADER)
    opened(tmp_path, "python:edgekit_test_loader:talks")
    output = capsys.readouterr()
    assert output.out == ""
    assert "hello" in output.err


def test_a_file_that_nobody_reads(tmp_path: Path) -> None:
    (tmp_path / "d.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match=r"does not read \.xlsx") as error:
        opened(tmp_path, "d.xlsx")
    assert ".npz" in error.value.hint
