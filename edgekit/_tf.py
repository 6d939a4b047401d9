"""The only module that imports TensorFlow, tf_keras or Keras, on use and in silence."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from edgekit.errors import UsageError


@contextlib.contextmanager
def held_stderr() -> Iterator[None]:
    """Hold what C++ writes to descriptor 2; give it back on failure or with EDGEKIT_VERBOSE."""
    with _held(2, give_back_on_failure=True):
        yield


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Swallow all that Python and C++ print or warn in the block, failure or not.

    For work whose errors are turned into an `EdgekitError`; EDGEKIT_VERBOSE gives it back.
    """
    if os.environ.get("EDGEKIT_VERBOSE"):
        yield
        return
    with (
        _held(1),
        _held(2),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _held(descriptor: int, give_back_on_failure: bool = False) -> Iterator[None]:
    stream = sys.stdout if descriptor == 1 else sys.stderr
    stream.flush()
    saved = os.dup(descriptor)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), descriptor)
        failed = False
        try:
            yield
        except Exception:  # not an interrupt: who stops the work does not ask for its log
            failed = True
            raise
        finally:
            stream.flush()
            os.dup2(saved, descriptor)
            os.close(saved)
            if (failed and give_back_on_failure) or os.environ.get("EDGEKIT_VERBOSE"):
                held.seek(0)
                os.write(descriptor, held.read())


@cache
def tensorflow() -> Any:
    """TensorFlow, CPU only.

    oneDNN's kernels, which it leaves out by itself where a processor has no VNNI, train ResNet8,
    DS-CNN and MobileNetV1 on AVX2 alone in 0.66, 0.66 and 0.52 of the time.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    _choose_backend()
    with held_stderr():
        import tensorflow

        tensorflow.config.set_visible_devices([], "GPU")
    return tensorflow


@cache
def keras3() -> Any:
    """Keras 3 on the TensorFlow backend.

    Raises:
        UsageError: The process imported Keras with another backend before edgekit was used.
    """
    tensorflow()
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UsageError(
            f"Keras runs on {backend} in this process; edgekit converts from TensorFlow",
            "set KERAS_BACKEND=tensorflow before keras is imported",
        )
    return keras


@cache
def tf_keras() -> Any:
    """Keras 2, as the `tf_keras` package: what TFMOT and legacy files need."""
    tensorflow()
    with held_stderr():
        import tf_keras

    return tf_keras


@cache
def tfmot() -> Any:
    """The TensorFlow Model Optimization toolkit, working on tf_keras.

    Its import makes `tf.keras` mean tf_keras, here unless that name was looked up before, and in
    child processes by an environment variable: both are kept from happening.
    """
    variable = "TF_USE_LEGACY_KERAS"
    before = os.environ.get(variable)
    _ = keras3(), tf_keras(), tensorflow().keras.__version__
    with held_stderr():
        import tensorflow_model_optimization
    if before is None:
        os.environ.pop(variable, None)
    return tensorflow_model_optimization


def module(name: str) -> Any:
    """A module inside TensorFlow or tf_keras that their public names do not show."""
    tensorflow()
    with held_stderr():
        return importlib.import_module(name)


def _choose_backend() -> None:
    """Another backend in the environment or in ~/.keras/keras.json is for the user's training."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
