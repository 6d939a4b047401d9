"""Words of networks: the shape of an input, and what scores go through."""

from __future__ import annotations

from typing import Literal

Shape = tuple[int, ...]
"""[height, width, channels] or [time, channels]."""
Head = Literal["softmax", "sigmoid", "linear"]
