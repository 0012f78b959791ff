"""What came of a comparison with jLEMS."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

TOLERANCE = 1e-6
"""Of the largest: what counts as equal; jLEMS writes eight digits."""


class Comparison(NamedTuple):
    """What came out.

    Attributes:
        difference: the largest.
        largest: of jLEMS' numbers.
        worst: where the difference is.
        version: jNeuroML's.
        unit: of the numbers, with a word on what they are.
    """

    difference: float
    largest: float
    worst: str
    version: str
    unit: str = "of all channels"

    @classmethod
    def of(
        cls, ours: np.ndarray, theirs: np.ndarray, unit: str, version: str, where: Callable[[int, int], str]
    ) -> "Comparison":
        """That of two tables.

        Args:
            where: what says where a row and a column are.
        """
        off = np.abs(ours - theirs)
        off = np.where(np.isfinite(off), off, np.inf)
        row, column = (int(one) for one in np.unravel_index(int(np.argmax(off)), off.shape))
        return cls(float(off[row, column]), float(np.abs(theirs).max()), where(row, column), version, unit)

    @property
    def relative(self) -> float:
        return self.difference / self.largest if self.largest > 0 else self.difference

    @property
    def differs(self) -> bool:
        return not self.relative <= TOLERANCE

    def __str__(self) -> str:
        most = "most that opens" if self.unit == "of all channels" else "largest"
        share = f"{self.difference:.2g} {self.unit} at most, {self.relative:.1e} of the {most}, {self.largest:.3g}, {self.worst}"
        return f"{'differs from' if self.differs else 'equal to'} jLEMS (jNeuroML {self.version}): {share}"
