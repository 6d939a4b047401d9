"""A bias for each class of output pixels: what constant inputs add where padding cuts them off.

Rows that are alike share a class, and so do columns; a pixel's bias is that of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.emission import Emission


@dataclass(frozen=True, eq=False)
class Border:
    """Classes of pixels; the bias of class row * `across` + column is a row of the matrix's bias.

    Attributes:
        rows: int64 [out_height], class of each row of pixels.
        places: int64 [out_width], class of each column of pixels.
        across: Classes of columns.
    """

    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    across: int

    @property
    def nbytes(self) -> int:
        """Of the classes in flash, without the biases."""
        return len(self.rows) + len(self.places) + 12

    def fits(self) -> bool:
        """Whether the classes are few enough for 8 bits."""
        return bool(max(self.rows.max(), self.places.max()) < 256)

    def of_pixels(self) -> NDArray[np.int64]:
        """Class of each pixel, int64 [pixels]."""
        return np.asarray(self.rows[:, None] * self.across + self.places[None, :]).ravel()

    def constant(self, to: Emission) -> list[str]:
        """The members of `ek_border_t`."""
        rows, places = (
            to.array("rows", self.rows.astype(np.uint8)),
            to.array("places", self.places.astype(np.uint8)),
        )
        return [rows, places, str(self.across)]
