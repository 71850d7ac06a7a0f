"""Settings of the table: how it is read, and how it is transformed before its schema is inferred."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field, NonNegativeInt, PositiveInt

from sensorium.config._types import CALLER_ONLY, Names, Strict, Words

WINDOW_SPAN = ("window_start", "target_time")  # columns of windows: from when to when a row reaches
WINDOW_SINCE = "since"


class WindowsConfig(Strict):
    """Windows of a long table (entity, time, values): rows with series of the last steps and a future target.

    If the settings name no split, rows are split by time, and rows whose target lies in the windows of a later split
    are left out.
    """

    entity: str | None = Field(
        None, description="column that identifies the entity of a row; without it, all rows are one entity"
    )
    time: str = Field(description="column that orders the rows of an entity: dates or numbers")
    values: Names = Field(description="number columns that become series of the last steps")
    target: str = Field(description="column whose future value is predicted; the target is called COLUMN_ahead")
    length: PositiveInt = Field(description="number of steps in a series, including the present one")
    horizon: PositiveInt = Field(1, description="number of steps from the present to the target")
    predict: Literal["value", "change", "return", "rises"] = Field(
        "value",
        description="what is predicted: the value, its change, its relative change (return), or whether it rises",
    )
    every: PositiveInt = Field(1, description="stride: take every n-th window of an entity")
    since: bool = Field(False, description="add a series with the time since the previous step")

    @property
    def answer(self) -> str:
        """Name of the target in the resulting rows."""
        return f"{self.target}_ahead"

    @property
    def series(self) -> list[str]:
        """Names of the series in the resulting rows."""
        return [*self.values, *([WINDOW_SINCE] if self.since else [])]


class RemoteConfig(Strict):
    """Downloads of tables and of files that their cells name."""

    redirects: bool = Field(False, description="follow redirects to another host")
    private: bool = Field(
        False, description="allow addresses in cells and redirects that lead to this machine or to private networks"
    )
    max_gigabytes: Annotated[float, Field(gt=0)] = Field(8.0, description="size limit of a file that is fetched, in GB")
    timeout: Annotated[float, Field(gt=0)] = Field(3600.0, description="time limit for fetching one file, in seconds")


class TableConfig(Strict):
    """Reading the source of the table."""

    encoding: str = Field("utf-8", description="text encoding of CSV and JSON Lines files")
    separator: str | None = Field(
        None, description="CSV field separator, or none (one column); inferred from the first lines by default"
    )
    skip_rows: NonNegativeInt = Field(
        0, description="number of lines to skip above the header of a CSV file or a sheet"
    )
    comment: str | None = Field(None, description="skip CSV lines that begin with this text, such as #")
    quotes: Literal["double", "backslash", "none"] | None = Field(
        None,
        description="how a quote inside a quoted CSV cell is written (none: quotes are ordinary characters); inferred "
        "from the file by default",
    )
    missing: Words = Field(
        [""],
        description="cell texts to read as missing; numbers and dates are compared by value. Words such as n/a in "
        "number columns are always missing",
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="decimal mark of numbers; inferred for each column by default"
    )
    thousands: Literal["", ".", ",", " ", "'"] | None = Field(
        None, description="thousands separator; inferred for each column by default"
    )
    currency: str | None = Field(
        None, description="currency to read if a column has several, such as USD; amounts in others are missing"
    )
    censored: Literal["limit", "missing"] = Field(
        "limit",
        description="how <5 is read: as the limit 5, with a column NAME.censored (-1 below, 1 above), or as missing",
    )
    labels: Literal["exact", "fold_case"] = Field(
        "exact", description="labels of a target that differ only in case: kept apart (exact) or merged (fold_case)"
    )
    order: dict[str, Annotated[Words, Field(min_length=2)]] = Field(
        {}, description="labels of ordinal targets from the lowest to the highest, such as size: [small, medium, large]"
    )
    query: Annotated[str | None, CALLER_ONLY] = Field(None, description="table or view of a database, or one SELECT")
    query_timeout: Annotated[float, Field(gt=0), CALLER_ONLY] = Field(
        300.0, description="time limit for a query of a database, in seconds"
    )
    lists: dict[str, Annotated[list[str], Field(min_length=2)]] = Field(
        {}, description="new list columns made of several columns, such as place: [lat, lon]"
    )
    targets: dict[str, Annotated[list[str], Field(min_length=2)]] = Field(
        {}, description="new target column made of several targets; --target a --target b sets it"
    )
    allow_outside: Annotated[bool, CALLER_ONLY] = Field(
        False, description="allow paths in cells that lead outside the table's folder"
    )
    remote: Annotated[RemoteConfig, CALLER_ONLY] = RemoteConfig()
    series: dict[str, Names] = Field(
        {},
        description="new series columns and their sources: number columns, one per step (t* stands for t0, t1 …), or "
        "list columns, one per channel",
    )
    windows: WindowsConfig | None = Field(
        None,
        description="cut a long table (entity, time, values) into rows of series with a future target",
    )

    @pydantic.model_validator(mode="after")
    def _order_once(self) -> Self:
        same = str.casefold if self.labels == "fold_case" else str
        for name, labels in self.order.items():
            counts = Counter(same(label.strip()) for label in labels)
            if twice := [label for label in labels if counts[same(label.strip())] > 1]:
                raise ValueError(f"table.order lists {twice[0]!r} several times for {name!r}; list each label once")
        return self

    @pydantic.model_validator(mode="after")
    def _part_marks(self) -> Self:
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(f"table.decimal and table.thousands must differ; both are {self.decimal!r}")
        return self
