"""Candidates of a blend: fitted models, and what they predict for rows that they did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensorium.model import Member
from sensorium.table import Floats, Rows


@dataclass(frozen=True, eq=False)
class Candidate:
    """Model that may become a member of a blend.

    Attributes:
        name: name for reports, such as `linear (review)`.
        towers: the modalities that it reads.
        scores: scores of all decoded rows, [n, ...]; undefined for rows that are not judged.
        judged: bool[n], whether a row was predicted by a model that did not learn from it.
        member: the fitted model.
    """

    name: str
    towers: Sequence[str]
    scores: Floats
    judged: npt.NDArray[np.bool_]
    member: Member


def candidate_of(name: str, towers: Sequence[str], rows: Rows, scores: Floats, member: Member, count: int) -> Candidate:
    """Return a candidate, with the scores of some rows at their places among all."""
    found, judged = np.zeros((count, *scores.shape[1:])), np.zeros(count, np.bool_)
    found[rows], judged[rows] = scores, True
    return Candidate(name, towers, found, judged, member)
