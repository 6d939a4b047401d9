"""The one contract between raw data and a model's float input: declared once, stored, repeated.

    value = ((x * scale + offset) - mean) / std

It is written as a name (`raw`, `unit`, `symmetric`, `imagenet`), as keys
(`scale=0.5847,offset=-48.5301`), or as a name and keys that change it (`imagenet,resize=96x96`).
"""

from __future__ import annotations

import difflib
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from edgekit.data.resize import resize
from edgekit.errors import DataError, UsageError

Layout = Literal["auto", "nhwc", "nchw"]
LAYOUTS = ("auto", "nhwc", "nchw")
DTYPES = ("auto", "uint8", "int8", "uint16", "int16", "int32", "float32")
OPTION = "--preprocess"


@dataclass(frozen=True)
class Preprocess:
    """How a raw row becomes what the model was trained on.

    Attributes:
        layout: Of the *data*: `nhwc`, `nchw`, or `auto` (from the shapes; NHWC where both fit).
        resize: (height, width) that rows are resized to, bilinear; None keeps them.
        scale: Factor of the raw value.
        offset: Added after `scale`.
        mean: Subtracted after that: nothing, one value, or one a channel.
        std: Divided by at last: nothing, one value, or one a channel.
        dtype: What raw rows are read as before the arithmetic; `auto` is as they are stored.
    """

    layout: Layout = "auto"
    resize: tuple[int, int] | None = None
    scale: float = 1.0
    offset: float = 0.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    dtype: str = "auto"

    @property
    def identity(self) -> bool:
        """Whether values pass unchanged (layout and size may still change)."""
        return replace(self, layout="auto", resize=None, dtype="auto") == Preprocess()

    def apply(self, row: NDArray[Any]) -> NDArray[Any]:
        """A raw row [..., channels] as float32: read as `dtype`, resized, scaled.

        Raises:
            DataError: a value does not fit `dtype`, or `mean`/`std` do not fit the channels.
        """
        row = self.cast(row)
        if self.resize is not None:
            row = resize(row, *self.resize)
        return self.values(row)

    def cast(self, row: NDArray[Any]) -> NDArray[Any]:
        """`row` as `dtype`, when no value changes by it."""
        if self.dtype == "auto" or row.dtype == self.dtype:
            return row
        with np.errstate(invalid="ignore", over="ignore"):
            cast_row = row.astype(self.dtype)
        if self.dtype != "float32" and not np.array_equal(cast_row, row):
            raise DataError(
                f"{OPTION} says dtype={self.dtype}, but values from {row.min()} to {row.max()} "
                f"({row.dtype}) do not fit it",
                f"write {OPTION} dtype=auto, or leave dtype out",
            )
        return cast_row

    def values(self, row: NDArray[Any]) -> NDArray[Any]:
        """The arithmetic alone, in float64, rounded once to float32."""
        if self.identity:
            return row.astype(np.float32)
        value = row.astype(np.float64) * self.scale + self.offset
        if self.mean:
            value -= self._per_channel("mean", self.mean, row)
        if self.std:
            value /= self._per_channel("std", self.std, row)
        with np.errstate(over="ignore"):  # infinity is refused by who knows the row
            return value.astype(np.float32)

    def to_text(self) -> str:
        """What `parse` reads back as this value; the shortest usual name where there is one."""
        for name, named in NAMED.items():
            if _numbers(named) == _numbers(self):
                keys = _keys(replace(self, scale=1.0, offset=0.0, mean=(), std=()))
                return ",".join([name, *keys])
        return ",".join(_keys(self))

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it."""
        data = asdict(self)
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in data.items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Preprocess:
        """The value that `to_json` wrote."""
        fields: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        return cls(**fields)

    def _per_channel(self, key: str, numbers: tuple[float, ...], row: NDArray[Any]) -> NDArray[Any]:
        channels = row.shape[-1] if row.ndim else 1
        if len(numbers) not in (1, channels):
            hint = f"write one for all, for example {key}={numbers[0]:g}"
            if channels > 1:
                example = ",".join(f"{value:g}" for value in (numbers * channels)[:channels])
                hint += f", or {channels}: {key}={example}"
            raise DataError(
                f"{OPTION} has {len(numbers)} values of {key} for rows of {channels} channel(s)",
                hint,
            )
        return np.asarray(numbers, dtype=np.float64)


NAMED = {
    "raw": Preprocess(),
    "unit": Preprocess(scale=1 / 255),
    "symmetric": Preprocess(scale=1 / 127.5, offset=-1.0),
    "imagenet": Preprocess(scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
}
KEYS = ("layout", "resize", "scale", "offset", "mean", "std", "dtype")


def parse(text: str) -> Preprocess:
    """Read `NAME`, `key=value,...` or `NAME,key=value,...`.

    Numbers may be fractions (`scale=1/255`); `mean` and `std` take one number or one a channel
    (`mean=0.5,0.4,0.3`); `resize` is HEIGHTxWIDTH.

    Raises:
        UsageError: an unknown name or key, or a value that cannot be.
    """
    tokens = [token.strip() for token in text.split(",")]
    result = Preprocess()
    if "=" not in tokens[0]:
        result = NAMED[_known(tokens.pop(0), tuple(NAMED), "name", text)]
    settings: dict[str, list[str]] = {}
    last = ""
    for token in tokens:
        key, equals, value = token.partition("=")
        if equals:
            last = _known(key.strip(), KEYS, "key", text)
            if last in settings:
                raise UsageError(f"{OPTION} {text!r} gives {last} twice", "give it once")
            settings[last] = [value.strip()]
        elif last in ("mean", "std"):
            settings[last].append(token)
        else:
            raise UsageError(
                f"{OPTION} {text!r}: {token!r} is no key=value",
                _example("only the first may be a name"),
            )
    return replace(result, **{key: _value(key, values, text) for key, values in settings.items()})


def _value(key: str, values: list[str], text: str) -> Any:
    if key == "layout":
        return cast(Layout, _known(values[0], LAYOUTS, "layout", text))
    if key == "dtype":
        return _known(values[0], DTYPES, "dtype", text)
    if key == "resize":
        height, _, width = values[0].lower().partition("x")
        if not (height.isdecimal() and width.isdecimal() and min(int(height), int(width)) > 0):
            raise UsageError(
                f"{OPTION} resize={values[0]} is no size",
                "write resize=HEIGHTxWIDTH, for example resize=96x96",
            )
        if max(int(height), int(width)) > 16384:
            raise UsageError(f"{OPTION} resize={values[0]} is too large", "at most 16384x16384")
        return int(height), int(width)
    numbers = tuple(_number(key, value, text) for value in values)
    if key == "std" and 0.0 in numbers:
        raise UsageError(
            f"{OPTION} {text!r}: std may not be 0",
            "give the standard deviation of the training data",
        )
    if key == "scale" and numbers[0] == 0.0:
        raise UsageError(f"{OPTION} {text!r}: scale=0 makes every value the same", _example())
    return numbers if key in ("mean", "std") else numbers[0]


def _number(key: str, value: str, text: str) -> float:
    top, slash, bottom = value.partition("/")
    try:
        number = float(top) / float(bottom) if slash else float(top)
    except (ValueError, ZeroDivisionError):
        number = math.nan
    if not math.isfinite(number):
        many = "a number, or one a channel: mean=0.5,0.4,0.3" if key in ("mean", "std") else ""
        raise UsageError(f"{OPTION} {text!r}: {key}={value} is no number", many or _example())
    return number


def _known(name: str, known: tuple[str, ...], what: str, text: str) -> str:
    if name in known:
        return name
    close = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    raise UsageError(f"{OPTION} {text!r}: unknown {what} {name!r}", hint)


def _example(before: str = "") -> str:
    return f"{before}{': ' if before else ''}write for example {OPTION} scale=1/255,offset=-0.5"


def _numbers(value: Preprocess) -> tuple[Any, ...]:
    return value.scale, value.offset, value.mean, value.std


def _keys(value: Preprocess) -> list[str]:
    default = Preprocess()
    keys = []
    for key in KEYS:
        item = getattr(value, key)
        if item == getattr(default, key):
            continue
        if key == "resize":
            item = "x".join(map(str, item))
        elif isinstance(item, tuple):
            item = ",".join(map(repr, item))
        elif (
            key == "scale" and 1 / item == round(1 / item, 1) and 1 / float(f"{1 / item:g}") == item
        ):
            item = f"1/{1 / item:g}"
        keys.append(f"{key}={item}")
    return keys
