"""What TensorFlow's C++ writes while it is imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgekit import _tf
from edgekit._tf import held_stderr
from edgekit.importers.base import load


def write_and_raise(stop: type[BaseException]) -> None:
    with held_stderr():
        os.write(2, b"a log\n")
        raise stop


@pytest.mark.parametrize(
    ("stop", "shown"),
    [(ImportError, "a log\n"), (KeyboardInterrupt, "")],
    ids=["failure: the log explains it", "interrupt: nobody asks for the log"],
)
def test_the_log_is_given_back_on_failure(
    stop: type[BaseException], shown: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(stop):
        write_and_raise(stop)
    assert capfd.readouterr().err == shown


def test_success_is_silent_unless_asked(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for verbose, shown in (("", ""), ("1", "a log\n")):
        monkeypatch.setenv("EDGEKIT_VERBOSE", verbose)
        with held_stderr():
            os.write(2, b"a log\n")
        assert capfd.readouterr().err == shown


def test_tfmot_works_on_tf_keras_and_leaves_keras_3_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    keras = _tf.tf_keras()
    wrapper = _tf.tfmot().sparsity.keras.prune_low_magnitude(keras.layers.Dense(2))
    assert isinstance(wrapper, keras.layers.Layer)
    assert _tf.tensorflow().keras.__version__ == _tf.keras3().__version__
    assert "TF_USE_LEGACY_KERAS" not in os.environ


def test_keras_3_models_are_imported_after_tfmot(tmp_path: Path) -> None:
    _tf.tfmot()
    keras = _tf.keras3()
    entry = keras.Input((4,))
    keras.Model(entry, keras.layers.Dense(2)(entry)).save(tmp_path / "net.keras")
    assert load(tmp_path / "net.keras").outputs[0].shape == (1, 2)
