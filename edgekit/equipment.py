"""What a device driver and a power meter have in common: what each is told, and what it needs.

Both declare it as data, so that `edgekit devices` can list it, `lab.toml` can set it, and a wrong
option or a missing package is refused before anything is touched.
"""

from __future__ import annotations

import abc
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar, Literal, Self

from edgekit._discover import did_you_mean
from edgekit.errors import DISTRIBUTION, MissingExtra, UsageError
from edgekit.tools import TOOLS

Kind = Literal["text", "whole", "number", "switch"]
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Option:
    """One thing that a driver or meter can be told.

    Attributes:
        help: For people, in a few words, with the unit and the default.
        kind: Of its value; text from a command line is converted to it.
    """

    help: str
    kind: Kind = "text"

    def convert(self, name: str, value: Any) -> Any:
        """`value` of `lab.toml`, of a command line or of Python as the driver takes it.

        Raises:
            UsageError: It cannot be one.
        """
        try:
            if self.kind == "switch":
                return value if isinstance(value, bool) else _SWITCH[str(value).lower()]
            if isinstance(value, bool):
                raise ValueError
            if self.kind == "whole":
                return int(value)
            return float(value) if self.kind == "number" else str(value)
        except (KeyError, ValueError, TypeError):
            wanted = {"switch": "true or false", "whole": "a whole number", "number": "a number"}
            hint = f"{name}: {self.help}"
            raise UsageError(f"{name} = {value!r} is not {wanted[self.kind]}", hint) from None


@dataclass(frozen=True)
class Needs:
    """What must be installed before a driver or meter works.

    Attributes:
        tools: Programs on PATH, by their names in `edgekit.tools`.
        modules: Python modules outside the default install.
        extra: The extra of this distribution that brings them.
    """

    tools: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    extra: str = ""

    def lacking(self, given: Iterable[str] = ()) -> list[str]:
        """Those that are not here; an option with the name of a tool gives its path."""
        wanted = [tool for tool in self.tools if tool not in given]
        tools = [tool for tool in wanted if shutil.which(tool) is None]
        return tools + [name for name in self.modules if find_spec(name) is None]

    def hint(self) -> str:
        """The command that installs what is lacking; empty where nothing is."""
        lacking = self.lacking()
        packages = [tool.apt for tool in TOOLS if tool.name in lacking]
        commands = [f"sudo apt-get install {' '.join(packages)}"] if packages else []
        if any(name in lacking for name in self.modules):
            commands.append(f"pip install '{DISTRIBUTION}[{self.extra}]'")
        return " && ".join(commands)


class Equipment(abc.ABC):
    """A class of this kind is found by the name of its file; a context manager.

    Attributes:
        title: For people, in one line.
        options: What it can be told, by name.
        needs: What must be installed.
    """

    title: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {}
    needs: ClassVar[Needs] = Needs()

    def close(self) -> None:
        """Leave it as it was found; may be called at any time, and twice."""
        self._close()

    @abc.abstractmethod
    def _close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def plugged_in(cls) -> list[str]:
        """What of this kind is connected now, as the user would name it; quick, and never fails."""
        return []

    @classmethod
    def accept(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options, converted.

        Raises:
            UsageError: It takes no such option, or not such a value.
            MissingExtra: A tool or module that it needs is missing; the hint installs it.
        """
        name = equipment_name(cls)
        for option in given:
            if option not in cls.options:
                hint = did_you_mean(option, cls.options) if cls.options else "it takes no option"
                raise UsageError(f"{name} takes no option '{option}'", hint)
        if lacking := cls.needs.lacking(given):
            raise MissingExtra(f"not installed: {', '.join(lacking)}", cls.needs.hint())
        return {key: cls.options[key].convert(key, value) for key, value in given.items()}


def equipment_name(kind: type[Equipment]) -> str:
    """The name that users know: its file's."""
    return kind.__module__.rpartition(".")[2]
