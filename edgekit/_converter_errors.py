"""What the TensorFlow Lite converter says, often a hundred lines of MLIR, in one line."""

from __future__ import annotations

import re

from edgekit.errors import ModelError


def converter_error(error: Exception) -> ModelError:
    """The converter's error (often a hundred lines of MLIR) as one line: op and layer."""
    places = sorted(_unsupported(error))
    if places:
        what = ", ".join(f"{op} (layer {layer!r})" if layer else op for op, layer in places)
        return ModelError(
            f"LiteRT has no builtin op for {what}",
            "replace that layer by one made of ops that LiteRT has, and export the model again",
        )
    return ModelError(
        f"the TensorFlow Lite converter refuses the model: {one_line(error)}",
        "set EDGEKIT_VERBOSE=1 to see all that the converter says",
    )


def one_line(error: BaseException, limit: int = 240) -> str:
    """The first telling line of an exception's text, at most `limit` characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _unsupported(error: Exception) -> set[tuple[str, str]]:
    """(op, layer) of each op the converter could not lower; the layer is '' where unknown."""
    found = set()
    for entry in getattr(error, "errors", ()):
        op = entry.operator.name if entry.HasField("operator") else ""
        names = [call.name for call in entry.location.call if call.name]
        if op.startswith("tf."):
            found.add((op[3:], _layer(names[0]) if names else ""))
    if not found:
        ops = re.findall(r"'tf\.(\w+)' op", str(error))
        found = {(op, "") for op in ops}
    return found


def _layer(node: str) -> str:
    """'model_1/fft_1/FFT2D' -> 'fft': the path without model and op."""
    parts = node.split("@")[0].rstrip(";:").split("/")[:-1]
    if parts and all(re.search(r"_\d+$", part) for part in parts):
        # Keras 3 enters each scope twice, so that TensorFlow numbers every one of them
        parts = [part.rpartition("_")[0] for part in parts]
    return "/".join(parts[1:] or parts)
