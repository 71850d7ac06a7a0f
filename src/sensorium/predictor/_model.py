"""A fitted model: predict, evaluate, adapt, quantize, save."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sensorium.adaptation import DEFAULT, adapt_bundle
from sensorium.artifact import save_fitted
from sensorium.errors import ConfigError, SchemaError
from sensorium.errors.memory import explain_memory_errors
from sensorium.evaluate import Evaluation, Names, Subsets, evaluate_outcome, plan_subsets, score_subsets
from sensorium.findings import Problems
from sensorium.metrics import metrics_of
from sensorium.model import SMALLEST_QUANTIZED, FittedModel, quantize
from sensorium.predictor._predictions import Predictions
from sensorium.predictor._splits import is_fitted_on, rows_of
from sensorium.predictor._tables import open_rows, prepare_chunks
from sensorium.prepare import at_rows
from sensorium.runtime.progress import Reporter, reporter
from sensorium.split import find_seen
from sensorium.table import Table
from sensorium.tasks import no_known_label
from sensorium.wording import public_card

LESS = "give it fewer rows at a time, or use a machine with more memory (see `ulimit -v`)"
REMOVED = {
    "predict_table": "call model.predictions(table).to_arrow()",
    "problems": "model.predictions(table).problems has those of a table, model.fit_problems those of the fit",
    "report": "pass progress=True to the method",
}


class _Scored(NamedTuple):
    """Scores of the rows of a table, the columns with a value in each, and problems."""

    scores: npt.NDArray[np.float64]
    present: dict[str, npt.NDArray[np.bool_]]
    problems: Problems


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A fitted model. It never changes, and may be used by several threads at once.

    Attributes:
        bundle: what it is made of.
        test: how the model did on the fit's test rows; None without such rows, and on a loaded model (see `card`).
        fit_problems: cells and columns that could not be taken as they were when it was fitted or adapted; empty on a
            loaded model.

    Example:
        >>> model = sensorium.fit("films.csv", "genre", epochs=2, progress=False)
        >>> model.predict("new_films.csv").shape
        (5,)
    """

    bundle: FittedModel
    test: Evaluation | None = None
    fit_problems: Problems = field(default_factory=Problems)

    def __getattr__(self, name: str) -> Any:
        if name in REMOVED:
            raise AttributeError(f"Model.{name} was removed: {REMOVED[name]}")
        raise AttributeError(f"'Model' object has no attribute {name!r}")

    @property
    def target(self) -> str:
        """The name of the column that is predicted.

        Example:
            >>> model.target
            'genre'
        """
        return self.bundle.target

    @property
    def task(self) -> str:
        """The registered name of the task.

        Example:
            >>> model.task
            'multiclass'
        """
        return self.bundle.task_name

    @property
    def columns(self) -> dict[str, str]:
        """Column → modality.

        Example:
            >>> model.columns
            {'plot': 'text', 'length': 'number', 'studio': 'category'}
        """
        return dict(self.bundle.kinds)

    @property
    def fusion(self) -> str:
        """The registered name of the fusion.

        Example:
            >>> model.fusion
            'concat'
        """
        return self.bundle.blueprint.fusion

    @property
    def labels(self) -> list[Any]:
        """The classes or labels, in the order of `predict_proba`'s columns; empty for regression.

        Example:
            >>> model.labels
            ['class_0', 'class_1', 'class_2']
        """
        return list(self.bundle.task.labels)

    @property
    def card(self) -> dict[str, Any]:
        """The model card: how the model came about, as a dict of JSON values: rows, split, metrics, findings.

        `bundle.card` and `bundle.data` have the same as typed records.

        Example:
            >>> model.card["rows"]
            {'train': 72, 'validation': 9, 'test': 9}
        """
        return public_card(self.bundle.card, self.bundle.data)

    @property
    def history(self) -> list[dict[str, Any]]:
        """One entry per epoch of training: losses, the watched metric, the learning rate. A copy.

        Example:
            >>> [epoch["number"] for epoch in model.history]
            [1, 2]
        """
        return [epoch.to_json() for epoch in self.bundle.card.history.epochs]

    def describe(self) -> list[dict[str, str]]:
        """Describe each column: its modality and what was learned of it.

        Example:
            >>> for column in model.describe():
            ...     print(column["name"], "is", column["modality"])
            plot is text
            length is number
            studio is category
        """
        learnt = self.bundle.learnt.items()
        return [{"name": name, "modality": self.columns[name], "learnt": what.describe()} for name, what in learnt]

    @explain_memory_errors(LESS)
    def predict(self, table: Any, *, progress: bool = False) -> npt.NDArray[Any]:
        """Predict labels as spelled in the training table, or values; one dict per row for several targets; [n].

        Args:
            table: anything that `fit` takes, or a dict of cells, which is one row; columns and cells may be missing,
                the target needn't be there.
            progress: print the progress to stderr.

        Example:
            >>> model.predict("new_films.csv").shape
            (5,)
            >>> answer = model.predict({"plot": "a heist in space", "length": 92})  # one row; `studio` is missing
            >>> answer[0] in model.labels
            True
        """
        report = reporter(progress)
        return self._decode(self._score(open_rows(self.bundle, table, report), report).scores)

    @explain_memory_errors(LESS)
    def predict_proba(self, table: Any, *, progress: bool = False) -> npt.NDArray[np.float64]:
        """Predict probabilities [n, k] of classes or labels, in the order of `labels`.

        With several targets, columns of numeric targets hold predicted values.

        Args:
            table, progress: as for `predict`.

        Raises:
            SchemaError: the task has no probabilities (regression).

        Example:
            >>> probabilities = model.predict_proba("new_films.csv")
            >>> probabilities.shape, probabilities.dtype
            ((5, 3), dtype('float64'))
            >>> bool(np.allclose(probabilities.sum(1), 1))
            True
        """
        if not self.labels:
            raise SchemaError(f"{self.task} has no probabilities", cure="use predict, which returns the values")
        report = reporter(progress)
        return self._score(open_rows(self.bundle, table, report), report).scores

    @explain_memory_errors(LESS)
    def predictions(self, table: Any, *, progress: bool = False) -> Predictions:
        """Predict with scores, and with the problems of each row.

        Args:
            table, progress: as for `predict`.

        Example:
            >>> found = model.predictions({"plot": ["a heist in space", None], "length": [92, 118]})
            >>> found.values.shape, found.scores.shape
            ((2,), (2, 3))
            >>> found.present["plot"].tolist()
            [True, False]
        """
        report = reporter(progress)
        opened = open_rows(self.bundle, table, report)
        scores, present, problems = self._score(opened, report)
        windows = self.bundle.config.table.windows
        whose = [name for name in (windows.entity, windows.time) if name is not None] if windows else []
        answers = self.bundle.task.answers(scores)
        taken = {"row", "problem", *answers}
        columns = {"row": np.arange(len(opened))}
        columns |= {f"{name}_" if name in taken else name: opened.column(name).data for name in whose}
        absent = {name for name in self.bundle.learnt if name not in opened}
        return Predictions(
            values=self._decode(scores),
            scores=scores,
            labels=tuple(self.labels),
            present=present,
            problems=problems,
            _columns=columns | answers,
            _lacking=tuple(f"{p.column}: {p.reason}" for p in problems.whole() if p.column in absent),
        )

    @explain_memory_errors(LESS)
    def evaluate(
        self, table: Any, split: str | None = None, *, subsets: bool = False, progress: bool = False
    ) -> Evaluation:
        """Compute metrics with bootstrap 95% intervals.

        Args:
            table: rows with labels.
            split: `train`, `validation`, `test` or `all`; by default the test rows where they are known (a split
                column, or the very table of the fit), else all rows.
            subsets: score the model with fewer modalities too: every subset of up to four, of more each alone, all but
                one and all; up to six, how much each of them brings (Shapley value of the watched metric).
            progress: print the progress to stderr.

        Raises:
            SchemaError: the split is not known, has no rows, no row has a label, or subsets are asked of one modality.

        Example:
            >>> found = model.evaluate("films.csv", "test")
            >>> found.n
            9
            >>> low, high = found.intervals["accuracy"]
            >>> 0 <= low <= found.metrics["accuracy"] <= high <= 1
            True
        """
        report = reporter(progress)
        asked = self._subsets() if subsets else []
        opened = open_rows(self.bundle, table, report)
        rows, words = rows_of(self.bundle, opened, split)
        part, problems = opened.take(rows), Problems()
        if split != "train" and not is_fitted_on(self.bundle, opened):
            problems.extend(find_seen(self.bundle.seen, part, self.bundle.row_cells))
        if asked:
            fewer, there, found = self._score_each(part, asked, report)
            scores = fewer[-1]
        else:
            scores, _, found = self._score(part, report)
        target = self.bundle.task.encode(part.column(self.target))
        problems.extend([*found, *target.problems])
        known = np.flatnonzero(target.known)
        if not len(known):
            raise no_known_label(self.bundle.task, part.column(self.target), target, words)
        outcome = self.bundle.task.outcome(scores[known], target.values[known])
        scored = evaluate_outcome(outcome, metrics_of(self.task))
        less = self._score_subsets(asked, fewer[:, known], there[:, known], target.values[known]) if asked else None
        return replace(scored, problems=at_rows(problems, rows), rows=words, subsets=less)

    def _subsets(self) -> list[Names]:
        towers = list(dict.fromkeys(name for member in self.bundle.members for name in member.towers))
        if len(towers) < 2:
            raise SchemaError(
                f"the model has one modality only: {towers[0]}", rule="removing modalities needs two or more"
            )
        return plan_subsets(towers)

    def _score_subsets(
        self,
        asked: list[Names],
        scores: npt.NDArray[np.float64],
        there: npt.NDArray[np.bool_],
        truth: npt.NDArray[Any],
    ) -> Subsets:
        task = self.bundle.task
        outcomes = {subset: task.outcome(own, truth) for subset, own in zip(asked, scores, strict=True)}
        prior = task.outcome(np.broadcast_to(np.array(self.bundle.prior), scores[0].shape).copy(), truth)
        rows = {subset: int(own.sum()) for subset, own in zip(asked, there, strict=True)}
        return score_subsets(outcomes, rows, prior, self.bundle.config.train.metric or task.watch)

    @explain_memory_errors(LESS)
    def adapt(
        self, table: Any, method: str = DEFAULT, *, seed: int = 0, progress: bool = False, **options: Any
    ) -> Model:
        """Adapt the model to rows of another domain without their labels, and return the adapted model.

        Its card shows how it changed: `card["moved"]`. Labels of the table are used for that report only.

        Args:
            table: anything that `fit` takes.
            method: registered name; see `sensorium list adaptations`.
            seed: of the order of rows, where the method has one.
            progress: print the progress to stderr.
            **options: of the method.

        Raises:
            ConfigError: unknown method or options; the model has nothing that the method could change.

        Example:
            >>> from pathlib import Path
            >>> from sensorium.testing import make_table
            >>> photos = make_table(Path("photos"), rows=40, modalities=["image"])
            >>> model = sensorium.fit(photos, "label", epochs=1, progress=False)
            >>> adapted = model.adapt(photos, method="adabn")
            >>> adapted.predict(photos).shape
            (40,)
        """
        report = reporter(progress)
        opened = open_rows(self.bundle, table, report)
        bundle, problems = adapt_bundle(self.bundle, opened, method, options, seed=seed, report=report)
        return Model(bundle, fit_problems=problems)

    def save(self, path: str | Path) -> None:
        """Save the model as a folder, or as one file if the path ends in `.zip`.

        Example:
            >>> model.save("films.zip")
            >>> again = sensorium.load("films.zip")
            >>> bool(np.array_equal(again.predict("new_films.csv"), model.predict("new_films.csv")))
            True
        """
        save_fitted(self.bundle, Path(path))

    @property
    def weight_bytes(self) -> int:
        """Size of the weights of all members in bytes.

        Example:
            >>> model.weight_bytes > 0
            True
        """
        return sum(value.nbytes for member in self.bundle.members for value in member.weights().values())

    def quantize(self) -> Model:
        """Return the model with large weight matrices quantized to int8, for CPUs: smaller, and often faster.

        Predictions change a little: evaluate both models on the rows that matter.

        Raises:
            ConfigError: no matrix is large enough, the model is already quantized, or it is an ensemble.

        Example:
            >>> small = model.quantize()
            >>> small.weight_bytes < model.weight_bytes
            True
        """
        if self.bundle.int8:
            raise ConfigError("the model is already quantized", place=repr(self))
        if self.bundle.others:
            raise ConfigError("quantizing an ensemble is not supported", place=repr(self))
        network = copy.deepcopy(self.bundle.network).cpu().eval()
        names = quantize(network)
        if not names:
            rule = f"a weight matrix has {SMALLEST_QUANTIZED:,} elements or more"
            raise ConfigError("nothing to quantize: every weight matrix is too small", place=repr(self), rule=rule)
        card = self.bundle.card.updated(int8=len(names))
        return Model(replace(self.bundle, network=network, int8=names, card=card))

    def __repr__(self) -> str:
        towers = ", ".join(tower.name for tower in self.bundle.blueprint.towers)
        others = f" and {len(self.bundle.others)} more" if self.bundle.others else ""
        return f"<sensorium.Model: {self.task} of {self.target!r} from {towers} by {self.fusion}{others}>"

    def _decode(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        task = self.bundle.task
        answers = list(task.decode(task.predicted(scores)))
        if answers and isinstance(answers[0], list):
            labels = np.empty(len(answers), dtype=object)
            labels[:] = answers
            return labels
        return np.array(answers)

    def _score(self, table: Table, report: Reporter) -> _Scored:
        problems, scores, present = Problems(), [], []
        for prepared in prepare_chunks(self.bundle, table, problems, report):
            scores.append(self.bundle.scores(prepared))
            present.append({name: encoded.present for name, encoded in prepared.columns.items()})
        joined = {name: np.concatenate([chunk[name] for chunk in present]) for name in self.bundle.learnt}
        return _Scored(np.concatenate(scores), joined, problems)

    def _score_each(
        self, table: Table, asked: list[Names], report: Reporter
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], Problems]:
        """Score with each subset of the modalities, [subsets, n, ...]; also return which rows have any of a subset."""
        problems = Problems()
        chunks = prepare_chunks(self.bundle, table, problems, report)
        found = [self.bundle.subset_scores(prepared, asked) for prepared in chunks]
        scores, there = (np.concatenate(parts, 1) for parts in zip(*found, strict=True))
        return scores, there, problems
