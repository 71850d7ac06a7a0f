"""A fitted model at work: predict, evaluate, save."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from torch import nn

from sensorium.adaptation import DEFAULT, adapt_bundle
from sensorium.artifact import load_bundle, save_bundle
from sensorium.bundle import Bundle
from sensorium.errors import ConfigError, SchemaError, did_you_mean
from sensorium.evaluate import Evaluation, Names, Subsets, evaluate_outcome, plan_subsets, score_subsets
from sensorium.int8 import quantize
from sensorium.memory import told_of_memory
from sensorium.metrics import metrics_of
from sensorium.prepare import Prepared, at_rows, prepare_columns, swapped_columns
from sensorium.problems import Problem, Problems
from sensorium.progress import Reporter, Silent
from sensorium.schema import SPLITS, Split, find_seen, make_split
from sensorium.table import Table, open_table
from sensorium.tasks import no_known_label

LESS = "give it fewer rows at a time, or use a machine with more memory (see `ulimit -v`)"
CHUNK = 8192  # rows prepared at a time: bounds the memory of a prediction
NOTHING_PRESENT = "the row has no value in any column: answered with the training rows' average"


class Model:
    """A fitted model.

    Attributes:
        bundle: what it is made of.
        problems: cells of the last table that could not be taken as they were.
        test: how the model did on the fit's test rows; None without such rows, and on a loaded model (see `card`).
        report: where the progress of predictions is told.
    """

    def __init__(self, bundle: Bundle, test: Evaluation | None = None) -> None:
        self.bundle, self.test = bundle, test
        self.problems = Problems()
        self.report: Reporter = Silent()

    @property
    def target(self) -> str:
        return self.bundle.target

    @property
    def task(self) -> str:
        return self.bundle.task_name

    @property
    def columns(self) -> dict[str, str]:
        """Column → modality."""
        return dict(self.bundle.kinds)

    @property
    def fusion(self) -> str:
        return self.bundle.blueprint.fusion

    @property
    def labels(self) -> list[Any]:
        """The classes or labels, in the order of `predict_proba`'s columns; empty for regression."""
        return list(self.bundle.task.labels)

    @property
    def card(self) -> dict[str, Any]:
        """How the model came about: rows, split, metrics, history."""
        return self.bundle.card

    def describe(self) -> list[dict[str, str]]:
        """Each column with its modality and what was learnt of it, in words."""
        learnt = self.bundle.learnt.items()
        return [{"name": name, "modality": self.columns[name], "learnt": what.describe()} for name, what in learnt]

    @told_of_memory(LESS)
    def predict(self, table: Any) -> npt.NDArray[Any]:
        """Labels as they were spelt in the training table, or values; of several targets, a dict a row; [n].

        Args:
            table: anything that `fit` takes, or a dict of cells, which is one row; columns and cells may be missing,
                the target needn't be there.
        """
        task = self.bundle.task
        answers = list(task.decode(task.predicted(self._scores(self._open(table)))))
        if answers and isinstance(answers[0], list):
            labels = np.empty(len(answers), dtype=object)
            labels[:] = answers
            return labels
        return np.array(answers)

    @told_of_memory(LESS)
    def predict_proba(self, table: Any) -> npt.NDArray[np.float64]:
        """Probabilities [n, k] of the classes or labels, in the order of `labels`; of several targets values too.

        Raises:
            SchemaError: the task has no probabilities (regression).
        """
        if not self.labels:
            raise SchemaError(f"{self.task} has no probabilities", cure="predict gives the values")
        return self._scores(self._open(table))

    @told_of_memory(LESS)
    def predict_table(self, table: Any) -> pa.Table:
        """One row a row: `row`, `prediction`, `probability_<label>` …, and what was wrong with the row, if anything.

        Of several targets each has its own: `<target>.prediction`, `<target>.probability_<label>` …
        Windows of a long table are told by their entity and the time of their last step.
        """
        opened = self._open(table)
        columns: dict[str, Any] = {"row": np.arange(len(opened)), **self._whose(opened)}
        columns |= self.bundle.task.answers(self._scores(opened))
        lacking = self._lacking(opened)
        told = [[*lacking] for _ in range(len(opened))]
        for problem in self.problems:
            if problem.row is not None:
                told[problem.row].append(f"{problem.column}: {problem.reason}" if problem.column else problem.reason)
        columns["problem"] = pa.array(["; ".join(reasons) or None for reasons in told], pa.string())
        return pa.table(columns)

    @told_of_memory(LESS)
    def evaluate(self, table: Any, split: str | None = None, *, subsets: bool = False) -> Evaluation:
        """Metrics with bootstrap 95% intervals.

        Args:
            table: rows with labels.
            split: `train`, `validation`, `test` or `all`; by default the test rows where they are known (a split
                column, or the very table of the fit), else all rows.
            subsets: score the model with fewer modalities too: every subset of up to four, of more each alone, all but
                one and all; up to six, how much each of them brings (Shapley value of the watched metric).

        Raises:
            SchemaError: the split is not known, has no rows, no row has a label, or subsets are asked of one modality.
        """
        asked = self._subsets() if subsets else []
        opened = self._open(table)
        rows, words = self._rows(opened, split)
        part = opened.take(rows)
        problems = Problems()
        if asked:
            fewer, there = self._subset_scores(part, asked)
            scores = fewer[-1]
        else:
            scores = self._scores(part)
        target = self.bundle.task.encode(part.column(self.target))
        if split != "train" and not self._is_fitted_on(opened):
            problems.extend(find_seen(self.bundle.seen, part, self.bundle.row_cells))
        problems.extend(self.problems)
        problems.extend(target.problems)
        known = np.flatnonzero(target.known)
        if not len(known):
            raise no_known_label(self.bundle.task, part.column(self.target), target, words)
        outcome = self.bundle.task.outcome(scores[known], target.values[known])
        found = evaluate_outcome(outcome, metrics_of(self.task))
        self.problems = at_rows(problems, rows)
        less = self._score_subsets(asked, fewer[:, known], there[:, known], target.values[known]) if asked else None
        return Evaluation(found.n, found.metrics, found.intervals, self.problems, words, less)

    def _subsets(self) -> list[Names]:
        members = self.bundle.members
        towers = list(dict.fromkeys(tower.name for member in members for tower in member.blueprint.towers))
        if len(towers) < 2:
            raise SchemaError(f"the model has one modality only: {towers[0]}", rule="two or more to take some away")
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

    @told_of_memory(LESS)
    def adapt(self, table: Any, method: str = DEFAULT, *, seed: int = 0, **options: Any) -> Model:
        """Another model, adapted to rows of another domain without their labels; this one stays as it is.

        Its card says what moved: `card["moved"]`. Where the table has labels, they are used for that alone.

        Args:
            table: anything that `fit` takes.
            method: registered name; see `sensorium list adaptations`.
            seed: of the order of rows, where the method has one.
            **options: of the method.

        Raises:
            ConfigError: unknown method or options; the model has nothing that the method could change.
        """
        opened = self._open(table)
        bundle, problems = adapt_bundle(self.bundle, opened, method, options, seed=seed, report=self.report)
        model = Model(bundle)
        model.problems, model.report = problems, self.report
        return model

    def save(self, path: str | Path) -> None:
        """Write the model: a folder, or one file where the path ends in `.zip`."""
        save_bundle(self.bundle, Path(path))

    @property
    def weight_bytes(self) -> int:
        """What the weights take, of all networks of an ensemble."""
        states = [member.network.state_dict() for member in self.bundle.members]
        return sum(value.nbytes for state in states for value in state.values())

    def quantize(self) -> Model:
        """The same model with large matrices and tables of eight bits, for CPUs: smaller, and often faster.

        Answers change a little: evaluate both on the rows that matter.

        Raises:
            ConfigError: it has no matrix that is worth it, or has been quantised already, or is an ensemble.
        """
        if self.bundle.int8:
            raise ConfigError("the weights have eight bits already", place=repr(self))
        if self.bundle.others:
            raise ConfigError("an ensemble can't be made smaller so: its networks are several", place=repr(self))
        network = copy.deepcopy(self.bundle.network).cpu().eval()
        names = quantize(network)
        if not names:
            raise ConfigError("no matrix is large enough for eight bits to pay", place=repr(self))
        card = self.bundle.card | {"int8": len(names)}
        return Model(replace(self.bundle, network=network, int8=names, card=card))

    def __repr__(self) -> str:
        towers = ", ".join(tower.name for tower in self.bundle.blueprint.towers)
        others = f" and {len(self.bundle.others)} more" if self.bundle.others else ""
        return f"<sensorium.Model: {self.task} of {self.target!r} from {towers} by {self.fusion}{others}>"

    def _open(self, table: Any) -> Table:
        # A column that was text in training stays text, whatever the rows of this table make of it.
        names = {*self.bundle.learnt, *self.bundle.views.values()}
        opened = open_table(table, self.bundle.config.table, text=self.card["text"], gaps=True, expected=names)
        opened = tell_unset(opened.with_views(self.bundle.views), self.bundle.unset)
        for note in opened.notes:
            self.report.say(note)
        return opened

    def _lacking(self, table: Table) -> list[str]:
        """What is wrong with every row: columns that the table does not have."""
        absent = [name for name in self.bundle.learnt if name not in table]
        return [f"{p.column}: {p.reason}" for p in self.problems.whole() if p.column in absent]

    def _whose(self, table: Table) -> dict[str, pa.Array]:
        windows = self.bundle.config.table.windows
        names = [windows.entity, windows.time] if windows else []
        return {name: table.column(name).data for name in names if name is not None}

    def _scores(self, table: Table) -> npt.NDArray[np.float64]:
        return np.concatenate([self.bundle.scores(prepared) for prepared in self._prepare(table)])

    def _subset_scores(self, table: Table, asked: list[Names]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        found = [self.bundle.subset_scores(prepared, asked) for prepared in self._prepare(table)]
        return np.concatenate([scores for scores, _ in found], 1), np.concatenate([there for _, there in found], 1)

    def _prepare(self, table: Table) -> Iterator[Prepared]:
        """Chunks of the table; what is wrong with them is noted."""
        self.problems = Problems([problem for problem in table.problems if problem.row is None])
        for rows in _chunks(len(table)):
            prepared = prepare_columns(table.take(rows), self.bundle.learnt, self.report)
            whole = set(self.problems.whole())  # what is said of a column is said with every chunk
            self.problems.extend([p for p in at_rows(prepared.problems, rows) if p not in whole])
            if rows[0] == 0:
                self.problems.extend(swapped_columns(table.take(rows), self.bundle.learnt, prepared))
            for row in rows[~prepared.has_any()]:
                self.problems.add(Problem(int(row), "", NOTHING_PRESENT))
            yield prepared

    def _rows(self, table: Table, split: str | None) -> tuple[npt.NDArray[np.int64], str]:
        """The rows of a split and their name in words."""
        name = {"val": "validation"}.get(split or "", split)
        if name not in (None, "all", *SPLITS):
            raise SchemaError(f"there is no split {split!r}", rule=", ".join((*SPLITS, "all")))
        found = None if name == "all" else self._known_split(table)
        if found is None and name in SPLITS:
            raise SchemaError(
                f"which rows are {name!r} is not known",
                place=table.name,
                rule="the table has the split column, or is the very table that the model was fitted on",
                cure="leave --split away to evaluate all rows",
            )
        if found is None:
            return np.arange(len(table)), "all rows"
        name = name or "test"
        rows = found.rows(name)
        if not len(rows):
            raise SchemaError(f"the split {name!r} has no rows with a label", place=table.name, cure="--split all")
        return rows, f"{name} rows"

    def _is_fitted_on(self, table: Table) -> bool:
        return table.fingerprint() == str(self.bundle.card["fingerprint"])

    def _known_split(self, table: Table) -> Split | None:
        card, config = self.bundle.card, self.bundle.config.split
        column = card["split_column"]
        if self.target not in table.columns:
            raise SchemaError(
                f"the table has no column {self.target!r}",
                place=table.name,
                rule="labels to compare with",
                cure=did_you_mean(self.target, table.columns),
            )
        same = self._is_fitted_on(table)
        column = column if column in table.columns else None
        if column is None and not same:
            return None
        labels = self.bundle.task.reading.apply(table.column(self.target))
        if not same:  # of another table the column alone is known; it may lack the others
            config = config.model_copy(update={"group": None, "time": None, "span": None})
        found = make_split(table, labels, config, column, self.bundle.config.seed)
        if not same or _is_recorded(found, card):
            return found
        if column is None:
            raise SchemaError(
                "the rows that the model was trained on are not known: it was fitted by an earlier version",
                place=table.name,
                rule=f"the split of the fit ({card['split']}); this version makes another ({found.how})",
                cure="evaluate all rows (--split all), or fit again",
            )
        # The column names the test rows; those that validated were taken from the training rows by another rule.
        return replace(found, codes=np.where(found.codes == SPLITS.index("test"), found.codes, -1).astype(np.int8))


@told_of_memory(LESS)
def load(
    path: str | Path,
    *,
    device: str = "auto",
    encoders: dict[str, nn.Module] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Model:
    """A model from a folder, a run folder or a zip; nothing in it is executed.

    Args:
        path: where it is.
        device: where it computes: auto, cpu, cuda …
        encoders: the modules of your own that it was fitted with, by tower.
        config: settings that are not saved with models, because they say what may be read, fetched and run: a query
            of a database, whether cells may lead out of the table's folder … (`{"table": {"allow_outside": True}}`).

    Raises:
        ConfigError: a setting in `config` is not one of these.
        ArtifactError: missing, damaged, altered, or no Sensorium model.
    """
    return Model(load_bundle(Path(path), device, encoders, config))


def tell_unset(table: Table, names: Sequence[str]) -> Table:
    """The table with a finding where the model was fitted with settings that are not saved with it.

    Args:
        table: what is read without them.
        names: of the settings.
    """
    names = [name for name in names if name.startswith("table.")]
    if not names:
        return table
    listed = ", ".join(names)
    reason = f"the model was fitted with {listed}, which is not saved with models: the table is read without it"
    cure = f"if you trust it, set {'it' if len(names) == 1 else 'them'} again: --set {names[0]}=…, or load(…, config=…)"
    return replace(table, problems=(*table.problems, Problem(None, "", reason, cure)))


def _is_recorded(split: Split, card: dict[str, Any]) -> bool:
    """Is it the split of the fit? Models of before recorded no digest."""
    if "split_digest" in card:
        return bool(card["split_digest"] == split.digest)
    return bool((card["split"], card["rows"]) == (split.how, split.sizes()))


def _chunks(rows: int) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, rows, CHUNK):
        yield np.arange(start, min(start + CHUNK, rows))
