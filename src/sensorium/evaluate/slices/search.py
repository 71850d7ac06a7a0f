"""Search for slices with a higher loss than the other rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sensorium.evaluate._slice_results import SliceSearch, WorseSlice
from sensorium.evaluate.slices.candidates import Candidates, SliceName, list_candidates
from sensorium.evaluate.slices.cuts import Cut
from sensorium.evaluate.slices.losses import loss_name, row_losses
from sensorium.evaluate.slices.maxima import compare_slices
from sensorium.evaluate.slices.scores import score_slice
from sensorium.metrics import Outcome
from sensorium.table import Floats, Rows, Truths

MAX_FOUND = 5  # slices that are reported
MAX_P = 0.025  # p-value below which a slice is reported: one side of a 95% interval


class WorstSlice(NamedTuple):
    """Slice with the most significant loss among the tested rows.

    Attributes:
        name: its columns and values.
        rows: bool[n], its rows.
        tested: number of its rows that were tested, those in no slice before.
        loss, elsewhere: mean loss of these, and of the other tested rows.
        p: p-value, corrected for all slices.
    """

    name: SliceName
    rows: Truths
    tested: int
    loss: float
    elsewhere: float
    p: float


def search_slices(outcome: Outcome, cuts: Sequence[Cut], names: Sequence[str], metric: str) -> SliceSearch:
    """Find slices of columns and pairs of columns whose mean loss is higher than that of the other rows.

    Args:
        outcome: outcome of all rows.
        cuts: slices of these rows.
        names, metric: as in `score_cut`.
    """
    every = list_candidates(cuts, outcome.groups, len(outcome))
    tested = worst_slices(every, row_losses(outcome), outcome.groups)
    scored = [
        WorseSlice(score_slice(outcome, own.rows, own.name, names, metric), own.loss, own.elsewhere, own.tested, own.p)
        for own in tested
    ]
    found = [worse for worse in scored if worse.p < MAX_P]
    last = scored[-1] if len(scored) > len(found) else None
    return SliceSearch(loss_name(outcome), len(every), [cut.column for cut in cuts], every.least, found, last)


def worst_slices(
    candidates: Candidates, losses: Floats, groups: Rows | None = None, *, seed: int = 0
) -> list[WorstSlice]:
    """Return slices with a higher loss, and last the most significant one whose p-value is not below 0.025.

    All slices are tested at once (`compare_slices`). If the most significant one has a corrected p-value below 0.025,
    its rows are removed, and the search is repeated: so a slice is not reported because it overlaps with one that was
    reported before. If no slice is worse, the probability of reporting one is 2.5%.

    Args:
        candidates: slices of n rows.
        losses: float64[n].
        groups: int64[n] group of each row; None if the rows are independent.
        seed: random seed of the permutations.
    """
    keep, found = np.ones(len(losses), bool), list[WorstSlice]()
    while len(found) < MAX_FOUND and (len(found) == 0 or found[-1].p < MAX_P):
        left = candidates.within(keep, groups)
        if not len(left):
            break
        test = compare_slices(left.rows, losses[keep], None if groups is None else groups[keep], seed)
        place = int(test.statistics.argmax())
        inside = left.rows[[place]].toarray()[0] > 0
        rows = candidates.rows_of(left.names[place])
        own = losses[keep]
        means = float(own[inside].mean()), float(own[~inside].mean())
        found.append(WorstSlice(left.names[place], rows, int(inside.sum()), *means, float(test.p[place])))
        keep &= ~rows
    return found
