"""`python:module:function`: a function of the user's, from a module in their folder."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from edgekit.errors import UsageError

PREFIX = "python:"
_NAME = re.compile(r"python:([A-Za-z_][\w.]*):([A-Za-z_]\w*)$")


def is_function(name: str) -> bool:
    """Whether the text names a function so."""
    return bool(_NAME.match(name))


def module_of(name: str) -> str:
    """The module that such a text names, "" where it is something else."""
    return name.removeprefix(PREFIX).partition(":")[0] if name.startswith(PREFIX) else ""


def load_function(name: str, what: str) -> Callable[..., Any]:
    """The function, its module looked for in the current folder first; what it prints is no output.

    Args:
        name: `python:module:function`.
        what: What the function is, for the message.

    Raises:
        UsageError: The module fails, or has no such function.
    """
    module, _, function = name.removeprefix(PREFIX).partition(":")
    here = os.getcwd()
    try:
        sys.path.insert(0, here)
        with contextlib.redirect_stdout(sys.stderr):
            found: Any = getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as error:  # the user's module: anything may come
        raise UsageError(
            f"{what} {name} cannot be loaded: {error}",
            "write python:module:function; the module is looked for in this folder, too",
        ) from error
    finally:
        sys.path.remove(here)
    return found  # type: ignore[no-any-return]
