"""What a modality or a task thinks of a column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guess:
    """A claim: "this column is mine".

    Attributes:
        confidence: 0 to 1; the largest claim wins. 0 is no claim: its caution goes with that of the winner.
        reason: why, as a person would say it ("412 of 412 values end in .png").
        caution: what may be wrong with the claim; shown to the user.
    """

    confidence: float
    reason: str
    caution: str = ""
