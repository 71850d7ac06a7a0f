"""Inspect a table: modality of each column with its reason, missing cells, problems. Does not import torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.config import CONFIG, FLAG, TARGET, Config, check_arguments, read_settings, target_setting
from sensorium.errors import SchemaError
from sensorium.errors.memory import explain_memory_errors
from sensorium.findings import IN_TRAINING, ColumnPlan, Guess, Problem, ProblemGroup, Problems, shorten
from sensorium.inspection.result import ColumnReport, Inspection
from sensorium.inspection.search import find_copies
from sensorium.modalities import Modality, Overview, Work
from sensorium.prepare import advice_finding, advised_encoder, at_rows, cautions, learn_modality, table_findings, unsaid
from sensorium.registry import modalities
from sensorium.registry.defaults import BACKBONES
from sensorium.registry.failures import explain_member_errors
from sensorium.runtime.progress import Reporter, reporter
from sensorium.schema import (
    Schema,
    Sides,
    advise,
    infer_schema,
    infer_views,
    split_column,
    value_ids,
    with_inferred_group,
)
from sensorium.split import SPLITS, Split, make_split
from sensorium.table import Column, Rows, Table, as_read, evenly_spaced, open_table
from sensorium.tasks import is_value, label_cells, label_findings, learn_task

EXAMPLES = 3  # values shown of a column
LOOKED_AT = 200  # cells of a column that are decoded on trial, where not every cell is asked for
LEARNED_FROM = 1000  # cells that a modality learns from on trial, where it neither decodes files nor is quick
COMMONEST = 12  # values counted
BALANCED = 30  # labels counted
NO_GUESS = Guess(0.0, "")


@dataclass(frozen=True)
class TrialDecoding:
    """Settings of trial decoding: rows, configuration, progress, and each column's problems that are already known.

    `training_rows` is the number of rows that a fit would train on; None without a target.
    """

    rows: Rows
    training_rows: int | None
    config: Config
    work: Work
    told: Mapping[str, Sequence[Problem]]


@explain_memory_errors("use fewer rows or columns (--columns a,b), or a machine with more memory (see `ulimit -v`)")
@explain_member_errors()
def inspect(
    table: Any,
    target: str | Sequence[str] | None = None,
    *,
    config: Config | str | Path | Mapping[str, Any] | None = None,
    every: bool = False,
    progress: bool = False,
) -> Inspection:
    """Inspect a table without training.

    Args:
        table: as for `fit`.
        target: the column to predict, or a list of columns.
        config: a YAML file or a mapping of settings, as for `fit`.
        every: decode every cell, not a sample of each column.
        progress: show progress on stderr.

    Raises:
        SensoriumError: the table cannot be read, a named column does not exist, or no column is left to learn from.

    Example:
        >>> found = sensorium.inspect("films.csv", "genre")
        >>> {column.name: column.modality for column in found.columns}
        {'plot': 'text', 'length': 'number', 'studio': 'category', 'genre': None}
        >>> found.target["task"]
        'multiclass'
    """
    check_arguments(FLAG, every=every, progress=progress)
    settings = config if isinstance(config, Config) else _settings(target, config)
    report = reporter(progress)
    with report.phase("reading the table"):
        opened = open_table(table, settings.table)
        settings = as_read(settings, opened)
        schema = infer_schema(opened, settings) if settings.target else None
        opened, inferred = (schema.labelled, schema.columns) if schema else infer_views(opened, settings)
    split, settings = _split(opened, settings)
    sides = _sides(opened, split, settings)
    of_target = _target_findings(schema, sides, settings) if schema else []
    target_report = _target(schema, of_target, sides) if schema else None
    plans = [_with_caution(plan, target_report) for plan in inferred]
    training = split.sizes()["train"] if split and settings.target else None
    columns, learnt = _columns(opened, plans, settings, report, every=every, training_rows=training)
    of_table = table_findings(opened, {}, split, None, None)
    return Inspection(
        table=opened.name,
        rows=len(opened),
        columns=columns,
        target=target_report,
        split={"how": split.how, "rows": split.sizes()} if split and settings.target else None,
        notices=_notices(inferred, schema, columns, of_table=of_table, of_target=of_target),
        table_notices=_groups(of_table),
        copies=find_copies(opened, plans, learnt, sides, report),
        advice=advise(opened, plans, sides, settings),
        every=every,
    )


def _settings(target: str | Sequence[str] | None, config: str | Path | Mapping[str, Any] | None) -> Config:
    check_arguments(TARGET, target=target)
    check_arguments(CONFIG, config=config)
    return Config.gather(read_settings(config), target_setting(target))


def _doubts(plans: Sequence[ColumnPlan], schema: Schema | None) -> Problems:
    if schema is None:
        return cautions(plans, None, "", NO_GUESS)
    return cautions(plans, schema.labels.name, schema.task_name, schema.task_guess)


def _notices(
    inferred: Sequence[ColumnPlan],
    schema: Schema | None,
    columns: Sequence[ColumnReport],
    *,
    of_table: Iterable[Problem],
    of_target: Iterable[Problem],
) -> list[dict[str, Any]]:
    """Return uncertain guesses, findings of which no guess warns already, and cells that cannot be read."""
    cautioned = {plan.name: plan.caution for plan in inferred}
    of_columns = (problem for column in columns for problem in column.findings)
    return [
        *_groups([*_doubts(inferred, schema), *unsaid([*of_table, *of_columns, *of_target], cautioned)]),
        *({"column": column.name, **fault} for column in columns for fault in column.faults),
    ]


def _groups(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [group.to_json() for group in Problems([*problems]).groups()]


def _columns(
    table: Table,
    plans: list[ColumnPlan],
    config: Config,
    report: Reporter,
    *,
    every: bool,
    training_rows: int | None,
) -> tuple[list[ColumnReport], dict[str, Modality]]:
    """Return a report of each column, and the modalities that were fitted on trial."""
    look = len(table) if every else min(LOOKED_AT, len(table))
    rows = evenly_spaced(len(table), look)
    with report.bar("decoding", look * sum(plan.modality is not None for plan in plans), "cells") as bar:
        told = dict[str, list[Problem]]()
        for problem in table.problems:
            told.setdefault(problem.column, []).append(problem)
        trial = TrialDecoding(rows, training_rows, config, Work(advance=bar.advance), told)
        tried = {plan.name: _column(table.column(plan.name), plan, trial) for plan in plans}
    learnt = {name: modality for name, (_, modality) in tried.items() if modality}
    return [column for column, _ in tried.values()], learnt


def _column(column: Column, plan: ColumnPlan, trial: TrialDecoding) -> tuple[ColumnReport, Modality | None]:
    learnt, faults, undecodable = _try(column, plan, trial)
    findings = _findings(column, plan, trial, learnt) if learnt else []
    findings = unsaid(findings, {plan.name: plan.caution})
    report = ColumnReport(
        name=plan.name,
        modality=plan.modality,
        reason=plan.reason,
        caution=_joined([plan.caution, *(text for text in map(_sentence, findings) if text not in plan.reason)]),
        rows=len(column),
        missing=_missing(column, learnt),
        distinct=column.distinct if len(column.values) else 0,
        examples=[shorten(value) for value in column.sample(EXAMPLES)],
        unreadable=[str(group) for group in faults],
        checked=len(trial.rows) if learnt else 0,
        undecodable=undecodable,
        faults=[_fault(group) for group in faults],
        commonest=_commonest(column, COMMONEST),
        overview=learnt.overview(column) if learnt else Overview(),
        findings=findings,
    )
    return report, learnt


def _findings(column: Column, plan: ColumnPlan, trial: TrialDecoding, learnt: Modality) -> list[Problem]:
    """Return what was guessed, dropped or cut, and the encoder if it is not the default of the modality."""
    found = [_of_all_rows(problem) for problem in learnt.findings(plan.name)]
    if trial.training_rows is not None and plan.modality:
        advice = advised_encoder(column, plan.modality, learnt, trial.config, rows=trial.training_rows)
        found += [advice_finding(plan.name, learnt, advice, _unless(plan.modality))] if advice else []
    return found


def _unless(kind: str) -> str:
    """Return what would change the encoder of a modality when a fit is planned."""
    return "unless the preset uses a backbone" if kind in BACKBONES else ""


def _missing(column: Column, learnt: Modality | None) -> int:
    """Count the empty cells and the cells that the column reads as missing (words and codes), without problems."""
    empty = ~column.present
    if learnt is not None and learnt.quick:
        found = learnt.encode(column)
        empty |= ~found.present
        empty[[problem.row for problem in found.problems if problem.row is not None]] = False
    return int(empty.sum())


def _of_all_rows(problem: Problem) -> Problem:
    """Return the problem without "in the training rows": a trial does not learn from these alone."""
    return replace(problem, reason=problem.reason.replace(IN_TRAINING, ""))


def _try(column: Column, plan: ColumnPlan, trial: TrialDecoding) -> tuple[Modality | None, list[ProblemGroup], int]:
    """Decode some cells as training would."""
    if plan.modality is None:
        return None, [], 0
    cells = column.take(trial.rows)
    learnt = learn_modality(plan, _learned_from(column, cells, plan.modality), trial.config)
    found = learnt.encode(cells, trial.work)
    known = [problem for problem in trial.told.get(plan.name, ()) if problem.row is not None]
    faults = Problems([*known, *at_rows(Problems(found.problems), trial.rows)]).groups()
    return learnt, faults, int((cells.present & ~found.present).sum())


def _learned_from(column: Column, cells: Column, modality: str) -> Column:
    """Return the cells to learn from: all where that is quick, the decoded cells of files, else a larger sample.

    In a few cells most words and names would look rare.
    """
    kind = modalities.load(modality)
    if kind.quick or len(column) <= LEARNED_FROM:
        return cells if kind.cacheable else column
    return cells if kind.cacheable else column.take(evenly_spaced(len(column), LEARNED_FROM))


def _joined(cautions: Iterable[str]) -> str:
    return "; ".join(filter(None, cautions))


def _sentence(problem: Problem) -> str:
    return f"{problem.reason} ({problem.cure})" if problem.cure else problem.reason


def _fault(group: ProblemGroup) -> dict[str, Any]:
    return {key: value for key, value in group.to_json().items() if key != "column"}


def _commonest(column: Column, most: int) -> list[tuple[str, int]]:
    """Return the most common values; none if most cells are unique, or hold lists, objects or bytes."""
    kind = column.data.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or 2 * column.distinct > len(column.values):
        return []
    numbers, first, counts = np.unique(value_ids(column), return_index=True, return_counts=True)
    numbers, first, counts = (found[numbers >= 0] for found in (numbers, first, counts))
    order = np.argsort(-counts, kind="stable")[:most]
    values = column.take(first[order]).strings.to_pylist()
    return list(zip(map(shorten, values), counts[order].tolist(), strict=True))


def _with_caution(plan: ColumnPlan, target: Mapping[str, Any] | None) -> ColumnPlan:
    """Add the cautions about the target to its column."""
    return replace(plan, caution=target["caution"]) if target and target["column"] == plan.name else plan


def _target(found: Schema, findings: list[Problem], sides: Sides) -> dict[str, Any]:
    labels, guess = found.labels, found.task_guess
    return {
        "column": labels.name,
        "task": found.task_name,
        "reason": guess.reason,
        "caution": _joined([guess.caution, *map(_sentence, findings)]),
        "missing": int((~labels.present).sum()),
        "labels": [] if is_value(found.task_name) else _balance(labels, sides),
    }


def _target_findings(found: Schema, sides: Sides, config: Config) -> list[Problem]:
    """Return what a fit would report about the target, or what is known if it would not start."""
    labels, train = found.labels, np.flatnonzero(sides.splits == SPLITS.index("train"))
    with suppress(SchemaError):
        task = learn_task(found.task_name, labels, train, found.reading, config)
        checked = label_findings(task, task.encode(labels), sides.splits, labels.name)
        return [*task.findings(labels.name), *checked]
    return found.reading.findings(labels.name)


def _balance(column: Column, sides: Sides) -> list[dict[str, Any]]:
    """Return {"label", "rows", "train", "validation", "test"}, the most common label first."""
    own = {f"{name}=": part for name, part in column.parts.items()} or {"": column}
    labels: list[list[Any]] = [[] for _ in range(len(column))]
    for said, part in own.items():
        for row, cell in enumerate(label_cells(part).to_pylist()):
            cells = cell if isinstance(cell, list) else [] if cell is None else [cell]
            labels[row] += [f"{said}{shorten(cell)}" for cell in cells]
    counts = dict[str, np.ndarray]()
    for row, names in enumerate(labels):
        for name in names:
            counts.setdefault(name, np.zeros(4, np.int64))[sides.splits[row]] += 1
    ordered = sorted(counts.items(), key=lambda pair: -pair[1].sum())[:BALANCED]
    return [{"label": k, "rows": int(v.sum()), **dict(zip(SPLITS, v[:3].tolist(), strict=True))} for k, v in ordered]


def _split(table: Table, config: Config) -> tuple[Split | None, Config]:
    """Split the rows as training would, without a target only by a split column; and infer the column of groups."""
    found = split_column(table, config)
    if config.target:
        target = table.column(config.target)
        config, of_groups = with_inferred_group(table, target, config)
        split = make_split(table, target, config.split, found, config.seed)
        return replace(split, findings=(*split.findings, *of_groups)), config
    with suppress(SchemaError):  # rows that cannot be split for training can still be inspected
        if found:
            return make_split(table, table.column(found), config.split, found, config.seed), config
    return None, config


def _sides(table: Table, split: Split | None, config: Config) -> Sides:
    none = np.full(len(table), -1, np.int64)
    labels = value_ids(table.column(config.target)) if config.target else none
    return Sides(split.codes if split else none.astype(np.int8), labels)
