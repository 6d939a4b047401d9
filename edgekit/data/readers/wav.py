"""`.wav`, PCM of 8, 16, 24 or 32 bits: float32 in -1..1, [samples] or [samples, channels].

The preprocessing applies after that: `raw` feeds -1..1. All files of a folder have one length.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError

SUFFIXES = (".wav",)


def load(path: Path) -> NDArray[Any]:
    """One recording.

    Raises:
        DataError: no PCM wav file, or cut short.
    """
    try:
        with wave.open(str(path), "rb") as stream:
            width, channels, count = (
                stream.getsampwidth(),
                stream.getnchannels(),
                stream.getnframes(),
            )
            data = stream.readframes(count)
    except (wave.Error, EOFError, OSError) as error:
        raise DataError(
            f"{path} is no readable PCM wav file: {error or type(error).__name__}",
            f"save it as 16-bit PCM, for example: ffmpeg -i {path.name} -c:a pcm_s16le out.wav",
        ) from None
    if not count or len(data) != width * channels * count:
        raise DataError(f"{path} is empty or cut short", "record or copy it again")
    values = _float(data, width)
    return values.reshape(-1, channels) if channels > 1 else values


def _float(data: bytes, width: int) -> NDArray[Any]:
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    if width == 3:
        # Three bytes become the upper three of four.
        four = np.zeros((len(data) // 3, 4), np.uint8)
        four[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data, width = four.tobytes(), 4
    scale = np.float32(2.0 ** (8 * width - 1))
    return np.frombuffer(data, f"<i{width}").astype(np.float32) / scale
