"""Read the cells of a column of dates as seconds since 1970, as training settled it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from sensorium.config import set_option
from sensorium.findings import Problem, shorten
from sensorium.modalities._date_problems import MISSING, UnfitDates, swapped_order
from sensorium.modalities._stamp_units import NAMES, POSSIBLE, Unit
from sensorium.modalities._stamps import as_floats
from sensorium.modalities._zones import zone_problems
from sensorium.table import (
    DATE_ORDERS,
    SECONDS_PER_UNIT,
    Column,
    Floats,
    SpeltDates,
    Truths,
    as_seconds,
    read_dates,
    spelt_moments,
)

Seconds: TypeAlias = Floats


@dataclass(frozen=True)
class DateReader:
    """Reader of dates.

    Attributes:
        order, pivot, unit, zoned, missing: as of the modality `Date`.
        doubtful: whether the order of some training cells is ambiguous.
    """

    order: str
    pivot: int
    unit: Unit | Literal[""]
    zoned: bool | None
    missing: Sequence[str]
    doubtful: bool

    def read(self, column: Column) -> tuple[Seconds, list[Problem]]:
        """Return seconds since 1970 of each cell, NaN if missing, and the cells that are not dates."""
        seconds, problems = self._read(column)
        codes = [moment.replace(tzinfo=UTC).timestamp() for moment in spelt_moments(self.missing)]
        seconds[np.isin(seconds, codes)] = np.nan
        return seconds, problems

    def _read(self, column: Column) -> tuple[Seconds, list[Problem]]:
        if column.is_date:
            return as_seconds(column.data), zone_problems(column, None, self.zoned)
        if pa.types.is_nested(column.data.type):
            lists = [Problem(int(row), column.name, MISSING) for row in np.flatnonzero(column.present)]
            return np.full(len(column), np.nan), lists
        cells = column.strings
        dates = read_dates(cells)
        moments, lone = self._moments(dates)
        seconds = np.asarray(dates.of_cells(moments, np.nan), dtype=np.float64)
        counted = np.full(len(column), np.nan)
        if self.unit:
            counted = as_floats(column.data) * SECONDS_PER_UNIT[self.unit]
            possible = (counted >= POSSIBLE[0]) & (counted <= POSSIBLE[1])
            seconds = np.where(np.isfinite(counted), np.where(possible, counted, np.nan), seconds)
        odd = np.flatnonzero((dates.places >= 0) & (~np.isfinite(seconds) | dates.of_cells(lone, False).astype(bool)))
        problems = zone_problems(column, dates, self.zoned)
        unfit = UnfitDates(dates, self.order, self.pivot)
        problems += [self._problem(int(row), column.name, cells[int(row)].as_py(), unfit, counted) for row in odd]
        swapped = swapped_order(column.name, dates, moments, order=self.order, pivot=self.pivot, doubtful=self.doubtful)
        return seconds, [*swapped, *problems]

    def _moments(self, dates: SpeltDates) -> tuple[Seconds, Truths]:
        """Return float64[u]: seconds of each text; bool[u]: texts whose order no training cell shows, but that fit only
        one order, in which they are read.
        """
        moments = dates.moments(self.order, self.pivot)
        if self.order or not dates.loose.any():
            return moments, np.zeros(len(moments), np.bool_)
        readings = np.stack([dates.moments(order, self.pivot) for order in DATE_ORDERS])
        lowest = np.where(np.isfinite(readings), readings, np.inf).min(0)
        highest = np.where(np.isfinite(readings), readings, -np.inf).max(0)
        lone = dates.loose & (lowest == highest)  # 05/05/2021 is the same day in both orders
        return np.where(lone, lowest, moments), lone

    def _problem(self, row: int, name: str, text: str, unfit: UnfitDates, counted: Seconds) -> Problem:
        """Explain why a cell is missing, or is read although its order is not known from training."""
        if np.isfinite(counted[row]):
            reason = f"not plausible as {NAMES[self.unit]} since 1970: read as missing"
            cure = " or ".join(set_option(name, "unit", unit) for unit in SECONDS_PER_UNIT if unit != self.unit)
        else:
            reason, cure = unfit.explain(int(unfit.dates.places[row]))
        return Problem(row, name, reason, cure, shorten(text))
