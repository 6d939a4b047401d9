"""A Keras configuration looked through before anything is made of it: no code, known classes only.

Lambda layers, layers that load other files, and classes that neither Keras nor a module of the
user knows are refused by name, however deep in wrappers and sub-models they are.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import ModelError, UsageError

CODE = ("Lambda", "__lambda__")
LOADERS = ("TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TensorFlowOpLayer")
_INTERNAL = re.compile(r"__\w+__|function|TFOpLambda|SlicingOpLambda|Functional|Model|Sequential")
_OWN = re.compile(
    r"builtins|(tf_)?keras(\.src)?(\.api(\._v\d)?(\.keras)?)?(\.(engine|models|layers|activations"
    r"|initializers|regularizers|constraints|ops|dtype_policies|mixed_precision|quantizers|random"
    r"|optimizers|losses|metrics|backend\.common)(\.\w+)*)?"
)
_TF_SAFE = re.compile(
    r"(tf\.)?((math|nn|linalg|image|signal|bitwise|__operators__|keras\.activations"
    r"|keras\.backend|compat\.v1\.nn|compat\.v1\.math)\.\w+|[a-z][a-z0-9_]*)"
)
_TF_UNSAFE = re.compile(r"(tf\.)?(print|py_function|numpy_function|load_\w+|function|while_loop)")


@dataclass(frozen=True)
class Library:
    """Which Keras a configuration belongs to.

    Attributes:
        keras: The module.
        known: Registered names (and bare class names) -> classes of the user's modules.
    """

    keras: Any
    known: Mapping[str, Any]


def library(keras: Any, modules: Sequence[str]) -> Library:
    """Import the user's modules and collect what they registered.

    Args:
        keras: The Keras 3 or the tf_keras module.
        modules: Module names, or paths of .py files; looked for in the current folder, too.

    Raises:
        UsageError: A module cannot be imported.
    """
    for module in modules:
        _import(module)
    registered = dict(keras.saving.get_custom_objects())
    bare = {name.rpartition(">")[2]: thing for name, thing in registered.items()}
    return Library(keras, {**bare, **registered})


def parse(text: str | bytes, path: Path) -> dict[str, Any]:
    """The configuration's JSON.

    Raises:
        ModelError: It is no JSON object.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its configuration is no JSON") from error
    if not isinstance(config, dict):
        raise _damaged(path, "its configuration is no JSON object")
    return config


def check(config: Any, library: Library, path: Path) -> None:
    """Refuse what would execute code or is not known.

    Raises:
        ModelError: Naming the layer and its class.
    """
    try:
        for node, layer in _objects(config, None):
            _check_object(node, layer, library, path)
    except RecursionError as error:
        raise _damaged(path, "its configuration is nested too deep") from error


def _objects(node: Any, layer: str | None) -> Iterator[tuple[dict[str, Any], str]]:
    """Every serialised object below `node`, with the path of names of the layers around it.

    The outermost model (`layer` None) is not named.
    """
    if isinstance(node, list):
        for item in node:
            yield from _objects(item, layer)
    elif isinstance(node, dict):
        if "class_name" in node:
            layer = "" if layer is None else _path_of(node, layer)
            yield node, layer
        for key, value in node.items():
            if key not in ("compile_config", "training_config"):
                yield from _objects(value, layer)


def _path_of(node: dict[str, Any], layer: str) -> str:
    config = node.get("config")
    name = node.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return f"{layer}/{name}".lstrip("/") if isinstance(name, str) else layer


def _check_object(node: dict[str, Any], layer: str, library: Library, path: Path) -> None:
    name, config = node["class_name"], node.get("config")
    if not isinstance(name, str):
        raise _damaged(path, f"the class of layer {layer!r} has no name")
    if name.rpartition(">")[2] in CODE:
        raise _lambda(path, layer)
    if name in LOADERS:
        raise ModelError(
            f"{path}: layer {layer!r} is a {name}, which loads or runs code of its own",
            "rebuild the model from ordinary layers and save it again",
        )
    if name in ("TFOpLambda", "SlicingOpLambda"):
        _check_symbol(config, layer, path)
    if not _is_known(node, library):
        what = config if name == "function" else name
        raise _unknown(path, layer, str(what), library)
    if isinstance(config, dict) and config.get("stateful") is True:
        raise ModelError(
            f"{path}: layer {layer!r} is stateful: it keeps values from one call to the next",
            "build it with stateful=False, load the weights into that model, and save it again",
        )


def _check_symbol(config: Any, layer: str, path: Path) -> None:
    symbol = str(config.get("function", "")) if isinstance(config, dict) else ""
    if not _TF_SAFE.fullmatch(symbol) or _TF_UNSAFE.fullmatch(symbol):
        raise ModelError(
            f"{path}: layer {layer!r} calls tf.{symbol}, which edgekit does not run from a file",
            "rebuild the model from ordinary layers and save it again",
        )


def _is_known(node: dict[str, Any], library: Library) -> bool:
    """Whether Keras itself or a module of the user has the class (or function)."""
    name, registered = str(node["class_name"]), node.get("registered_name")
    wanted = node.get("config") if name == "function" else name
    key = registered if isinstance(registered, str) and registered else wanted
    if isinstance(key, str) and key in library.known:
        return True
    module = node.get("module", "")
    if module:
        builtin = isinstance(module, str) and _OWN.fullmatch(module) is not None
        return builtin and (module != "builtins" or _in_keras(wanted, library))
    if module is None:
        return False
    # Written by Keras 2: nothing but the class's name
    return _INTERNAL.fullmatch(name) is not None or _in_keras(name, library)


def _in_keras(name: Any, library: Library) -> bool:
    keras = library.keras
    homes = (
        keras.layers,
        keras.models,
        keras.activations,
        keras.initializers,
        keras.regularizers,
        keras.constraints,
        keras.mixed_precision,
    )
    legacy = {"Policy", "Ones", "Zeros", "TensorShape", "OrthogonalRegularizer", "DTypePolicy"}
    return isinstance(name, str) and (name in legacy or any(hasattr(h, name) for h in homes))


def _import(module: str) -> None:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        if module.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(module).stem, module)
            if spec is None or spec.loader is None:
                raise ImportError(f"{module} is no Python file")
            made = importlib.util.module_from_spec(spec)
            if sys.modules.get(made.__name__) is None:
                sys.modules[made.__name__] = made
                spec.loader.exec_module(made)
        else:
            importlib.import_module(module)
    except Exception as error:
        sys.modules.pop(Path(module).stem, None)
        raise UsageError(
            f"module {module!r} cannot be imported: {type(error).__name__}: {error}",
            "give the name of a module that Python finds from this folder, as in `import NAME`",
        ) from error
    finally:
        sys.path.remove(here)


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(
        f"{path} is damaged: {what}", "copy or download the file again, or save the model again"
    )


def _lambda(path: Path, layer: str) -> ModelError:
    return ModelError(
        f"{path}: layer {layer or 'Lambda'!r} is a Lambda: Python code that edgekit never executes",
        "write it as a layer class with @keras.saving.register_keras_serializable(), save the "
        "model again, and name the module that defines it: --module my_layers",
    )


def _unknown(path: Path, layer: str, name: str, library: Library) -> ModelError:
    keras = library.keras.__name__
    return ModelError(
        f"{path}: layer {layer or name!r} uses the custom class or function {name!r}",
        f"register it with @{keras}.saving.register_keras_serializable() in a module and name "
        "that module: --module my_layers",
    )
