"""Pictures, decoded by Pillow: uint8 [H, W] (grey) or [H, W, 3] (RGB), turned as EXIF says."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DISTRIBUTION, DataError, MissingExtra

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
PICTURES = True


def load(path: Path) -> NDArray[Any]:
    """One picture; transparency is dropped, palettes become RGB, 16-bit grey stays uint16.

    Raises:
        DataError: unreadable; names the file.
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MissingExtra(
            "Pillow, which reads pictures, is not installed", f"pip install '{DISTRIBUTION}'"
        ) from None
    try:
        with warnings.catch_warnings():
            # A picture larger than Pillow's bomb limit is an error here, not a line on stderr.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return _pixels(ImageOps.exif_transpose(picture))
    except Exception as error:  # Pillow's decoders raise nearly anything for damaged files
        raise DataError(
            f"{path} is no readable picture: {str(error) or type(error).__name__}",
            "take the file out of the folder, or save it again",
        ) from None


def _pixels(picture: Any) -> NDArray[Any]:
    if picture.mode.startswith("I") or picture.mode == "F":
        pixels = np.asarray(picture)
        return pixels.astype(np.uint16) if picture.mode.startswith("I;16") else pixels
    grey = picture.mode in ("1", "L", "LA")
    return np.asarray(picture.convert("L" if grey else "RGB"))


def with_channels(pixels: NDArray[Any], channels: int) -> NDArray[Any]:
    """Pixels [H, W] or [H, W, 3] as [H, W, channels] for 1 (luma of ITU-R 601-2) or 3."""
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], channels, axis=2)
    if channels == 1 and pixels.shape[2] == 3:
        # Pillow's integers, so that the same picture gives the same grey either way.
        luma = pixels.astype(np.uint32) @ np.array([19595, 38470, 7471], dtype=np.uint32)
        return ((luma + 0x8000) >> 16).astype(np.uint8)[..., None]
    return pixels
