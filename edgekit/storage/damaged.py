"""What is said of a container that does not hold what it should."""

from __future__ import annotations

from edgekit.errors import ModelError


class Damaged(ModelError):
    """A container that was cut, changed, or is none."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "copy it again, or pack the model again: edgekit pack")
