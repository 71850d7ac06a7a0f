"""Contract of blocks: features of one column, learned from some rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.errors import ArtifactError
from sensorium.files.state import HasState
from sensorium.prepare.summaries import Kind, Summary

Form: TypeAlias = Literal["linear", "trees"]


@dataclass(frozen=True, eq=False)
class Block(HasState, ABC):
    """Features of a column. Linear models get numbers without gaps, trees get NaN or a code where a cell is missing.

    Class attributes:
        kind: kind of the summaries that it takes.

    Attributes:
        form: the kind of model that it is for.
        gaps: whether it has a last feature that is 1 where the cell is missing; for linear models.
    """

    kind: ClassVar[Kind]

    form: Form
    gaps: bool

    @classmethod
    @abstractmethod
    def learn(cls, column: Summary, form: Form, seed: int) -> Self:
        """Learn from the rows of a summary."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Return the number of features, without that of `gaps`."""

    @property
    def levels(self) -> int:
        """Return the number of levels if trees get a code; 0 if they get numbers."""
        return 0

    def apply(self, column: Summary) -> Any:
        """Return the features of rows, [n, f], dense or sparse.

        Raises:
            ArtifactError: the column has another kind or width than the one it was learned from.
        """
        if column.kind != self.kind:
            raise ArtifactError(f"the column has {column.kind}", rule=self.kind, cure="fit the model again")
        found = self._features(column)
        if not self.gaps:
            return found
        from scipy.sparse import csr_matrix, hstack, issparse

        missing = ~column.present[:, None]
        return hstack([found, csr_matrix(missing)], "csr") if issparse(found) else np.concatenate([found, missing], 1)

    @abstractmethod
    def _features(self, column: Summary) -> Any:
        """Return the features without that of `gaps`."""


def has_gaps(column: Summary, form: Form) -> bool:
    """Return whether a block has a feature that marks missing cells: in linear models, if cells and gaps occur."""
    return form == "linear" and bool(column.present.any() and not column.present.all())


def missing_as_nan(values: Any, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return float32[n, f] with NaN in the rows of missing cells."""
    return np.where(present[:, None], values, np.nan).astype(np.float32)
