"""The choices of a project: `edgekit.toml`, the options of the command, and `--set`."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgekit.errors import UsageError

Switch = Literal["off", "on", "auto"]
Scheme = Literal["int8", "int16x8", "float16", "dynamic", "float32"]


@dataclass(frozen=True)
class ModelTable:
    """`[model]`: `path` of the model; `modules` to import first, that register custom layers."""

    path: str = ""
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataTable:
    """`[data]`: specifications `PATH[:array[,labels]][[start:stop]]` and their preprocessing.

    `samples` is the most that calibration uses.
    """

    calibration: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()
    preprocess: str = "raw"
    samples: int = 200


@dataclass(frozen=True)
class BuildTable:
    """`[build]`: `targets` by name or TOML path, `output` folder, `seed` of every choice."""

    targets: tuple[str, ...] = ()
    output: str = ""
    seed: int = 0


@dataclass(frozen=True)
class QuantizeTable:
    """`[quantize]`: `scheme` ("": the target's default), range estimator and corrections."""

    scheme: Literal["", "int8", "int16x8", "float16", "dynamic", "float32"] = ""
    estimator: Literal["minmax", "percentile", "mse", "entropy", "auto"] = "minmax"
    equalise: Switch = "auto"
    bias_correct: Switch = "auto"
    per_channel: bool = True


@dataclass(frozen=True)
class IoTable:
    """`[io]`: dtype of the built model's inputs and outputs ("": the target's default)."""

    input: Literal["", "int8", "uint8", "int16", "float32"] = ""
    output: Literal["", "int8", "uint8", "int16", "float32"] = ""


@dataclass(frozen=True)
class FidelityTable:
    """`[fidelity]`: whether it is measured, on at most `samples` rows, and the accuracy metric."""

    enabled: bool = True
    samples: int = 200
    metric: str = ""


@dataclass(frozen=True)
class Project:
    """Everything that a build depends on besides the target and the files themselves."""

    model: ModelTable = field(default_factory=ModelTable)
    data: DataTable = field(default_factory=DataTable)
    build: BuildTable = field(default_factory=BuildTable)
    quantize: QuantizeTable = field(default_factory=QuantizeTable)
    io: IoTable = field(default_factory=IoTable)
    fidelity: FidelityTable = field(default_factory=FidelityTable)

    def with_table(self, table: str, **values: Any) -> Project:
        """A copy in which the keys of `table` that are not None have new values."""
        given = {key: value for key, value in values.items() if value is not None}
        return from_mapping({table: given}, f"--{table}", base=self)

    def with_setting(self, text: str) -> Project:
        """A copy changed by `--set table.key=value`; the value is TOML, or else a string."""
        name, equals, value = text.partition("=")
        table, dot, key = name.strip().partition(".")
        if not (equals and dot):
            raise UsageError(
                f"--set {text}: not table.key=value", "e.g. --set quantize.estimator=mse"
            )
        return from_mapping({table: {key: _toml_value(value.strip())}}, "--set", base=self)

    def to_json(self) -> dict[str, Any]:
        """The project as the manifest stores it; `from_mapping` reads it back."""
        return dataclasses.asdict(self)


def from_toml(path: Path) -> Project:
    """Read `edgekit.toml`.

    Raises:
        UsageError: Not readable, not TOML, unknown keys or wrong types; names file and key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}", "edgekit init writes one") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path}: not TOML: {error}", "edgekit init writes a commented one"
        ) from error
    return from_mapping(content, str(path))


def from_mapping(content: Mapping[str, Any], where: str, base: Project | None = None) -> Project:
    """A project from nested tables, on top of `base`; unknown keys are refused."""
    base = base or Project()
    tables = {item.name: getattr(base, item.name) for item in dataclasses.fields(Project)}
    for name, values in content.items():
        if name not in tables:
            raise _unknown(f"{where}: no table [{name}]", name, list(tables))
        if not isinstance(values, Mapping):
            raise UsageError(f"{where}: {name} is not a table", f"write [{name}] and its keys")
        tables[name] = _changed(tables[name], values, f"{where}: {name}")
    return Project(**tables)


def _changed(table: Any, values: Mapping[str, Any], where: str) -> Any:
    kinds = typing.get_type_hints(type(table))
    checked = {}
    for key, value in values.items():
        if key not in kinds:
            raise _unknown(f"{where}.{key} is unknown", key, list(kinds))
        checked[key] = _checked(value, kinds[key], f"{where}.{key}")
    return dataclasses.replace(table, **checked)


def _checked(value: Any, kind: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is Literal:
        choices = [choice for choice in typing.get_args(kind) if choice]
        if value not in typing.get_args(kind):
            raise _unknown(f"{where} = {value!r} is no choice", str(value), choices)
        return value
    if origin is tuple:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise UsageError(f"{where} = {value!r}: not a list of strings", 'write ["one", "two"]')
        return tuple(items)
    if (
        isinstance(kind, types.UnionType)
        or not isinstance(value, kind)
        or (kind is int and isinstance(value, bool))
    ):
        raise UsageError(f"{where} = {value!r}: not {_named(kind)}", f"give {_named(kind)}")
    if kind is int and value < 0:
        raise UsageError(f"{where} = {value}: negative", "give zero or more")
    return value


def _named(kind: Any) -> str:
    return {int: "an integer", bool: "true or false", str: "a string"}.get(kind, str(kind))


def _unknown(message: str, name: str, choices: list[str]) -> UsageError:
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(choices)}"
    return UsageError(message, hint)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def write_template(path: Path, model: str, targets: tuple[str, ...], force: bool) -> Path:
    """Write a commented project file.

    Raises:
        UsageError: The file is there already and `force` is not given.
    """
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "edit it, or overwrite it with --force")
    quoted = ", ".join(_toml_string(target) for target in targets)
    text = _TEMPLATE.replace("@model@", f"{_toml_string(model):<22}")
    text = text.replace("@targets@", f"{f'[{quoted}]':<19}")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "choose a folder you can write") from error
    return path


def _toml_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_TEMPLATE = """\
# What edgekit build makes, and from what. Every key can be set on the command line, too:
# edgekit build --set quantize.estimator=mse

[model]
path = @model@ # .keras, .h5, SavedModel folder, .onnx or .tflite
# modules = ["my_layers"]     # imported first; they register custom layers with
                              # @keras.saving.register_keras_serializable()

[data]
# PATH[:array[,labels]][[start:stop]]: npz, npy, csv, a folder of images, wav or npy files,
# or python:module:function. Parts follow one another.
calibration = []              # unlabeled, e.g. ["data.npz:x[:100]"]
evaluation = []               # labels give accuracy, e.g. ["data.npz:x,y[100:]"]
# training = []               # for compression; default: the calibration data
preprocess = "raw"            # raw, unit (x/255), symmetric (x/127.5-1), imagenet,
                              # or scale=0.5847,offset=-48.5301  (value = x * scale + offset)
samples = 200                 # the most that calibration uses

[build]
targets = @targets@ # edgekit targets lists them; a path of your own TOML works, too
# output = "build/model-rpi4" # default: build/<model>-<target>
seed = 0

[quantize]
# scheme = "int8"             # int8, int16x8, float16, dynamic, float32; default: the target's
estimator = "minmax"          # minmax, percentile, mse, entropy, or auto: the best of them
equalise = "auto"             # cross-layer equalisation: off, on, auto (kept where it helps)
bias_correct = "auto"         # bias correction: off, on, auto (kept where it helps)
per_channel = true

[io]
# input = "float32"           # dtype of the built model's inputs; default: the target's
# output = "float32"

[fidelity]
enabled = true
samples = 200                 # the most rows that built and float model are compared on
# metric = "top1"             # top1, mse, mae, auc, python:module:function; default: by the task
"""
