"""Evaluate slices of rows: those of columns that the user names, and those that a search finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from sensorium.config import as_modality
from sensorium.evaluate import Slices, Units
from sensorium.evaluate.slices import (
    OTHERS,
    PRESENT,
    Cut,
    cluster_rows,
    cut_codes,
    cut_column,
    cut_present,
    describe_clusters,
    no_slices,
    score_cut,
    search_slices,
)
from sensorium.findings import Problem, count
from sensorium.findings.claims import best_claim
from sensorium.metrics import Outcome, default_metrics
from sensorium.model import FittedModel
from sensorium.model.tower_features import Features, tower_features
from sensorium.prepare import Prepared
from sensorium.registry import modalities
from sensorium.schema.identifiers import find_identifier
from sensorium.table import Column, Rows, Table, Truths
from sensorium.tasks import watched_metric

PLAIN = ("number", "category", "boolean", "date", "tags")  # modalities whose columns are cut by their cells


@dataclass(frozen=True)
class SliceRequest:
    """Slices to evaluate.

    Attributes:
        names: columns, or `present`.
        search: whether to search for worse slices.
    """

    names: Sequence[str] = ()
    search: bool = False

    def __bool__(self) -> bool:
        return bool(self.names) or self.search


@dataclass
class TowerFeatures:
    """Collector of the features of texts and files while rows are scored."""

    fitted: FittedModel
    towers: list[str]
    chunks: list[dict[str, Features]] = field(default_factory=list)

    @classmethod
    def of(cls, fitted: FittedModel, *, wanted: bool) -> TowerFeatures:
        """Return a collector of the modalities to cluster; of none, if clusters are not wanted."""
        kinds = {name: {fitted.kinds[column] for column in own} for name, own in fitted.tower_columns.items()}
        return cls(fitted, [name for name, own in kinds.items() if wanted and not own <= {*PLAIN}])

    def __call__(self, prepared: Prepared) -> None:
        """Collect the features of a chunk of rows."""
        if self.towers:
            self.chunks.append(tower_features(self.fitted, prepared, self.towers))

    def joined(self, name: str) -> Features:
        """Return the features of a modality in all rows."""
        parts = [chunk[name] for chunk in self.chunks]
        if isinstance(parts[0], np.ndarray):
            width = max(part.shape[1] for part in parts)  # a chunk without any value is narrow
            wide = [
                part if part.shape[1] == width else np.full((len(part), width), np.nan, np.float32) for part in parts
            ]
            return np.concatenate(wide)
        from scipy.sparse import csr_array, vstack

        return csr_array(vstack(parts))


@dataclass(frozen=True)
class CutRows:
    """Slices of rows to score.

    Attributes:
        named: by the columns that the user names.
        searched: those to search; None for no search.
        problems: about the named columns.
    """

    named: Sequence[Cut]
    searched: Sequence[Cut] | None
    problems: list[Problem]

    @classmethod
    def of(
        cls,
        fitted: FittedModel,
        table: Table,
        rows: Rows,
        request: SliceRequest,
        columns: Mapping[str, Column],
        towers: Mapping[str, Truths],
        features: TowerFeatures,
        units: Units | None,
    ) -> CutRows:
        """Cut rows by the columns that the user names, and by all others for a search.

        Args:
            fitted: the model.
            table: the rows to score.
            rows: int64[n], their numbers in the whole table.
            request: what the user names.
            columns: columns that the user names.
            towers: modality → whether the row (or unit) has it.
            features: of these rows, to be clustered.
            units: units of the rows, which are cut instead; None for rows.

        Raises:
            SchemaError: nearly every cell of a column has a value of its own.
        """
        cutter = _Cutter(fitted, table, rows, towers, features, units)
        named = cutter.named(request.names, columns)
        searched = cutter.every() if request.search else None
        return cls(named, searched, _problems(named, request, columns))

    def __bool__(self) -> bool:
        return bool(self.named) or self.searched is not None

    def take(self, rows: Rows) -> CutRows:
        """Return slices of some of the rows."""
        searched = None if self.searched is None else [cut.take(rows) for cut in self.searched]
        return CutRows([cut.take(rows) for cut in self.named], searched, self.problems)


@dataclass(frozen=True)
class _Cutter:
    """Rows to cut; the attributes are the arguments of `CutRows.of`."""

    fitted: FittedModel
    table: Table
    rows: Rows
    towers: Mapping[str, Truths]
    features: TowerFeatures
    units: Units | None

    def named(self, names: Sequence[str], columns: Mapping[str, Column]) -> list[Cut]:
        """Cut rows by columns, and by the modalities that are present."""
        found = list[Cut]()
        for name in names:
            cut = self._cut(columns[name]) if name in columns else cut_present(self.towers)
            if cut is None:
                raise no_slices(columns[name], "--slice (Python: slices=)")
            found.append(cut)
        return found

    def every(self) -> list[Cut]:
        """Cut rows by every column that can be cut, by the modalities that are present, and by clusters.

        The target, the columns of the split and of its groups, and identifiers of rows are left out.
        """
        fitted, table = self.fitted, self.table
        without = {fitted.target, fitted.data.split_column, fitted.config.split.group}
        without |= {self.units.column} if self.units else set()
        names = [name for name in [*fitted.learnt, *table.columns] if name in table.columns and name not in without]
        columns = [table.column(name) for name in dict.fromkeys(names)]
        cuts = [self._cut(column) for column in columns if not self._is_identifier(column)]
        cuts += [cut_present(self.towers)] if len(self.towers) > 1 else []
        cuts += [self._clusters(name) for name in self.features.towers]
        return [cut for cut in cuts if cut is not None and len(cut.values) > 1]

    def _cut(self, column: Column) -> Cut | None:
        kind, learned = self.fitted.kinds.get(column.name), self.fitted.learnt.get(column.name)
        return cut_column(column, kind, learned, self.units)

    def _is_identifier(self, column: Column) -> bool:
        if column.name in self.fitted.learnt or not len(column.values):
            return False
        kind, guess = best_claim(modalities, column, partial(as_modality, column.name))
        return find_identifier(column, kind, guess) is not None

    def _clusters(self, name: str) -> Cut:
        columns, found = self.fitted.tower_columns[name], self.features.joined(name)
        there = [self.table.column(column).present for column in columns if column in self.table]
        present = np.logical_or.reduce([np.zeros(len(self.rows), bool), *there])
        if isinstance(found, np.ndarray):
            present &= np.isfinite(found).all(1)
        codes, distances = cluster_rows(found, present)
        text = len(columns) == 1 and self.fitted.kinds[columns[0]] == "text" and columns[0] in self.table
        texts = self.table.column(columns[0]).strings.to_pylist() if text else None
        cut = cut_codes(name, codes, describe_clusters(codes, distances, self.rows, texts))
        return cut if self.units is None else cut.of_units(self.units)


def evaluate_slices(fitted: FittedModel, outcome: Outcome, cuts: CutRows) -> Slices:
    """Compute metrics of the named slices, and search for worse ones.

    Args:
        fitted: the model.
        outcome: outcome of all rows.
        cuts: slices of these rows.
    """
    metric = watched_metric(fitted.config.train, fitted.task)
    names = default_metrics(fitted.task_name, metric)
    columns = {cut.column: score_cut(outcome, cut, names, metric) for cut in cuts.named}
    search = None if cuts.searched is None else search_slices(outcome, cuts.searched, names, metric)
    return Slices(metric, columns, search)


def _fate(cut: Cut) -> str:
    """Return in words what became of rare values."""
    return "have no slice" if cut.overlapping else f"are one slice, {OTHERS!r}"


def _problems(named: Sequence[Cut], request: SliceRequest, columns: Mapping[str, Column]) -> list[Problem]:
    """Report values that share a slice, and a column that has the name of the modalities that are present."""
    found = [
        Problem(None, cut.column, f"{count(cut.merged, 'rare value')} {_fate(cut)}") for cut in named if cut.merged
    ]
    if PRESENT in request.names and PRESENT in columns:
        reason = "slices are those of this column, not of the modalities that are present"
        found.append(Problem(None, PRESENT, reason, "rename the column"))
    return found
