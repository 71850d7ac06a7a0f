"""Make the plan of a fit, before any file is decoded."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import torch

from sensorium.augment import choose_augmentations
from sensorium.config import Config
from sensorium.errors import ConfigError, list_names
from sensorium.findings import Problems, count
from sensorium.modalities import Modality
from sensorium.model import (
    NO_MODULES,
    Blueprint,
    FittedModel,
    FusionModel,
    OwnModules,
    build_network,
    outline_network,
    pick_device,
    plan_model,
    rehearse_parts,
)
from sensorium.planning._checks import check_labels
from sensorium.planning._columns import LearnedColumns, learn_columns
from sensorium.planning._dealt import deal_rows
from sensorium.planning._plan import Labels, Plan
from sensorium.planning._schema import continued_schema
from sensorium.planning._sizes import count_cores
from sensorium.planning._target_transform import select_transform
from sensorium.planning._teacher import check_teacher
from sensorium.prepare import cautions, table_findings, unsaid, with_advice
from sensorium.runtime.threads import Threads
from sensorium.schema import Schema, Sides, duplicate_findings, infer_schema, leakage_findings, value_ids
from sensorium.split import SPLITS, Split
from sensorium.table import Column, Rows, Table, as_read
from sensorium.tasks import EncodedTarget, Task, label_findings, learn_task, rehearse_task
from sensorium.train import check_calibration, check_conformal, check_for_model, check_for_task, check_threshold

if TYPE_CHECKING:
    from sensorium.runtime.progress import Reporter

Settle: TypeAlias = Callable[[Schema, Config], Config]

LOGGED = 30  # notices in the progress


def make_plan(
    table: Table,
    config: Config,
    report: Reporter,
    *,
    modules: OwnModules = NO_MODULES,
    start: FittedModel | None = None,
    teacher: FittedModel | None = None,
    cores: int | None = None,
    dealt: tuple[Schema, Split] | None = None,
    settle: Settle = lambda schema, config: config,
) -> Plan:
    """Infer schema, split, task and network of a table, and check every setting, before any file is decoded.

    Args:
        table: the rows.
        config: the settings; `target` is set.
        report: logs guesses and findings.
        modules: the user's own modules.
        start: a model to continue training, whose columns, statistics, task and network are kept.
        teacher: a model to distil knowledge from.
        cores: number of cores that an earlier start of the run recorded; by default, those of this machine.
        dealt: schema and split of a fold; by default, both are inferred.
        settle: completes the settings once the schema is known; it must not change how the table is read.

    Raises:
        SchemaError, ConfigError, DataError: the table and the settings do not fit each other.
        OutOfMemoryError: training the network needs more memory than this process may use.
    """
    assert (teacher is not None) == bool(config.train.teacher), "the caller must load the teacher named in the settings"
    config = as_read(config, table)
    check_target(config, table)
    device = pick_device(config.device)
    start = start and _on_device(start, device)
    schema, fold = dealt or (None, None)
    if schema is None:
        schema = continued_schema(table, config, start, report) if start else infer_schema(table, config)
    config = settle(schema, config)
    check_for_task(config, schema.task_name)
    rows = deal_rows(schema, config, report, start=start, teacher=teacher, split=fold)
    config, split = rows.config, rows.split
    task, index_map = _learn_task(schema, config, split, start)
    check_calibration(config, len(split.rows("validation")), task)
    check_conformal(config, schema.task_name, task)
    check_threshold(config, task)
    if teacher:
        check_teacher(teacher, task, str(config.train.teacher))
    cores = count_cores(device) if cores is None else cores
    columns = _learn_columns(schema, config, np.union1d(split.rows("train"), rows.unlabelled), start, cores)
    config = with_advice(config, columns.advice)
    blueprint = start.blueprint if start else plan_model(columns.learnt, columns.kinds, config, modules)
    augmented = choose_augmentations(columns.kinds, config)
    network = _network_to_check(blueprint, columns.learnt, task, modules, config)
    rehearse_parts(network, blueprint, columns.learnt, task, modules)
    validation = split.rows("validation")
    check_for_model(config, blueprint, network, task=schema.task_name, device=device, validation=validation)
    encoded = _encode(task, schema.target, split)
    if start is None:
        task = select_transform(
            task, encoded, schema=schema, config=config, train=split.rows("train"), learnt=columns.learnt
        )
    rehearse_task(schema.task_name, task, encoded)
    findings, notices = _findings(schema, columns, split, (task, encoded), config)
    used = np.union1d(np.flatnonzero((split.codes >= 0) & encoded.known), rows.unlabelled)
    check_calibration(config, int(np.sum(split.codes[used] == SPLITS.index("validation"))), task)
    return Plan(
        table=schema.table,
        config=config,
        modules=modules,
        device=device,
        threads=Threads.choose(config.threads),
        cores=cores,
        columns=columns.plans,
        kinds=columns.kinds,
        learnt=columns.learnt,
        labels=Labels(schema.labels, schema.task_name, task, index_map, encoded),
        split=split,
        split_column=rows.split_column,
        unlabelled=rows.unlabelled,
        unlabelled_learners=rows.learners,
        blueprint=blueprint,
        augmented=augmented,
        used=used,
        fingerprint=schema.table.fingerprint(),
        findings=findings,
        notices=notices,
        start=start,
        teacher=teacher,
    )


def check_target(config: Config, table: Table) -> None:
    """Check that the settings name a target.

    Raises:
        ConfigError: they do not.
    """
    if not config.target:
        raise ConfigError(
            "no target is given: name the column to predict",
            place="target",
            cure=f"--target COLUMN (Python: target=), one of: {list_names(table.columns)}",
        )


def _network_to_check(
    blueprint: Blueprint,
    learnt: Mapping[str, Modality],
    task: Task,
    modules: OwnModules,
    config: Config,
) -> FusionModel | None:
    """Outline the network; build it if that fails and settings freeze parts, whose names are then needed."""
    network = outline_network(blueprint, learnt, task, modules)
    if network is None and config.train.freeze:
        with torch.random.fork_rng():
            return build_network(blueprint, learnt, task, modules.copied())
    return network


class Noticed(Protocol):
    """Plan, or plans of folds, with findings that the user should read."""

    @property
    def table(self) -> Table:
        """The rows."""

    @property
    def notices(self) -> Problems:
        """Findings and uncertain guesses."""


def log_notices(plan: Noticed, report: Reporter) -> None:
    """Log uncertain guesses and what is left out, before the training starts."""
    for note in plan.table.notes:
        report.log(note)
    for notice in plan.notices[:LOGGED]:
        report.log(notice.sentence())
    if (more := len(plan.notices) - LOGGED) > 0:
        report.log(f"? and {count(more, 'more notice')}; --json lists all of them")


def _on_device(start: FittedModel, device: torch.device) -> FittedModel:
    """Copy the model to the device; the user's model is not changed."""
    return start.with_first(network=copy.deepcopy(start.network).to(device))


def _learn_task(schema: Schema, config: Config, split: Split, start: FittedModel | None) -> tuple[Task, list[int]]:
    rows = split.rows("train")
    if start is not None:
        return start.task.extend(schema.target.take(rows), config.train.class_weight)
    return learn_task(schema.task_name, schema.labels, rows, schema.reading, config), []


def _findings(
    schema: Schema, columns: LearnedColumns, split: Split, target: tuple[Task, EncodedTarget], config: Config
) -> tuple[Problems, Problems]:
    """Return the findings about columns, split and target; and the notices for the user: findings and guesses."""
    name, (task, encoded) = schema.target.name, target
    findings = table_findings(schema.table, columns.learnt, split, task, name)
    findings.extend(columns.findings)
    findings.extend(label_findings(task, encoded, split.codes, name))
    table, sides = schema.labelled, Sides(split.codes, value_ids(schema.labels))
    findings.extend(leakage_findings(table, columns.plans, sides, config))
    findings.extend(duplicate_findings(table, columns.plans, sides, config))
    guesses = cautions(columns.plans, name, schema.task_name, schema.task_guess)
    said = {plan.name: plan.caution for plan in columns.plans}
    return findings, Problems([*guesses, *unsaid(findings, said)])


def _learn_columns(schema: Schema, config: Config, rows: Rows, start: FittedModel | None, cores: int) -> LearnedColumns:
    if start is not None:
        return LearnedColumns(schema.columns, schema.kinds, dict(start.learnt))
    return learn_columns(schema, config, rows, cores)


def _encode(task: Task, target: Column, split: Split) -> EncodedTarget:
    """Encode the label of each row; leave out outliers that would disturb training or model selection."""
    learning = np.isin(split.codes, [SPLITS.index("train"), SPLITS.index("validation")])
    encoded = task.without_outliers(task.encode(target), learning)
    check_labels(encoded, np.flatnonzero(split.codes == SPLITS.index("train")), target)
    return encoded
