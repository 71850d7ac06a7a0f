"""Settings of the table: how it is read, and what it is made into before its schema is read."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field, NonNegativeInt, PositiveInt

from sensorium.config._types import CALLER_ONLY, Names, Strict, Words

WINDOW_SPAN = ("window_start", "target_time")  # columns of windows: from when to when a row reaches
WINDOW_SINCE = "since"


class WindowsConfig(Strict):
    """A long table (entity, time, values) cut into rows: the last steps as series, a later value as target.

    Where the settings name no split, the rows are split by time, and those whose target lies within the windows of a
    later split are left out.
    """

    entity: str | None = Field(None, description="column that says whose a row is; without it all are of one")
    time: str = Field(description="column that orders an entity's rows: dates or numbers")
    values: Names = Field(description="columns of numbers that become series of the last steps")
    target: str = Field(description="column whose later value is predicted; it is called TARGET_ahead")
    length: PositiveInt = Field(description="steps of a series, the present one included")
    horizon: PositiveInt = Field(1, description="steps from the present one to the target")
    predict: Literal["value", "change", "return", "rises"] = Field(
        "value", description="of the target: as it is, its difference or share of growth from now, whether it grows"
    )
    every: PositiveInt = Field(1, description="take one window of an entity in so many")
    since: bool = Field(False, description="one more series: the time since the step before")

    @property
    def answer(self) -> str:
        """The target's name in the rows that are made."""
        return f"{self.target}_ahead"

    @property
    def series(self) -> list[str]:
        """The series in the rows that are made."""
        return [*self.values, *([WINDOW_SINCE] if self.since else [])]


class RemoteConfig(Strict):
    """Fetching tables, and files that their cells name, from behind addresses."""

    redirects: bool = Field(False, description="follow redirects to another host")
    private: bool = Field(
        False, description="let cells and redirects lead to this machine and to private networks, by name or number"
    )
    gigabytes: Annotated[float, Field(gt=0)] = Field(8.0, description="a larger file is not fetched")
    seconds: Annotated[float, Field(gt=0)] = Field(3600.0, description="fetching one file may take so long")


class TableConfig(Strict):
    """How the source is read."""

    encoding: str = Field("utf-8", description="text encoding of CSV and JSON Lines files")
    separator: str | None = Field(
        None, description="CSV field separator, or none (one column); found in the first lines by default"
    )
    skip_rows: NonNegativeInt = Field(0, description="lines above the header of a CSV file or a sheet that are skipped")
    comment: str | None = Field(None, description="CSV lines that begin with it are skipped, such as #")
    quotes: Literal["double", "backslash", "none"] | None = Field(
        None,
        description="how a quote in a quoted CSV cell is written (none: quotes are ordinary characters); found in the "
        "file by default",
    )
    missing: Words = Field(
        [""],
        description="spellings of a missing cell, which numbers and dates of the same value are too; words such as n/a "
        "among numbers are missing in any case",
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="decimal mark of numbers; read off each column by default"
    )
    thousands: Literal["", ".", ",", " ", "'"] | None = Field(
        None, description="mark between groups of three digits; read off each column by default"
    )
    currency: str | None = Field(
        None, description="the currency to read where a column has several, such as USD; others are missing"
    )
    censored: Literal["limit", "missing"] = Field(
        "limit", description="what <5 becomes: the limit, with a column NAME.censored (-1 below, 1 above), or missing"
    )
    labels: Literal["exact", "fold_case"] = Field(
        "exact", description="of a target: fold_case makes one label of those that differ only in case"
    )
    query: Annotated[str | None, CALLER_ONLY] = Field(
        None, description="of a database: a table's name, or SQL that selects rows"
    )
    query_seconds: Annotated[float, Field(gt=0), CALLER_ONLY] = Field(
        300.0, description="how long a query of a database may take"
    )
    lists: dict[str, Annotated[list[str], Field(min_length=2)]] = Field(
        {}, description="new column → columns whose cells become its lists, such as place → [lat, lon]"
    )
    targets: dict[str, Annotated[list[str], Field(min_length=2)]] = Field(
        {}, description="new column → targets that one model learns together; --target a --target b makes it"
    )
    allow_outside: Annotated[bool, CALLER_ONLY] = Field(
        False, description="let file cells point outside the table's folder"
    )
    remote: Annotated[RemoteConfig, CALLER_ONLY] = RemoteConfig()
    series: dict[str, Names] = Field(
        {}, description="series → the columns that are its steps (t* is t0, t1 …), or lists that are its channels"
    )
    windows: WindowsConfig | None = Field(None, description="cut a long table into rows of series with a later target")

    @pydantic.model_validator(mode="after")
    def _part_marks(self) -> Self:
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}: no number could be read")
        return self
