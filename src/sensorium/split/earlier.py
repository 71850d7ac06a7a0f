"""Rows that an earlier model, such as the start model, was trained on; they stay in the training part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sensorium.findings import Problem, count
from sensorium.split._codes import SPLITS, Codes
from sensorium.split._deal import Rules, Shares
from sensorium.table import Floats, Rows

ENOUGH = 0.5  # of the requested validation and test rows: with fewer new rows, they are drawn from all rows
HELD = ("test", "validation")  # in the order of reports
OVERESTIMATE = "the metrics overestimate performance on new rows"


@dataclass(frozen=True, eq=False)
class EarlierRows:
    """Training rows of earlier models in a table.

    Attributes:
        weights: float64[n]; the number of training rows that each row stands for, 0 if it is not known as one. It is
            above 1 if the model keeps hashes of a sample of its training rows.
        model: the earlier models, in words.
        redealt: whether the known rows were moved to the training part.
    """

    weights: Floats
    model: str = "the start model"
    redealt: bool = False

    @classmethod
    def at(cls, rows: Sequence[int], total: int) -> EarlierRows:
        """Return known rows by their positions in a table of `total` rows."""
        weights = np.zeros(total)
        weights[list(rows)] = 1.0
        return cls(weights)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether a row is known as a training row."""
        return self.weights > 0

    def estimate(self, rows: Rows) -> float:
        """Estimate how many of the rows are training rows, including those without a kept hash."""
        if not self.redealt:
            return float(min(self.weights[rows].sum(), len(rows)))
        known = self.known
        hidden = (self.weights.sum() - known.sum()) / max(1, (~known).sum())
        return float(known[rows].sum() + min(1.0, hidden) * (~known[rows]).sum())

    def share(self, rows: Rows) -> str:
        """Describe how many of the rows are training rows; empty if none are."""
        found, exact = self.estimate(rows), bool(np.isin(self.weights, (0.0, 1.0)).all())
        if exact:
            return f"{found:,.0f} of {len(rows):,}" if found else ""
        share = found / max(1, len(rows))
        return f"about {share:.0%} of {len(rows):,}" if share >= 0.005 else ""


def deal_again(
    rules: Rules, rows: Rows, shares: Shares, dealt: Codes, earlier: EarlierRows, *, step: int = 1
) -> tuple[Codes, EarlierRows]:
    """Draw validation and test rows from new rows only, if the first draw took training rows of earlier models.

    Groups stay whole. Times fix the split, and too few new rows leave it as it is.

    Args:
        rules: the table and the settings.
        rows: rows that are split.
        shares: fractions of validation and test.
        dealt: the first draw.
        earlier: training rows of earlier models.
        step: as in `Rules.deal`.
    """
    known = earlier.known[rows]
    if rules.config.time or not (known & (dealt > 0)).any():
        return dealt, earlier
    if rules.config.group:
        known = np.isin(rules.groups[rows], rules.groups[rows[known]])
    new = rows[~known]
    wanted = np.array(shares) * len(rows)
    if len(new) < max(2.0, ENOUGH * wanted.sum()):
        return dealt, earlier
    validation, test = wanted / max(len(new), wanted.sum())
    codes = np.zeros(len(rows), np.int8)
    codes[~known] = rules.deal(new, (float(validation), float(test)), step=step)
    return codes, replace(earlier, redealt=True)


def new_rows(earlier: EarlierRows | None, rows: Rows) -> tuple[Rows, int | None]:
    """Select the rows on which earlier models can be compared fairly.

    Args:
        earlier: training rows of earlier models.
        rows: rows of the table.

    Returns:
        Positions in `rows` of those that are not known as training rows, of all if there are no others; and how many of
        the selected rows are training rows, None if none are.
    """
    new = np.arange(len(rows))
    if earlier is None:
        return new, None
    unseen = np.flatnonzero(~earlier.known[rows])
    hidden = earlier.estimate(rows) - len(rows) + len(unseen)
    if len(unseen):
        return unseen, max(0, round(hidden)) or None
    return new, len(new)


def earlier_findings(earlier: EarlierRows, codes: Codes, column: str | None, time: str | None) -> list[Problem]:
    """Report validation and test rows that earlier models were trained on."""
    held = {name: np.flatnonzero(codes == SPLITS.index(name)) for name in HELD}
    parts = [f"{share} {name} rows" for name, rows in held.items() if (share := earlier.share(rows))]
    if not parts:
        return []
    cure = "use rows that it was not trained on for validation and test"
    if column:
        cure = f"name other rows as validation and test rows in column {column!r}"
    reason = f"{earlier.model} was trained on {' and '.join(parts)}: {OVERESTIMATE}"
    return [Problem(None, column or time or "", reason, cure)]


def kept_words(earlier: EarlierRows | None) -> str:
    """Describe for the report that rows were kept in the training part."""
    if earlier is None or not earlier.redealt:
        return ""
    return f"; {count(int(earlier.known.sum()), 'training row')} of {earlier.model} kept in training"
