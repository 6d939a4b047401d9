"""A refusal, a skip or a warning as a value: it travels with plan, manifest and report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from edgekit.errors import EdgekitError

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Problem:
    """Something the user should know.

    Attributes:
        severity: `error` stops the build, `warning` may cost quality, `note` informs.
        where: The file, layer, option or data set it is about.
        message: One line: what is the case.
        hint: One line: what to do.
    """

    severity: Severity
    where: str
    message: str
    hint: str

    def to_json(self) -> dict[str, str]:
        """The problem as the manifest stores it."""
        return asdict(self)


def refuse(problems: Iterable[Problem], kind: type[EdgekitError]) -> None:
    """Raise the first error among `problems` as `kind`; the message counts the others."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise kind(errors[0].message + more, errors[0].hint)
