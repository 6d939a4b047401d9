"""What a path is, is found from its content; whatever it is not, is said in one line."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from edgekit import _tf
from edgekit.errors import ModelError
from edgekit.importers.base import detect, hash_source, load, model_name


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One net as net.keras, net.h5, old.h5 (legacy), net.tflite and the SavedModel folder `net`."""
    folder = tmp_path_factory.mktemp("files")
    for keras, names in ((_tf.keras3(), ("net.keras", "net.h5")), (_tf.tf_keras(), ("old.h5",))):
        net = keras.Sequential(
            [keras.layers.Input((4,), name="x"), keras.layers.Dense(2, name="y")]
        )
        with _tf.silent():
            for name in names:
                net.save(folder / name)
            if keras is _tf.keras3():
                net.export(folder / "net", verbose=False)
    (folder / "net.tflite").write_bytes(load(folder / "net.keras").tflite)
    return folder


FORMATS = {
    "net.keras": "keras",
    "net.h5": "h5-keras3",
    "old.h5": "h5",
    "net.tflite": "tflite",
    "net": "saved_model",
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_found_from_the_content(files: Path, name: str, tmp_path: Path) -> None:
    assert detect(files / name) == FORMATS[name]
    if name == "net":
        return
    disguised = tmp_path / "model.bin"
    shutil.copy(files / name, disguised)
    assert detect(disguised) == FORMATS[name]


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("net.keras", "net.h5"),
        ("net.h5", "net.keras"),
        ("old.h5", "old.tflite"),
        ("net.tflite", "net.onnx"),
    ],
)
def test_a_wrong_suffix_is_noted_and_read_all_the_same(
    files: Path, name: str, alias: str, tmp_path: Path
) -> None:
    shutil.copy(files / name, tmp_path / alias)
    model = load(tmp_path / alias)
    assert model.source.format == FORMATS[name]
    assert FORMATS[name] in model.problems[-1].message
    assert Path(alias).suffix in model.problems[-1].message


JUNK = {
    "empty.keras": (b"", "is empty"),
    "text.h5": (b"hello, this is no model at all", "is damaged, or no .h5 file"),
    "text.tflite": (b"hello, this is no model at all", "is damaged, or no .tflite file"),
    "notes.txt": (b"hello, this is no model at all", "is no model that edgekit knows"),
    "net.pkl": (b"\x80\x04\x95cbuiltins\nprint\n", "would execute code"),
    "net.pt": (b"\x80\x02\x8a\nl\xfc\x9c", "would execute code"),
    "cut.h5": (b"\x89HDF\r\n\x1a\n", "is damaged"),
    "cut.keras": (b"PK\x03\x04", "is damaged"),
    "cut.tflite": (b"\x1c\0\0\0TFL3", "cut.tflite"),
}


@pytest.mark.parametrize("name", JUNK)
def test_what_is_no_model_is_refused(name: str, tmp_path: Path) -> None:
    data, message = JUNK[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=message) as e:
        load(tmp_path / name)
    assert name in e.value.message
    assert e.value.hint


def test_no_such_file_suggests_a_near_name(files: Path) -> None:
    with pytest.raises(ModelError, match=r"no such file: .*nett\.keras") as e:
        load(files / "nett.keras")
    assert "net.keras" in e.value.hint


def test_a_folder_that_is_no_savedmodel(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no SavedModel: it has no saved_model\.pb"):
        load(tmp_path)


def test_the_file_inside_a_savedmodel_points_to_its_folder(files: Path) -> None:
    with pytest.raises(ModelError, match="part of a SavedModel") as e:
        load(files / "net" / "saved_model.pb")
    assert str(files / "net") in e.value.hint


def test_a_zip_that_is_not_keras(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.keras", "w") as archive:
        archive.writestr("photo.txt", "hello")
    with pytest.raises(ModelError, match="zip archive, but no Keras model"):
        load(tmp_path / "photos.keras")


@pytest.mark.parametrize("library", ["keras3", "tf_keras"])
def test_weights_without_a_model(tmp_path: Path, library: str) -> None:
    keras = getattr(_tf, library)()
    net = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    net.save_weights(tmp_path / "net.weights.h5")
    with pytest.raises(ModelError, match="holds no model, only weights") as e:
        load(tmp_path / "net.weights.h5")
    assert "model.save('model.keras')" in e.value.hint


@pytest.mark.parametrize("kind", ["external link", "external data", "endless groups"])
def test_an_hdf5_file_that_points_elsewhere(files: Path, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    shutil.copy(files / "net.h5", path)
    (tmp_path / "secret").write_bytes(b"\0" * 16)
    with h5py.File(path, "r+") as file:
        if kind == "external link":
            file["model_weights/away"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
        elif kind == "external data":
            external = [(str(tmp_path / "secret"), 0, 16)]
            file.create_dataset("model_weights/away", (4,), "f4", external=external)
        else:
            file["model_weights/round"] = file["model_weights"]
    with pytest.raises(ModelError, match=r"away|circle"):
        load(path)


def test_the_hash_of_a_folder_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    for copy in ("one", "two"):
        (tmp_path / copy / "sub").mkdir(parents=True)
        (tmp_path / copy / "sub" / "b").write_bytes(b"2")
        (tmp_path / copy / "a").write_bytes(b"1")
    assert hash_source(tmp_path / "one") == hash_source(tmp_path / "two")
    (tmp_path / "two" / "a").rename(tmp_path / "two" / "c")
    assert hash_source(tmp_path / "one") != hash_source(tmp_path / "two")
    assert hash_source(tmp_path / "one" / "a") == hashlib.sha256(b"1").hexdigest()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("models/kws net (v2).keras", "kws_net_v2"),
        ("96x96.h5", "model_96x96"),
        ("a.b-c.tflite", "a.b-c"),
        ("ünï.h5", "n"),
        ("__.h5", "model"),
    ],
)
def test_names_for_models(path: str, name: str) -> None:
    assert model_name(Path(path)) == name


SAME_BYTES = """
import sys, hashlib
from pathlib import Path
from edgekit.importers.base import load
for name in sys.argv[1:]:
    print(hashlib.sha256(load(Path(name)).tflite).hexdigest())
"""


def test_the_same_bytes_twice_in_a_process_and_in_another_one(files: Path) -> None:
    names = [str(files / name) for name in ("net.keras", "old.h5", "net")]
    here = [hashlib.sha256(load(Path(name)).tflite).hexdigest() for name in [*names, *names]]
    assert here[:3] == here[3:]
    there = subprocess.run(
        [sys.executable, "-c", SAME_BYTES, *reversed(names)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert there.stdout.split() == list(reversed(here[:3]))


@pytest.mark.parametrize(
    ("name", "form", "parameters", "shape", "output"),
    [
        ("mnist_keras3/mnist_cnn.keras", "keras", 34826, (1, 28, 28, 1), "dense"),
        ("mnist_keras3/mnist_cnn_keras3.h5", "h5-keras3", 34826, (1, 28, 28, 1), "dense"),
        ("ic_resnet8/pretrainedResnet.h5", "h5", 78666, (1, 32, 32, 3), "dense"),
        ("vww_mobilenetv1/vww_96.h5", "h5", 221794, (1, 96, 96, 3), "dense"),
        ("kws_dscnn/kws_ref_model", "saved_model", 24908, (1, 49, 10, 1), "dense"),
        ("kws_dscnn/kws_ref_model_from_savedmodel.h5", "h5", 24908, (1, 49, 10, 1), "dense"),
        (
            "mltk_small/tflite_micro_magic_wand/tflite_micro_magic_wand.h5",
            "h5",
            4300,
            (1, 128, 3, 1),
            "dense_1",
        ),
        (
            "mltk_small/tflite_micro_speech/tflite_micro_speech.h5",
            "h5",
            16684,
            (1, 49, 40, 1),
            "dense",
        ),
        ("stm_audio/miniresnet_1stacks_64x50.h5", "h5", 126922, (1, 64, 50, 1), "new_head"),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_real_models(
    real_models: Path, name: str, form: str, parameters: int, shape: tuple[int, ...], output: str
) -> None:
    model = load(real_models / name)
    assert (model.source.format, model.source.parameters) == (form, parameters)
    assert [spec.shape for spec in model.inputs] == [shape]
    assert [spec.name for spec in model.outputs] == [output]
    assert model.form == "keras"
    assert model.proof["max_difference"] < 1e-5
    assert np.isfinite(model.proof["tolerance"])
