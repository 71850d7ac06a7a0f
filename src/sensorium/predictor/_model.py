"""Fitted model: predict, evaluate, adapt, quantize, save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.adaptation import DEFAULT, adapt_fitted
from sensorium.artifact import save_fitted
from sensorium.config import FLAG, NAME, NAMES, OPTIONAL_NAME, PATH, PROBABILITY, SEED, check_arguments
from sensorium.errors import SchemaError, list_names
from sensorium.errors.memory import explain_memory_errors
from sensorium.evaluate import Evaluation
from sensorium.findings import Problems
from sensorium.model import FittedModel, plain_fusion
from sensorium.predictor._evaluate import EvaluationRequest, evaluate_rows
from sensorium.predictor._predict import PredictionRequest, decode_scores, predict_rows
from sensorium.predictor._predictions import Predictions
from sensorium.predictor._quantize import quantize_fitted
from sensorium.predictor._regions import CoverageRequest
from sensorium.predictor._scores import score_rows
from sensorium.predictor._slices import SliceRequest
from sensorium.predictor._tables import open_rows
from sensorium.predictor._threshold import GivenThreshold, set_thresholds
from sensorium.registry.failures import explain_member_errors
from sensorium.runtime.progress import Reporter, reporter
from sensorium.wording import public_card

LESS = "use fewer rows at a time, or a machine with more memory (see `ulimit -v`)"
REMOVED = {
    "bundle": "use model.fitted",
    "predict_table": "call model.predictions(table).to_arrow()",
    "problems": "use model.predictions(table).problems or model.fit_problems",
    "report": "pass progress=True to the method",
}


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """Fitted model. It is immutable, and several threads may use it at once.

    Attributes:
        fitted: members, modalities, task and records of the model.
        test: evaluation on the test rows of the fit; None without test rows and for a loaded model (see `card`).
        fit_problems: problems of cells and columns in the fit or the adaptation. A saved model keeps up to 10,000 of
            them, without the values of the cells; models of early versions have none.

    Example:
        >>> model = sensorium.fit("films.csv", "genre", epochs=2, progress=False)
        >>> model.predict("new_films.csv").shape
        (5,)
    """

    fitted: FittedModel
    test: Evaluation | None = None
    fit_problems: Problems = field(default_factory=Problems)

    def __getattr__(self, name: str) -> Any:
        if name in REMOVED:
            raise AttributeError(f"Model.{name} was removed: {REMOVED[name]}")
        raise AttributeError(f"'Model' object has no attribute {name!r}")

    @property
    def target(self) -> str:
        """Name of the target column.

        Example:
            >>> model.target
            'genre'
        """
        return self.fitted.target

    @property
    def task(self) -> str:
        """Registered name of the task.

        Example:
            >>> model.task
            'multiclass'
        """
        return self.fitted.task_name

    @property
    def columns(self) -> dict[str, str]:
        """Column → modality.

        Example:
            >>> model.columns
            {'plot': 'text', 'length': 'number', 'studio': 'category'}
        """
        return dict(self.fitted.kinds)

    @property
    def fusion(self) -> str:
        """Registered name of the fusion of the network, of the first one if there are several.

        Raises:
            ConfigError: the model has no network.

        Example:
            >>> model.fusion
            'concat'
        """
        return self.fitted.blueprint.fusion

    @property
    def members(self) -> list[dict[str, Any]]:
        """Members whose scores are averaged: name, kind (`network` or `estimator`), weight and modalities of each.

        Example:
            >>> model.members
            [{'name': 'network', 'kind': 'network', 'weight': 1.0, 'modalities': ['plot', 'tabular']}]
        """
        return [member.to_json() for member in self.fitted.member_records()]

    @property
    def labels(self) -> list[Any]:
        """Classes or labels, in the order of the columns of `predict_proba`; empty for regression.

        Example:
            >>> model.labels
            ['class_0', 'class_1', 'class_2']
        """
        return list(self.fitted.task.labels)

    @property
    def card(self) -> dict[str, Any]:
        """Model card as a dict of JSON values: rows, split, metrics, findings.

        `fitted.card` and `fitted.data` hold the same as typed records.

        Example:
            >>> model.card["rows"]
            {'train': 72, 'validation': 9, 'test': 9}
        """
        return public_card(self.fitted.card, self.fitted.data)

    @property
    def history(self) -> list[dict[str, Any]]:
        """Copy of the training history: losses, the watched metric and the learning rate of each epoch.

        Example:
            >>> [epoch["number"] for epoch in model.history]
            [1, 2]
        """
        return [epoch.to_json() for epoch in self.fitted.card.history.epochs]

    def describe(self) -> list[dict[str, str]]:
        """Describe each column: its modality and its statistics on the training rows.

        Example:
            >>> for column in model.describe():
            ...     print(column["name"], "is", column["modality"])
            plot is text
            length is number
            studio is category
        """
        learnt = self.fitted.learnt.items()
        return [{"name": name, "modality": self.columns[name], "learnt": what.describe()} for name, what in learnt]

    @explain_memory_errors(LESS)
    @explain_member_errors()
    def predict(self, table: Any, *, progress: bool = False) -> npt.NDArray[Any]:
        """Predict labels or numbers, [n]; with several targets, one dict per row.

        Args:
            table: anything that `fit` takes, or a dict of cells, which is one row; columns and cells may be missing,
                and the target is not needed. A table without rows gives an empty result.
            progress: print the progress to stderr.

        Example:
            >>> model.predict("new_films.csv").shape
            (5,)
            >>> answer = model.predict({"plot": "a heist in space", "length": 92})  # one row; `studio` is missing
            >>> answer[0] in model.labels
            True
        """
        return decode_scores(self.fitted, self._scores(table, progress))

    @explain_memory_errors(LESS)
    @explain_member_errors()
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
        return self._scores(table, progress)

    def _scores(self, table: Any, progress: bool) -> npt.NDArray[np.float64]:
        report = _reporter(progress)
        return score_rows(self.fitted, open_rows(self.fitted, table, report, empty=True), report).scores

    @explain_memory_errors(LESS)
    @explain_member_errors()
    def predictions(
        self,
        table: Any,
        *,
        keep: str | Sequence[str] | None = None,
        out: str | Path | None = None,
        coverage: float | None = None,
        coverage_per: str = "modalities",
        by: str | None = None,
        progress: bool = False,
    ) -> Predictions:
        """Predict labels or numbers, with their scores and the problems of each row.

        Args:
            table, progress: as for `predict`.
            keep: column or columns of the table to copy beside the predictions, such as an id; `"all"` copies every
                column.
            out: the file to which `Predictions.save` will write them, which this method does not. What its format
                cannot hold, such as long text in .xlsx, is then an error before anything is predicted.
            coverage: predict as well a set of classes or labels, or an interval, that contains the truth with this
                probability, such as 0.9 (conformal prediction).
            coverage_per: the rows for which this probability holds: for rows with values of the same `modalities`, for
                rows of each true `class`, or for `all` rows together. Where there are too few calibration rows, it
                holds for all rows together, and `problems` says so.
            by: column whose values name units, such as patients: the scores of the rows of a unit are averaged to one
                prediction. Rows without a value are units of one row.

        Raises:
            ConfigError: the model cannot reach the coverage: it has too few calibration rows, or none; or `by` is set
                as well.
            SchemaError: the table has no column of `keep` or `by`, or no value in the column `by`.
            TableError: the file `out` cannot be written, or cannot hold the columns of `keep` or the rows.

        Example:
            >>> predictions = model.predictions({"plot": ["a heist in space", None], "length": [92, 118]})
            >>> predictions.values.shape, predictions.scores.shape
            ((2,), (2, 3))
            >>> predictions.present["plot"].tolist()
            [True, False]
            >>> sets = model.predictions("new_films.csv", coverage=0.8).to_arrow()["prediction_set"]
            >>> len(sets)
            5
        """
        check_arguments(NAMES, keep=keep)
        check_arguments(PROBABILITY, coverage=coverage)
        check_arguments(NAME, coverage_per=coverage_per)
        names = keep if isinstance(keep, str) else [] if keep is None else list(keep)
        if out is not None:
            check_arguments(PATH, out=out)
        check_arguments(OPTIONAL_NAME, by=by)
        wanted = CoverageRequest.of(self.fitted, coverage, coverage_per, by)
        request = PredictionRequest(names, None if out is None else Path(out), by, wanted)
        return predict_rows(self.fitted, table, _reporter(progress), request)

    @explain_memory_errors(LESS)
    @explain_member_errors()
    def evaluate(
        self,
        table: Any,
        split: str | None = None,
        *,
        metrics: str | Sequence[str] | None = None,
        per_class: bool = False,
        subsets: bool = False,
        slices: str | Sequence[str] | None = None,
        find_slices: bool = False,
        by: str | None = None,
        coverage: float | None = None,
        coverage_per: str = "modalities",
        progress: bool = False,
    ) -> Evaluation:
        """Compute metrics with 95% intervals.

        Args:
            table: rows with labels.
            split: `train`, `validation`, `test` or `all`; by default the test rows if they are known (by a split
                column, or because the table is that of the fit), else all rows.
            metrics: names of metrics to compute in place of the usual ones; `all` for all metrics of the task (see
                `sensorium list metrics`). With several targets, `target.metric` is the metric of one target, and
                `metric` that of each target that it suits.
            per_class: also compute precision, recall, specificity, F1, ROC AUC and average precision of each class
                against the rest.
            subsets: also score the model with subsets of its modalities (ablation). With up to four modalities, all
                subsets are scored; with more, each modality alone and all but one. With up to six, the Shapley value of
                each modality is computed as well.
            slices: column or columns of the table, which the model need not use: also score the rows of each value, or
                of ranges of numbers and dates. `present` stands for the modalities that a row has.
            find_slices: also search for slices with a higher loss than the other rows: values of columns and pairs of
                columns, present modalities, and clusters of texts and files.
            by: column whose values name units, such as patients: the scores of the rows of a unit are averaged to one
                prediction, and metrics and intervals count units. Rows without a value are units of one row.
            coverage: also measure how many of the prediction sets or intervals for this coverage, such as 0.9, contain
                the truth, and how large they are.
            coverage_per: as for `predictions`.
            progress: print the progress to stderr.

        Raises:
            ConfigError: a metric is unknown or does not suit the task, no target has classes, or the model cannot
                reach the coverage: it has too few calibration rows, or none; or `by` is set as well.
            SchemaError: the split is unknown or has no rows, no row has a label, the model has one modality only, the
                table lacks a column of `slices` or `by`, a column has too many different values for slices, or most
                rows are in units whose rows have different labels.

        Example:
            >>> evaluation = model.evaluate("films.csv", "test")
            >>> evaluation.n
            9
            >>> low, high = evaluation.intervals["accuracy"]
            >>> 0 <= low <= evaluation.metrics["accuracy"] <= high <= 1
            True
            >>> [*model.evaluate("films.csv", "test", metrics=["cohen_kappa", "f1_macro"]).metrics]
            ['cohen_kappa', 'f1_macro']
        """
        check_arguments(OPTIONAL_NAME, split=split)
        check_arguments(FLAG, subsets=subsets, per_class=per_class, find_slices=find_slices)
        check_arguments(NAMES, metrics=metrics, slices=slices)
        check_arguments(PROBABILITY, coverage=coverage)
        check_arguments(NAME, coverage_per=coverage_per)
        check_arguments(OPTIONAL_NAME, by=by)
        request = EvaluationRequest(
            metrics=_names(metrics),
            per_class=bool(per_class),
            subsets=bool(subsets),
            slices=SliceRequest(_names(slices), bool(find_slices)),
            by=by,
            coverage=CoverageRequest.of(self.fitted, coverage, coverage_per, by),
        )
        return evaluate_rows(self.fitted, table, split, request=request, report=_reporter(progress))

    @explain_memory_errors(LESS)
    @explain_member_errors()
    def adapt(
        self, table: Any, method: str = DEFAULT, *, seed: int = 0, progress: bool = False, **options: Any
    ) -> Model:
        """Adapt the model to rows of another domain without their labels, and return the adapted model.

        The card of the adapted model has the distribution shift, `card["moved"]`. Labels of the table are only used for
        this report.

        Args:
            table: anything that `fit` takes.
            method: registered name; see `sensorium list adaptations`.
            seed: random seed of the order of rows, if the method uses one.
            progress: print the progress to stderr.
            **options: options of the method.

        Raises:
            ConfigError: the method or an option is unknown, or the method does not support the model.

        Example:
            >>> from pathlib import Path
            >>> from sensorium.testing import make_table
            >>> photos = make_table(Path("photos"), rows=40, modalities=["image"])
            >>> model = sensorium.fit(photos, "label", epochs=1, progress=False)
            >>> adapted = model.adapt(photos, method="adabn")
            >>> adapted.predict(photos).shape
            (40,)
        """
        check_arguments(NAME, method=method)
        check_arguments(SEED, seed=seed)
        report = _reporter(progress)
        opened = open_rows(self.fitted, table, report)
        fitted, problems = adapt_fitted(self.fitted, opened, method, options, seed=seed, report=report)
        return Model(fitted, fit_problems=problems)

    def save(self, path: str | Path) -> None:
        """Save the model as a folder, or as one file if the path ends in `.zip`.

        Example:
            >>> model.save("films.zip")
            >>> again = sensorium.load("films.zip")
            >>> bool(np.array_equal(again.predict("new_films.csv"), model.predict("new_films.csv")))
            True
        """
        check_arguments(PATH, path=path)
        save_fitted(self.fitted, Path(path))

    @property
    def weight_bytes(self) -> int:
        """Size of all weights in bytes.

        Example:
            >>> model.weight_bytes > 0
            True
        """
        return sum(value.nbytes for member in self.fitted.members for value in member.weights().values())

    def quantize(self) -> Model:
        """Return the model with large weight matrices of its networks quantized to int8, for CPUs: smaller, and often
        faster.

        Predictions change a little: evaluate both models on your data.

        Raises:
            ConfigError: no matrix is large enough, the model is already quantized, or it has no network.

        Example:
            >>> small = model.quantize()
            >>> small.weight_bytes < model.weight_bytes
            True
        """
        return Model(quantize_fitted(self.fitted, place=repr(self)), fit_problems=self.fit_problems)

    def with_threshold(self, threshold: GivenThreshold) -> Model:
        """Return the model with another decision threshold, for `predict`, `evaluate` and `save`; probabilities stay.

        Args:
            threshold: the probability from which the positive class, or a label, is predicted; or a mapping of labels,
                or of targets, to thresholds. Labels and targets that it lacks keep theirs.

        Raises:
            ConfigError: the task is neither binary nor multilabel, a label or target is unknown, or a threshold is not
                above 0 and below 1.

        Example:
            >>> table = {"dose": [1, 2, 3, 4] * 20, "ill": ["no", "no", "yes", "yes"] * 20}
            >>> careful = sensorium.fit(table, "ill", epochs=1, progress=False).with_threshold(0.1)
            >>> bool((careful.predict(table) == "yes").sum() == (careful.predict_proba(table)[:, 1] >= 0.1).sum())
            True
        """
        return Model(set_thresholds(self.fitted, threshold), fit_problems=self.fit_problems)

    def __repr__(self) -> str:
        names = [member.name for member in self.fitted.members]
        how = plain_fusion(self.fusion) if len(names) == 1 and self.fitted.networks else " + ".join(names)
        return f"<sensorium.Model: {self.task} of {self.target!r} from {list_names(self.fitted.towers)} by {how}>"


def _names(given: str | Sequence[str] | None) -> list[str]:
    """Return one name or several as a list, each once."""
    return [given] if isinstance(given, str) else [*dict.fromkeys(given or ())]


def _reporter(progress: bool) -> Reporter:
    check_arguments(FLAG, progress=progress)
    return reporter(progress)
