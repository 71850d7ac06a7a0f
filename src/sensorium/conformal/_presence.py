"""Modalities that rows have a value of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.table import Rows

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Presence:
    """Modalities that each row has.

    Attributes:
        names: the t modalities of a model.
        there: bool[n, t]: whether the row has a value in a column of the modality.
    """

    names: Names
    there: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[str]], present: Mapping[str, npt.NDArray[np.bool_]]) -> Presence:
        """Return the modalities of rows.

        Args:
            columns: modality → its columns.
            present: column → bool[n]: whether the row has a value there.
        """
        own = [np.logical_or.reduce([present[name] for name in names]) for names in columns.values()]
        return cls(tuple(columns), np.stack(own, 1))

    def __len__(self) -> int:
        return len(self.there)

    @property
    def by_modality(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Return modality → bool[n]: whether the row has it."""
        return dict(zip(self.names, self.there.T, strict=True))

    def take(self, rows: Rows) -> Presence:
        """Return the modalities of some rows."""
        return replace(self, there=self.there[rows])

    def subsets(self) -> tuple[Rows, list[Names]]:
        """Return int64[n], the number of the subset of modalities that each row has, and these subsets."""
        found, codes = np.unique(self.there, axis=0, return_inverse=True)
        names = [tuple(name for name, own in zip(self.names, row, strict=True) if own) for row in found]
        return codes.reshape(-1), names
