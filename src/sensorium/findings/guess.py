"""The claim of a modality or a task on a column."""

from __future__ import annotations

from dataclasses import dataclass

UNSURE = 0.7  # below this confidence a guess is shown with a caution


@dataclass(frozen=True)
class Guess:
    """Claim on a column by a modality or a task.

    Attributes:
        confidence: 0 to 1; the largest claim wins. With 0, the column is not claimed: the caution explains why not, and
            is shown beside an unsure claim of another member.
        reason: the evidence, in words for users ("412 of 412 values end in .png").
        caution: what may be wrong with the claim; shown to the user.
    """

    confidence: float
    reason: str
    caution: str = ""


@dataclass(frozen=True)
class ColumnPlan:
    """Use of one column.

    Attributes:
        name: the column.
        modality: registered name; None if the column is left out.
        reason: the evidence.
        caution: what the user should check; empty if the guess is safe.
        confidence: 0 to 1.
        view_of: the column whose cells a view reads; None for other columns.
    """

    name: str
    modality: str | None
    reason: str
    caution: str = ""
    confidence: float = 1.0
    view_of: str = ""
