"""What a modality or a task thinks of a column."""

from __future__ import annotations

from dataclasses import dataclass

UNSURE = 0.7  # below this confidence a guess is shown with a caution


@dataclass(frozen=True)
class Guess:
    """A claim: "this column is mine".

    Attributes:
        confidence: 0 to 1; the largest claim wins. A claim of 0 is none: its caution says why the column is not taken,
            though it looks like one, and is shown with a claim that is not sure.
        reason: why, as a person would say it ("412 of 412 values end in .png").
        caution: what may be wrong with the claim; shown to the user.
    """

    confidence: float
    reason: str
    caution: str = ""


@dataclass(frozen=True)
class ColumnPlan:
    """What becomes of one column.

    Attributes:
        name: the column.
        modality: registered name; None where the column is left out.
        reason: why.
        caution: what the user should look at; empty where the guess is safe.
        confidence: 0 to 1.
        view_of: the column whose cells it reads, where it has none of its own.
    """

    name: str
    modality: str | None
    reason: str
    caution: str = ""
    confidence: float = 1.0
    view_of: str = ""
