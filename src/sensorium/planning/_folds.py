"""Plan every fold of a cross-validation, before any file is decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.findings import Problems, count
from sensorium.model import NO_MODULES, OwnModules
from sensorium.planning._make_plan import check_target, make_plan
from sensorium.planning._plan import Plan
from sensorium.runtime.progress import Silent
from sensorium.runtime.threads import Threads
from sensorium.schema import Schema, infer_schema, split_column, with_inferred_group
from sensorium.split import FoldOptions, Folds, Split, development_rows, make_folds, split_fold
from sensorium.table import Table, as_read
from sensorium.tasks import is_value

if TYPE_CHECKING:
    from sensorium.runtime.progress import Reporter


@dataclass(frozen=True, eq=False)
class PlannedFolds:
    """Plans of the folds of a cross-validation.

    Attributes:
        plans: one per fold; its test rows are the judged ones.
        folds: the rows of each fold, as rows of the table.
        options: number of folds and repeats as requested.
        findings: of the folds and the split column, such as fewer folds than requested.
    """

    plans: Sequence[Plan]
    folds: Folds
    options: FoldOptions
    findings: Problems

    @property
    def table(self) -> Table:
        """The rows."""
        return self.plans[0].table

    @property
    def notices(self) -> Problems:
        """Return the findings, and those of all plans; what differs only in its figures is taken from the first."""
        seen, found = set[tuple[str, str]](), Problems(list(self.findings))
        for plan in self.plans:
            new = [notice for notice in plan.notices if (notice.column, notice.cure) not in seen]
            seen |= {(notice.column, notice.cure) for notice in new}
            found.extend(new)
        return found

    def with_threads(self, threads: Threads) -> PlannedFolds:
        """Return the plans with another number of threads."""
        return replace(self, plans=[replace(plan, threads=threads) for plan in self.plans])


def plan_folds(
    table: Table,
    config: Config,
    report: Reporter,
    options: FoldOptions,
    *,
    modules: OwnModules = NO_MODULES,
    cores: int | None = None,
) -> PlannedFolds:
    """Cut the labelled rows into folds, and plan each one with what its training rows show.

    If a column names the splits, its test rows are in no fold.

    Args:
        table, config, report, modules, cores: as for `make_plan`.
        options: number of folds and repeats.

    Raises:
        SchemaError, ConfigError, DataError: as `make_plan`; the rows do not make folds; a modality has no value in the
            training rows of a fold.
    """
    _check(config)
    config = as_read(config, table)
    check_target(config, table)
    schema = infer_schema(table, config)
    config, of_groups = with_inferred_group(schema.table, schema.labels, config)
    rows, told = development_rows(schema.table, schema.labels, split_column(schema.table, config))
    continuous = is_value(schema.task_name)
    folds = make_folds(
        schema.table, schema.labels, rows, config.split, options=options, seed=config.seed, continuous=continuous
    )
    plans = list[Plan]()
    for split in _splits(schema, config, folds):
        quiet = report if not plans else Silent()  # the first fold logs what all of them share
        plans.append(make_plan(table, config, quiet, modules=modules, cores=cores, dealt=(schema, split)))
        _check_towers(plans[0], plans[-1])
    return PlannedFolds(plans, folds, options, Problems([*told, *of_groups, *folds.findings]))


def name_fold(number: int, folds: Folds) -> str:
    """Return the name of a fold, counted from 0: `fold 2 of 5`, `fold 2 of 5, repeat 1 of 3`."""
    repeat, fold = divmod(number, folds.count)
    again = f", repeat {repeat + 1} of {folds.repeats}" if folds.repeats > 1 else ""
    return f"fold {fold + 1} of {folds.count}{again}"


def _splits(schema: Schema, config: Config, folds: Folds) -> Iterator[Split]:
    for number, fold in enumerate(folds):
        name = f"{name_fold(number, folds)} ({folds.how})"
        yield split_fold(schema.table, schema.labels, config.split, fold, seed=config.seed, name=name)


def _check(config: Config) -> None:
    if config.train.teacher:
        raise ConfigError(
            "cross-validation cannot use a teacher",
            place="train.teacher",
            rule="the teacher may have learned from the rows that a fold tests",
            cure="remove the setting, or compare without folds",
        )


def _check_towers(first: Plan, plan: Plan) -> None:
    """Check that all folds have the same modalities."""
    lacking = sorted({*first.towers} ^ {*plan.towers})
    if lacking:
        names = ", ".join(lacking)
        raise ConfigError(
            f"the modality {names} has no value in the training rows of {plan.split.how.partition(' (')[0]}",
            place=f"column {lacking[0]!r}",
            rule="every modality has a value in the training rows of each fold",
            cure=f"exclude {count(len(lacking), 'modality').partition(' ')[2]} {names}, or use other folds",
        )
