"""Files of a C project that are not of its model alone: build systems, self test, examples.

They lie here as they are written, `PREFIX` in their names and `@...@` in their text replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from edgekit.c_project.processors import options
from edgekit.c_project.project import CProject
from edgekit.compiler.emit import plain
from edgekit.fill import filled
from edgekit.interface import RELEASE

HERE = Path(__file__).parent
_INSIDE = ("_golden.h", "_kernels.h", "_weights.h")
"""Headers that no program includes."""


def wrapper_files(project: CProject, version: str, names: Iterable[str]) -> dict[str, str]:
    """Text by path.

    Args:
        project: The model.
        version: Of the library.
        names: Of the C files that are written besides; all others are known here.
    """
    templates = {
        path.relative_to(HERE).as_posix().replace("PREFIX", project.prefix): path
        for path in sorted(HERE.rglob("*"))
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    own = [name for name in (*names, *templates) if name.startswith(f"{project.prefix}")]
    values = _values(project, version, sorted(own))
    return {
        name: filled(path.read_text(encoding="ascii"), values) for name, path in templates.items()
    }


def _values(project: CProject, version: str, files: Sequence[str]) -> dict[str, str]:
    program, upper = project.compiled.program, project.prefix.upper()
    sources = [name for name in files if name.endswith(".c")]
    headers = [name for name in files if name.endswith(".h")]
    return {
        "p": project.prefix,
        "P": upper,
        "title": plain(project.name),
        "version": version,
        "release": RELEASE,
        "arena": str(project.compiled.plan.arena),
        "vectors": str(len(project.golden)),
        "cpu": " ".join(options(project.compiled.core.name)) or "<options of your processor>",
        "flags": " ".join(project.cflags),
        "quoted_flags": ", ".join(json.dumps(flag) for flag in project.cflags),
        "sources": " ".join(sources),
        "headers": " ".join(name for name in headers if not name.endswith(_INSIDE)),
        "filters": ", ".join(json.dumps(f"+<{name}>") for name in sources),
        "pack_files": "\n".join(_pack_files(sources, headers)),
        "inputs": _spans(upper, "INPUT", [program.values[each].dtype for each in program.inputs]),
        "outputs": _spans(
            upper, "OUTPUT", [program.values[each].dtype for each in program.outputs]
        ),
    }


def _spans(upper: str, side: str, dtypes: Sequence[str]) -> str:
    names = [f"{upper}_{side}_{place}" for place in range(len(dtypes))]
    return ", ".join(
        f"{{{name}_OFFSET, {name}_BYTES, {np.dtype(dtype).itemsize}}}"
        for name, dtype in zip(names, dtypes, strict=True)
    )


def _pack_files(sources: Sequence[str], headers: Sequence[str]) -> Iterable[str]:
    kinds = [("sourceC", name) for name in sources] + [("header", name) for name in headers]
    for category, name in kinds:
        yield f'        <file category="{category}" name="{name}"/>'
