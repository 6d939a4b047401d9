"""An error of ours on its way from another process, as plain values that always arrive."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit import errors
from edgekit.errors import EdgekitError


@dataclass(frozen=True)
class Refusal:
    """What can be sent of an error.

    Attributes:
        kind: Name of its class in `edgekit.errors`.
        message: What is wrong.
        hint: What to do.
    """

    kind: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: EdgekitError) -> Refusal:
        """What can be sent of `error`."""
        return cls(type(error).__name__, error.message, error.hint)

    def error(self) -> EdgekitError:
        """The error again."""
        kind: type[EdgekitError] = getattr(errors, self.kind, EdgekitError)
        return kind(self.message, self.hint)
