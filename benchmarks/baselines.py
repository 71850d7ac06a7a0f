"""Fixed recipes that a person would try first: the yardstick of `tables.py`, with scikit-learn and LightGBM alone.

The recipes were written before the models that they judge, and are not changed afterwards.

constant  the class frequencies, or the mean, of the training rows
linear    TF-IDF of words (1- and 2-grams that occur in two rows or more, logarithmic counts), one-hot categories,
          standardised numbers (the logarithm of skewed ones), statistics of images, audio, series and scans; logistic
          or ridge regression, whose strength is chosen by 5 folds of the training rows
trees     the same columns, with 100 components of the TF-IDF instead of its words; LightGBM, stopped early on a fifth
          of the training rows

A recipe learns from the training rows alone: a `Job` holds no other label. Validation rows are used for nothing. Rows
of a group are never on both sides of an inner fold. If groups are ordered, as days are, a fold is judged by rows that
are later than those it learned from.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from _cell_statistics import KINDS, Values, statistics
from _scores import FLOOR
from scipy import sparse
from scipy.stats import skew
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Rows = npt.NDArray[np.int64]
FOLDS = 5
STRENGTHS = (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)  # C of logistic regression, 1/alpha of ridge regression
COMPONENTS = 100
SKEWED = 1.0  # skewness above which the logarithm of an amount is taken
ROUNDS, PATIENCE = 2000, 50
BOOSTING = {"learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 10, "deterministic": True, "verbosity": -1}
TREES_MISSING = "not installed: recipe trees needs LightGBM (pip install lightgbm)"


@dataclass(frozen=True)
class Job:
    """Columns of all rows, and the labels of the training rows.

    Attributes:
        frame: columns of text, categories and numbers (see `read_columns`), of all rows.
        kinds: column → text, category or number.
        train: the rows to learn from.
        target: class codes, or amounts, of these rows only.
        classes: number of classes; 0 for an amount.
        groups: group of each training row; each row is a group of its own by default.
        ordered: whether the values of `groups` are in order of time.
        seed: random seed of the folds.
    """

    frame: pd.DataFrame
    kinds: Mapping[str, str]
    train: Rows
    target: npt.NDArray[Any]
    classes: int
    groups: Rows | None = None
    ordered: bool = False
    seed: int = 0

    def named(self, kind: str) -> list[str]:
        return [name for name, own in self.kinds.items() if own == kind]


def read_columns(table: pd.DataFrame, kinds: Mapping[str, str], folder: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Turn the columns of a table into texts, categories and numbers.

    Args:
        table: the cells.
        kinds: column → text, category, number, date, image, audio, series or scan.
        folder: the folder that paths in cells are relative to.

    Returns:
        The columns and their kinds. Statistics of a column of files are numbers called `column.0`, `column.1`, ….
    """
    parts: list[pd.DataFrame] = []
    for name, kind in kinds.items():
        if kind in KINDS:
            values = statistics(kind, table[name].tolist(), folder)
            parts.append(pd.DataFrame(values, columns=[f"{name}.{place}" for place in range(values.shape[1])]))
        else:
            parts.append(pd.DataFrame({name: _plain(table[name], kind).to_numpy()}))
    frame = pd.concat(parts, axis=1)
    return frame, {name: kinds[name] if kinds.get(name) in ("text", "category") else "number" for name in frame}


def _plain(column: pd.Series, kind: str) -> pd.Series:
    if kind == "text":
        return column.fillna("").astype(str)
    if kind == "category":
        return column.astype(object).where(column.notna(), "missing").astype(str)
    if kind == "date":
        return (pd.to_datetime(column, errors="coerce") - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    return pd.to_numeric(column, errors="coerce").astype(float)


class LogOfSkewed(TransformerMixin, BaseEstimator):
    """Take log(1 + x) of columns without negative values whose skewness exceeds 1."""

    def fit(self, X: Values, y: object = None) -> "LogOfSkewed":
        self.skewed_ = np.array([is_skewed(column[np.isfinite(column)]) for column in X.T], bool)
        return self

    def transform(self, X: Values) -> Values:
        return np.where(self.skewed_, np.log1p(np.maximum(X, 0)), X)


def is_skewed(values: Values) -> bool:
    """Return whether the logarithm of an amount is taken: no negative values, skewness above 1."""
    return bool(len(values) > 2 and values.min() >= 0 and values.std() > 0 and skew(values) > SKEWED)


@dataclass
class Features:
    """Matrix of the columns of a job; everything in it is fitted on the rows given to `fit`.

    Attributes:
        job: the columns.
        words: one TF-IDF per column of text that has a word in two rows or more.
    """

    job: Job
    words: dict[str, TfidfVectorizer] = field(default_factory=dict)

    def fit(self, rows: Rows) -> "Features":
        frame = self.job.frame.iloc[rows]
        for name in self.job.named("text"):
            words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
            try:
                self.words[name] = words.fit(frame[name])
            except ValueError:  # no word occurs in two rows, as in a column of names
                continue
        if names := self.job.named("category"):
            self.codes = OneHotEncoder(handle_unknown="ignore").fit(frame[names])
        if names := self.job.named("number"):
            self.scale = _scaling().fit(frame[names].to_numpy(float))
        return self

    def text(self, rows: Rows) -> sparse.csr_matrix:
        """TF-IDF of all texts, [rows, words]."""
        frame = self.job.frame.iloc[rows]
        parts = [words.transform(frame[name]) for name, words in self.words.items()]
        return sparse.hstack(parts, format="csr") if parts else sparse.csr_matrix((len(rows), 0))

    def facts(self, rows: Rows) -> sparse.csr_matrix:
        """One-hot categories and standardised numbers, [rows, columns]."""
        frame, parts = self.job.frame.iloc[rows], [sparse.csr_matrix((len(rows), 0))]
        if names := self.job.named("category"):
            parts.append(self.codes.transform(frame[names]))
        if names := self.job.named("number"):
            parts.append(sparse.csr_matrix(self.scale.transform(frame[names].to_numpy(float))))
        return sparse.hstack(parts, format="csr")

    def all(self, rows: Rows) -> sparse.csr_matrix:
        return sparse.hstack([self.text(rows), self.facts(rows)], format="csr")


def _scaling() -> Pipeline:
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_pipeline(LogOfSkewed(), impute, StandardScaler())


def inner_folds(job: Job, folds: int = FOLDS) -> Iterator[tuple[Rows, Rows]]:
    """Yield places of training rows to learn from and to judge by; a group is on one side only.

    Groups are dealt at random in the order of their first label, so that each fold has all classes. Ordered groups are
    cut into one more block than folds; each fold learns from the blocks before the one that judges.
    """
    names = np.arange(len(job.train)) if job.groups is None else np.asarray(job.groups)
    units, first, places = np.unique(names, return_index=True, return_inverse=True)
    if job.ordered:
        blocks = np.minimum(np.arange(len(places)) * (folds + 1) // len(places), folds)
        fold = np.empty(len(units), np.int64)
        order = np.argsort(places, kind="stable")
        fold[places[order[::-1]]] = blocks[::-1]  # the block of a unit's first row
    else:
        shuffled = np.random.default_rng(job.seed).permutation(len(units))
        if job.classes:
            shuffled = shuffled[np.argsort(job.target[first[shuffled]], kind="stable")]
        fold = np.empty(len(units), np.int64)
        fold[shuffled] = np.arange(len(units)) % folds
    for number in range(folds):
        own, judge = fold[places], number + 1 if job.ordered else number
        learn = own < judge if job.ordered else own != judge
        yield np.flatnonzero(learn), np.flatnonzero(own == judge)


def constant(job: Job) -> Values:
    """Predict the class frequencies, or the mean, of the training rows."""
    if not job.classes:
        return np.full(len(job.frame), job.target.mean())
    shares = np.bincount(job.target, minlength=job.classes) / len(job.target)
    return np.tile(shares, (len(job.frame), 1))


def linear(job: Job) -> Values:
    """Predict every row by logistic or ridge regression, with the strength of `best_strength`."""
    features = Features(job).fit(job.train)
    *_, model = _path(features.all(job.train), job.target, job.classes, best_strength(job))
    return model(features.all(np.arange(len(job.frame))))


def best_strength(job: Job) -> int:
    """Return the place of the strength with the least loss over the inner folds.

    Strengths are tried in their order until two in a row were worse than those before them.
    """
    paths, asked, truth = [], [], []
    for learn, judge in inner_folds(job):
        features = Features(job).fit(job.train[learn])
        paths.append(_path(features.all(job.train[learn]), job.target[learn], job.classes))
        asked.append(features.all(job.train[judge]))
        truth.append(job.target[judge])
    losses: list[float] = []
    for models in zip(*paths, strict=True):
        folds = zip(models, asked, truth, strict=True)
        losses.append(sum(loss(own, model(rows), job.classes) for model, rows, own in folds))
        if len(losses) > 2 and losses[-1] > losses[-2] > losses[-3]:
            break
    return int(np.argmin(losses))


def _path(
    known: sparse.csr_matrix, target: npt.NDArray[Any], classes: int, last: int = len(STRENGTHS) - 1
) -> Iterator[Callable[[sparse.csr_matrix], Values]]:
    """Yield a fitted model for each strength up to the last; logistic regression starts from the weaker one."""
    model = LogisticRegression(warm_start=True, max_iter=200)
    for strength in STRENGTHS[: last + 1]:
        if not classes:
            yield _ridge(known, target, strength)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.set_params(C=strength).fit(known, target)
        yield lambda asked: spread(model.predict_proba(asked), model.classes_, classes)


def _ridge(known: sparse.csr_matrix, target: Values, strength: float) -> Callable[[sparse.csr_matrix], Values]:
    """Ridge regression of the amount, or of its logarithm within the range of the training rows if it is skewed."""
    model = Ridge(alpha=1 / strength)
    if not is_skewed(target):
        return model.fit(known, target).predict
    model.fit(known, np.log1p(target))
    low, high = np.log1p([target.min(), target.max()])
    return lambda asked: np.expm1(np.clip(model.predict(asked), low, high))


def trees(job: Job) -> Values:
    """Predict every row by boosted trees, which stop when a fifth of the training rows no longer improves.

    Raises:
        ModuleNotFoundError: LightGBM is not installed.
    """
    try:
        import lightgbm
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(TREES_MISSING, name="lightgbm") from error
    *_, (learn, stop) = inner_folds(job)
    features = Features(job).fit(job.train[learn])
    reduce = _components(features.text(job.train[learn]), job.seed)
    known, held, asked = (
        np.hstack([reduce(features.text(rows)), features.facts(rows).toarray()])
        for rows in (job.train[learn], job.train[stop], np.arange(len(job.frame)))
    )
    objective = {0: "regression", 2: "binary"}.get(job.classes, "multiclass")
    options = {**BOOSTING, "objective": objective, "num_class": job.classes if job.classes > 2 else 1, "seed": job.seed}
    scale = np.log1p if not job.classes and is_skewed(job.target) else np.asarray
    data = lightgbm.Dataset(known, scale(job.target[learn]))
    stopping = data.create_valid(held, scale(job.target[stop]))
    halt = lightgbm.early_stopping(PATIENCE, verbose=False)
    model = lightgbm.train(options, data, ROUNDS, valid_sets=[stopping], callbacks=[halt])
    scores = model.predict(asked)
    if not job.classes:
        return np.expm1(scores) if scale is np.log1p else scores
    return np.column_stack([1 - scores, scores]) if job.classes == 2 else scores


def _components(words: sparse.csr_matrix, seed: int) -> Callable[[sparse.csr_matrix], Values]:
    """Reduce words to 100 components, or leave them if they are no more."""
    if words.shape[1] <= COMPONENTS:
        return lambda asked: asked.toarray()
    return TruncatedSVD(COMPONENTS, random_state=seed).fit(words).transform


def spread(scores: Values, known: Rows, classes: int) -> Values:
    """Give classes that the training rows lack a probability of 0, [rows, classes]."""
    found = np.zeros((len(scores), classes))
    found[:, np.asarray(known, np.int64)] = scores
    return found


def loss(truth: npt.NDArray[Any], scores: Values, classes: int) -> float:
    """Sum of the log losses, or of the squared errors, of rows."""
    if not classes:
        return float(((truth - scores) ** 2).sum())
    return float(-np.log(np.maximum(scores[np.arange(len(truth)), truth], FLOOR)).sum())


RECIPES: dict[str, Callable[[Job], Values]] = {"constant": constant, "linear": linear, "trees": trees}
