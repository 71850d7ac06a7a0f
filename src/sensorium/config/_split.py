"""Settings of the split."""

from __future__ import annotations

from typing import Self

import pydantic
from pydantic import Field

from sensorium.config._types import Fraction, Strict


class SplitConfig(Strict):
    """Split into training, validation (early stopping, model selection) and test rows."""

    column: str | None = Field(None, description="column with each row's split: train, validation or test")
    group: str | None = Field(
        None,
        description="column of groups, such as patient or user: all rows of a group go to one split, and intervals "
        "resample groups. If split.time is set, the groups that end last are the test set. If split.span is set too, "
        "rows outside the period of their group's split are left out. By default, if a column names the splits, a "
        "column such as patient that it keeps apart; null: no groups",
    )
    time: str | None = Field(None, description="order rows by this column: the earliest rows train, the latest test")
    day_first: bool | None = Field(
        None, description="whether 01/02/2026 in the time column is in February; inferred from the cells by default"
    )
    span: tuple[str, str] | None = Field(
        None,
        description="if split.time is set: columns with the start and end of each row's period; splits do not overlap",
    )
    stratify: bool = Field(True, description="keep the proportions of the labels in every split")
    validation: Fraction = Field(0.1, description="share of validation rows, if no column names them")
    test: Fraction = Field(0.1, description="share of test rows, if no column names them")

    @pydantic.model_validator(mode="after")
    def _leave_training_rows(self) -> Self:
        if self.validation + self.test >= 1:
            shares = f"{self.validation:g} + {self.test:g} = {self.validation + self.test:g}"
            raise ValueError(
                f"split.validation + split.test must be below 1, so that rows are left to train on; got {shares}"
            )
        if self.span and (not self.time or self.column):
            raise ValueError("split.span needs split.time, and cannot be combined with split.column")
        return self
