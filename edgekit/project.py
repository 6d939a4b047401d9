"""The choices of a project: `edgekit.toml`, the options of the command, and `--set`."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgekit._discover import did_you_mean
from edgekit._template import write_template as write_template
from edgekit._values import changed, toml_value
from edgekit.compiler.cores import Optimize
from edgekit.errors import UsageError
from edgekit.search.table import SearchTable
from edgekit.training.options import FineTune, resolve

Switch = Literal["off", "on", "auto"]
Scheme = Literal["int8", "int4", "int16x8", "float16", "dynamic", "float32"]
COMPRESS = "compress"
_MANY = 1 << 40
"""Rows for a check of fine-tuning before any are known."""


@dataclass(frozen=True)
class ModelTable:
    """`[model]`: what is built, and what its classes are called.

    Attributes:
        path: Of the model.
        name: What programs call it; default: the file's name without its suffix.
        labels: Path of a text file with a class name a line, for apps and readers of metadata.
        modules: To import first; they register custom layers.
    """

    path: str = ""
    name: str = ""
    labels: str = ""
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataTable:
    """`[data]`: specifications `PATH[:array[,labels]][[start:stop]]` and their preprocessing.

    `samples` is the most that calibration uses. `held_out`, a share of the training rows (where
    none are given: of the calibration rows) by the hash of their content, trains and calibrates
    nothing: without `evaluation` it is judged on.
    """

    calibration: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()
    preprocess: str = "raw"
    samples: int = 200
    held_out: float = field(default=0.0, metadata={"least": 0.0, "most": 0.9})


@dataclass(frozen=True)
class BuildTable:
    """`[build]`: `targets` by name or TOML path, `output` folder, `seed` of every choice.

    `export` names what is written besides what the target wants, e.g. `c_project`.
    """

    targets: tuple[str, ...] = ()
    output: str = ""
    export: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class QuantizeTable:
    """`[quantize]`: `scheme` ("": the target's default), range estimator and corrections.

    `auto` builds every scheme that the target runs and keeps the fastest (`edgekit.schemes`).

    `keep_int16`, `keep_float`: layers of an int8 build that stay in more bits, by the names that
    `edgekit inspect` shows. `sparse`: `auto` stores zeros in TFLite's sparse encoding where a run
    proves that it works. `dead`: channels of an int8 build that change nothing leave it (`auto`).
    `sensitivity`: what `edgekit sensitivity` wrote; it says which layers get more bits first where
    a budget is broken.
    """

    scheme: Literal["", "int8", "int4", "int16x8", "float16", "dynamic", "float32", "auto"] = ""
    estimator: Literal["minmax", "percentile", "mse", "entropy", "auto"] = "minmax"
    equalise: Switch = "auto"
    bias_correct: Switch = "auto"
    per_channel: bool = True
    keep_int16: tuple[str, ...] = ()
    keep_float: tuple[str, ...] = ()
    sparse: Literal["off", "auto"] = "off"
    dead: Literal["off", "auto"] = "auto"
    sensitivity: str = ""


@dataclass(frozen=True)
class IoTable:
    """`[io]`: dtype of the built model's inputs and outputs ("": the target's default)."""

    input: Literal["", "int8", "uint8", "int16", "float32"] = ""
    output: Literal["", "int8", "uint8", "int16", "float32"] = ""


@dataclass(frozen=True)
class CompileTable:
    """`[compile]`: what the C of a microcontroller is made for: least flash, speed, or both."""

    optimize: Optimize = "balanced"


@dataclass(frozen=True)
class FidelityTable:
    """`[fidelity]`: whether it is measured, on at most `samples` rows, and the accuracy metric."""

    enabled: bool = True
    samples: int = 200
    metric: str = ""


@dataclass(frozen=True)
class BudgetTable:
    """`[budget]`: what a build may cost against the float model; None is no budget.

    Attributes:
        accuracy_drop: At most this many points of the metric, on the same labelled rows.
        agreement: At least this many percent of top-1 decisions alike.
        sqnr: At least this signal-to-quantization-noise ratio, in dB.
        strict: Whether a budget that the data cannot prove counts as broken.
        ladder: Whether a broken budget is mended by other options before the build is refused.
    """

    accuracy_drop: float | None = field(default=None, metadata={"least": 0.0})
    agreement: float | None = field(default=None, metadata={"least": 0.0, "most": 100.0})
    sqnr: float | None = field(default=None, metadata={"least": 0.0})
    strict: bool = False
    ladder: bool = True

    @property
    def limits(self) -> dict[str, float]:
        """The budgets that are set, by name."""
        named = {name: getattr(self, name) for name in ("accuracy_drop", "agreement", "sqnr")}
        return {name: limit for name, limit in named.items() if limit is not None}


@dataclass(frozen=True)
class CompressEntry:
    """One `[[compress]]`: a pass by `name`, and the options that differ from its defaults.

    The options are plain and JSON-able, and checked; `fine_tune` among them is a table of its own.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry as it is written in `edgekit.toml`."""
        return {"pass": self.name, **self.options}


@dataclass(frozen=True)
class Project:
    """Everything that a build depends on besides the target and the files themselves."""

    model: ModelTable = field(default_factory=ModelTable)
    data: DataTable = field(default_factory=DataTable)
    build: BuildTable = field(default_factory=BuildTable)
    compress: tuple[CompressEntry, ...] = ()
    fine_tune: FineTune = field(default_factory=FineTune)
    budget: BudgetTable = field(default_factory=BudgetTable)
    quantize: QuantizeTable = field(default_factory=QuantizeTable)
    io: IoTable = field(default_factory=IoTable)
    fidelity: FidelityTable = field(default_factory=FidelityTable)
    compile: CompileTable = field(default_factory=CompileTable)
    search: SearchTable = field(default_factory=SearchTable)

    def with_table(self, table: str, **values: Any) -> Project:
        """A copy in which the keys of `table` that are not None have new values."""
        given = {key: value for key, value in values.items() if value is not None}
        return from_mapping({table: given}, f"--{table}", base=self)

    def with_compress(self, spec: str) -> Project:
        """A copy whose passes are those of the short form `--compress`, e.g. `prune:0.6,qat`."""
        from edgekit.passes._short import parse

        entries = tuple(_entry(values, "--compress") for values in parse(spec))
        return dataclasses.replace(self, compress=entries)

    def with_setting(self, text: str) -> Project:
        """A copy changed by `--set table.key=value`; the value is TOML, or else a string."""
        name, equals, value = text.partition("=")
        table, dot, key = name.strip().partition(".")
        if not (equals and dot):
            raise UsageError(
                f"--set {text}: not table.key=value", "e.g. --set quantize.estimator=mse"
            )
        if table == COMPRESS:
            raise UsageError(
                f"--set {text}: {COMPRESS} is a list of passes", "use --compress prune:0.6,qat"
            )
        return from_mapping({table: {key: toml_value(value.strip())}}, "--set", base=self)

    def to_json(self) -> dict[str, Any]:
        """The project as the manifest stores it; `from_mapping` reads it back.

        How it was searched for changes nothing in a build.
        """
        tables = dataclasses.asdict(dataclasses.replace(self, search=SearchTable()))
        del tables["search"]
        return tables | {COMPRESS: [entry.to_json() for entry in self.compress]}


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
    """A project from nested tables, on top of `base`; unknown keys are refused.

    The passes of `compress` take the place of those of `base`.
    """
    base = base or Project()
    tables = {item.name: getattr(base, item.name) for item in dataclasses.fields(Project)}
    for name, values in content.items():
        if name not in tables:
            raise UsageError(f"{where}: no table [{name}]", did_you_mean(name, tables))
        if name == COMPRESS:
            tables[name] = _entries(values, f"{where}: {name}")
        elif isinstance(values, Mapping):
            tables[name] = changed(tables[name], values, f"{where}: {name}")
        else:
            raise UsageError(f"{where}: {name} is not a table", f"write [{name}] and its keys")
    if content.get("fine_tune"):
        _check_fine_tune(tables["fine_tune"], where)
    return Project(**tables)


def _entries(values: Any, where: str) -> tuple[CompressEntry, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(one, Mapping) for one in values):
        raise UsageError(
            f"{where} is not a list of tables", f'write [[{COMPRESS}]] and below it pass = "prune"'
        )
    return tuple(_entry(one, f"{where} {n}") for n, one in enumerate(values, start=1))


def _entry(values: Mapping[str, Any], where: str) -> CompressEntry:
    """The entry of one table, checked; keys of fine-tuning gathered in their own table."""
    from edgekit.passes import base

    name = values.get("pass")
    if not isinstance(name, str):
        raise UsageError(f"{where}: names no pass", f'write pass = "{base.names()[0]}"')
    options, fine_tune = base.from_mapping(name, values, where)
    own = {item.name for item in dataclasses.fields(options)}
    given = {key: _plain(value) for key, value in values.items() if key in own}
    _check_fine_tune(FineTune(**fine_tune), f"{where}: {name}")
    tuned = {"fine_tune": _plain(fine_tune)} if fine_tune else {}
    return CompressEntry(base.load(name).name, given | tuned)


def _check_fine_tune(fine_tune: FineTune, where: str) -> None:
    try:
        resolve(fine_tune, _MANY, labelled=True)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", error.hint) from error


def _plain(value: Any) -> Any:
    """`value` as JSON would give it back."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
