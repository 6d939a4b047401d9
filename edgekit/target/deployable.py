"""Whether a runtime found on a device has the ops of a model, before that is copied there."""

from __future__ import annotations

import re
from dataclasses import replace

from edgekit.errors import TargetError, UsageError
from edgekit.graph.read import read
from edgekit.problem import refuse
from edgekit.target import files
from edgekit.target.op_check import check_ops
from edgekit.target.op_table import OpTable, load_op_table
from edgekit.target.profile import load_profile


def refuse_model(tflite: bytes, target: str, runtime: str) -> None:
    """Refuse a model that a runtime cannot run; nothing where the runtime has no table.

    Args:
        tflite: The model.
        target: That it was built for.
        runtime: Package and version on the device, e.g. `tflite-runtime 2.14.0`.

    Raises:
        TargetError: It names op, version and layer.
    """
    table = table_of(runtime)
    if table is None:
        return
    try:
        profile = load_profile(target)
    except UsageError:  # a target of another machine
        return
    refuse(check_ops(read(tflite), replace(profile, runtime=table)), TargetError)


def table_of(runtime: str) -> OpTable | None:
    """The table of a package of a version; None where there is none."""
    package, _, version = runtime.partition(" ")
    for name in files.names("runtimes"):
        table = load_op_table(name)
        named = re.split(r"[ =<>!~]", table.package)[0]
        if named == package and f"{version}.".startswith(f"{table.version}."):
            return table
    return None
