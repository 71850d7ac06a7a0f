"""Codes of categories: one-hot for linear models, as they are for trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from sensorium.baselines._blocks import Block, Form, has_gaps
from sensorium.prepare.summaries import Kind, Summary

MAX_LEVELS = {"linear": 5_000, "trees": 255}  # rarer levels, which have higher codes, are one level
LARGEST_CODE = 255  # that trees may get


@dataclass(frozen=True, eq=False)
class CodeBlock(Block):
    """One-hot features of a category, or its code, float32[n, 1]. Trees get one more code for missing cells.

    Attributes:
        count: number of levels: codes that were seen are below it. Others are read as 0, the unknown level.
    """

    kind: ClassVar[Kind] = "codes"

    count: Annotated[int, Field(ge=1, le=MAX_LEVELS["linear"])]

    def check(self) -> None:
        if self.form == "trees" and self.count > MAX_LEVELS["trees"]:
            raise ValueError(f"{self.count} levels")

    @classmethod
    def learn(cls, column: Summary, form: Form, seed: int) -> Self:
        seen = column.values[column.present]
        return cls(form, has_gaps(column, form), int(min(seen.max(initial=0) + 1, MAX_LEVELS[form])))

    @property
    def width(self) -> int:
        return 1 if self.form == "trees" else self.count

    @property
    def levels(self) -> int:
        return self.count + 1 if self.form == "trees" else 0

    def _features(self, column: Summary) -> Any:
        from scipy.sparse import csr_matrix

        full = self.count == MAX_LEVELS[self.form]
        codes = np.where(column.values < self.count, column.values, self.count - 1 if full else 0).clip(0)
        if self.form == "trees":
            return np.where(column.present, codes, self.count).astype(np.float32)[:, None]
        rows = np.flatnonzero(column.present)
        ones = np.ones(len(rows), np.float32)
        return csr_matrix((ones, (rows, codes[rows])), (len(codes), self.count))
