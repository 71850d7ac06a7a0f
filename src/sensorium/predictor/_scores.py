"""Score the rows of a table with a fitted model, with all of its modalities or with subsets of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.conformal import Presence
from sensorium.errors import ArtifactError
from sensorium.evaluate import Names, Subsets, score_subsets
from sensorium.findings import Problems, count
from sensorium.metrics import Outcome
from sensorium.model import FittedModel
from sensorium.predictor._tables import prepare_chunks
from sensorium.prepare import Prepared
from sensorium.runtime.progress import Reporter
from sensorium.runtime.threads import Threads, torch_threads
from sensorium.table import Table
from sensorium.tasks import watched_metric

OnChunk: TypeAlias = Callable[[Prepared], None]


def ignore_chunk(_: Prepared) -> None:
    """Do nothing with prepared columns."""


class Scores(NamedTuple):
    """Scores of the rows of a table, the rows with a value in each column, and problems."""

    scores: npt.NDArray[np.float64]
    present: dict[str, npt.NDArray[np.bool_]]
    problems: Problems


class SubsetScores(NamedTuple):
    """Scores with each subset of the modalities, [subsets, n, ...]; rows that have any of its modalities; problems."""

    scores: npt.NDArray[np.float64]
    present: npt.NDArray[np.bool_]
    problems: Problems


def score_rows(fitted: FittedModel, table: Table, report: Reporter, on_chunk: OnChunk = ignore_chunk) -> Scores:
    """Score the rows of a table, which `open_rows` opened.

    Args:
        fitted: the model.
        table: the rows.
        report: logs progress.
        on_chunk: is called with the prepared columns of each chunk of rows.

    Raises:
        ArtifactError: a score is not finite.
    """
    problems, scores, present = Problems(), [], []
    for prepared in prepare_chunks(fitted, table, problems, report):
        with report.phase("predicting"), torch_threads(choose_threads(fitted, prepared)):
            scores.append(fitted.scores(prepared))
            on_chunk(prepared)
        present.append({name: encoded.present for name, encoded in prepared.columns.items()})
    scores = scores or [fitted.prior_scores(0)]
    present = present or [{name: np.zeros(0, bool) for name in fitted.learnt}]
    joined = {name: np.concatenate([chunk[name] for chunk in present]) for name in fitted.learnt}
    return Scores(_checked(np.concatenate(scores)), joined, problems)


def score_rows_with_subsets(
    fitted: FittedModel, table: Table, subsets: list[Names], report: Reporter, on_chunk: OnChunk = ignore_chunk
) -> SubsetScores:
    """Score the rows of a table with each subset of the modalities; `on_chunk` as for `score_rows`.

    Raises:
        ArtifactError: a score is not finite.
    """
    problems, parts = Problems(), []
    for prepared in prepare_chunks(fitted, table, problems, report):
        with (
            report.phase(f"predicting with {len(subsets)} subsets of the modalities"),
            torch_threads(choose_threads(fitted, prepared)),
        ):
            parts.append(fitted.subset_scores(prepared, subsets))
            on_chunk(prepared)
    scores, present = (np.concatenate(arrays, 1) for arrays in zip(*parts, strict=True))
    _checked(np.moveaxis(scores, 1, 0))
    return SubsetScores(scores, present, problems)


def presence_of(subsets: list[Names], present: npt.NDArray[np.bool_]) -> Presence:
    """Return which modalities rows have, from the subsets of one modality among those of `SubsetScores`."""
    alone = [place for place, subset in enumerate(subsets) if len(subset) == 1]
    return Presence(tuple(subsets[place][0] for place in alone), present[alone].T)


def _checked(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the scores [n, ...] of rows, all of which are finite: those of a file that was altered may not be."""
    wrong = np.flatnonzero(~np.isfinite(scores).all(axis=tuple(range(1, scores.ndim))))
    if len(wrong):
        raise ArtifactError(
            f"the scores of {count(len(wrong), 'row')} are not finite, the first of which is row {wrong[0]}",
            rule="a model predicts finite numbers; one that does not was altered or is damaged",
            cure="load it from a copy, or fit it again",
        )
    return scores


def choose_threads(fitted: FittedModel, prepared: Prepared) -> int:
    """Return the number of threads to predict rows with: one for a few rows, unless the network is large.

    The setting `threads` of the fit is of another machine, perhaps, and does not count.
    """
    threads = Threads.choose("auto")
    if threads.exact or threads.most == 1 or fitted.device.type != "cpu":
        return threads.most
    with torch_threads(1):
        return threads.for_work(fitted.work(prepared))


def evaluate_subsets(
    fitted: FittedModel,
    subsets: list[Names],
    scores: npt.NDArray[np.float64],
    present: npt.NDArray[np.bool_],
    whole: Outcome,
) -> Subsets:
    """Compute the watched metric of each subset of the modalities.

    Args:
        fitted: the model.
        subsets: names of modalities.
        scores: [subsets, n, ...], as in `SubsetScores`.
        present: [subsets, n], as in `SubsetScores`.
        whole: outcome with all modalities, which has the truth and groups of the rows.
    """
    task = fitted.task
    outcomes = {
        subset: task.outcome(own, whole.truth).grouped(whole.groups)
        for subset, own in zip(subsets, scores, strict=True)
    }
    prior = task.outcome(fitted.prior_scores(len(whole)), whole.truth).grouped(whole.groups)
    rows = {subset: int(own.sum()) for subset, own in zip(subsets, present, strict=True)}
    return score_subsets(outcomes, rows, prior, watched_metric(fitted.config.train, task))
