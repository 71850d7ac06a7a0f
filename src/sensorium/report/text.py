"""Show results as Rich tables and lines."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import stdev
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from sensorium.evaluate import ClassScores, Evaluation, Subsets
from sensorium.findings import Problems, count
from sensorium.report._parts import few_lines, groups_line, rows_scored, text_line
from sensorium.report._parts import interval as _interval
from sensorium.report._parts import make_table as _table
from sensorium.report._parts import signed as _signed
from sensorium.report._wide import COLUMNS, first_lines, more_columns, shown_columns
from sensorium.report.coverage import coverage_text
from sensorium.report.imbalance import imbalance_text
from sensorium.report.slices import slices_text
from sensorium.wording import (
    calibration_sentence,
    conformal_sentences,
    coverage_sentence,
    restart_sentence,
    say,
    stop_sentence,
    threshold_sentence,
    titles,
    tuning_sentence,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sensorium.inspection import ColumnReport, Inspection
    from sensorium.model.card import DataSpec, MemberRecord, ModelCard, SearchRecord, SearchTraining

SHOWN = 8  # groups of problems
CLASS_METRICS = ("precision", "recall", "f1")  # shown on a terminal
LONGEST = 200  # characters of the modalities of a subset


def inspection_text(found: Inspection) -> RenderableType:
    """Show every column, then target, split, cautions, advice, copies and unreadable cells."""
    table = _table(*titles("column", "modality", "why", "missing", "different", "examples"))
    shown = dict(shown_columns(found.columns))
    for column in shown.values():
        examples = "; ".join(_short(example) for example in column.examples)
        style = "dim" if column.modality is None else ""
        table.add_row(
            column.name,
            column.modality or "–",
            column.reason,
            missing_text(column),
            f"{column.distinct:,}",
            examples,
            style=style,
        )
    lines: list[RenderableType] = [text_line(say("line.table", table=found.table, rows=found.rows)), table]
    lines += more_columns([column.modality for place, column in enumerate(found.columns) if place not in shown])
    if found.target and found.split:
        target, key = found.target, "line.target_missing" if found.target["missing"] else "line.target"
        figures = {name: target[name] for name in ("task", "reason", "missing")}
        lines.append(text_line(say(key, target=target["column"], **figures)))
        lines.append(text_line(say("line.split", rule=found.split["how"], sizes=_sizes(found.split["rows"]))))
        lines += _cautions([(target["column"], target["caution"])])
    told = found.target["column"] if found.target else None
    lines += first_lines(_cautions((column.name, column.caution) for column in found.columns if column.name != told))
    lines += [text_line(f"? {notice}", "cyan") for notice in map(notice_text, found.table_notices)]
    advice = [": ".join(filter(None, (_flag(each["setting"]), each["reason"]))) for each in found.advice]
    lines += first_lines([text_line(f"? {line}", "cyan") for line in advice])
    lines += first_lines([text_line(f"! {copies}", "yellow") for copies in found.copies])
    unreadable = [line for column in found.columns for line in column.unreadable]
    lines += first_lines([text_line(f"! {line}", "yellow") for line in unreadable])
    key = "line.checked_all" if found.every else "line.checked_some"
    lines.append(text_line(say(key, cells=max((column.checked for column in found.columns), default=0))))
    return Group(*lines)


def missing_text(column: ColumnReport) -> str:
    """Format the missing cells of a column, and those of the decoded cells that cannot be decoded."""
    share = f"{column.missing:,} ({column.missing / column.rows:.0%})" if column.missing else "0"
    return f"{share}; {column.undecodable:,} of {column.checked:,} undecodable" if column.undecodable else share


def _sizes(rows: Mapping[str, int]) -> str:
    return ", ".join(say("part.size", rows=n, split=name) for name, n in rows.items())


def fit_text(
    columns: Sequence[Mapping[str, str]], card: ModelCard, data: DataSpec, evaluation: Evaluation | None
) -> RenderableType:
    """Show what was learned of each column, how training went, the fusion weights and the test metrics."""
    table = _table(*titles("column", "modality", "learned"))
    for column in columns[:COLUMNS]:
        table.add_row(column["name"], column["modality"], column["learnt"])
    more = more_columns([column["modality"] for column in columns[COLUMNS:]])
    lines: list[RenderableType] = [table, *more, *map(text_line, _training(card, data))]
    if card.restart:
        lines.append(text_line(f"? {restart_sentence(card.restart)}", "yellow"))
    if card.tuning:
        lines.append(text_line(tuning_sentence(card.tuning), "bold"))
    lines += [text_line(calibration_sentence(card.calibration))] if card.calibration else []
    lines += [text_line(line) for line in conformal_sentences(card.conformal)] if card.conformal else []
    lines += [text_line(threshold_sentence(card.threshold))] if card.threshold else []
    lines += [search_text(card.search, blended=card.blend is not None)] if card.search else []
    tested = [evaluation_text(evaluation)] if evaluation else []
    return Group(*lines, *imbalance_text(card), *tested, *_of_folds(card))


def _of_folds(card: ModelCard) -> list[RenderableType]:
    """Show the metrics of a cross-validation, if there was one."""
    found = card.cross_validation
    if found is None:
        return []
    table = _table(*titles("metric", "mean_of_folds", "interval", "folds"))
    for name, value in found.metrics.items():
        low, high = found.intervals[name]
        spread = [own[name] for own in found.by_fold if math.isfinite(own[name])]
        table.add_row(name, f"{value:.4f}", _interval((low, high)), f"{stdev(spread):.4f}" if len(spread) > 1 else "")
    return [text_line(say("line.folds", rows=found.n, rule=found.rule)), table]


def _training(card: ModelCard, data: DataSpec) -> Iterator[str]:
    yield say("line.rows", sizes=_sizes(data.split_rows), rule=data.split_rule)
    yield from _without_labels(card)
    if card.augment:
        own = (say("part.augmentation", column=name, names=", ".join(chosen)) for name, chosen in card.augment.items())
        yield say("line.augmented", columns="; ".join(own))
    epochs, seconds = len(card.history.epochs), _seconds(card.seconds)
    key = {0: "line.no_epochs", 1: "line.one_epoch"}.get(epochs, "line.epochs")
    lines = [say(key, epochs=epochs, seconds=seconds, best=card.history.best), stop_sentence(card.history)]
    used = card.members is None or any(member.kind == "network" for member in card.members)
    for line in filter(None, lines):
        yield say("line.of_network" if used else "line.of_unused_network", line=line) if card.blend else line
    if card.members:
        yield say("line.members", members=", ".join(_members(card.members)))
    if card.modality_weights:
        weights = ", ".join(f"{name} {weight:.3f}" for name, weight in card.modality_weights.items())
        yield say("line.fusion_weights", weights=weights)


def _members(members: Sequence[MemberRecord]) -> Iterator[str]:
    """Return name and weight of each member, with its modalities if it does not read all of them."""
    every = {name for member in members for name in member.modalities}
    for member in members:
        some = f" ({', '.join(member.modalities)})" if len(member.modalities) < len(every) else ""
        yield say("part.member", name=member.name + some, weight=member.weight)


def _seconds(value: float) -> str:
    """Return whole seconds; two digits of a short time, which would be 0."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _without_labels(card: ModelCard) -> Iterator[str]:
    """Report the unlabelled rows that were used, and pre-training."""
    unlabelled, before = card.unlabelled, card.pretraining
    if unlabelled.rows:
        yield say("line.unlabelled", rows=unlabelled.rows, techniques=say("and").join(unlabelled.learnt_from_by))
    if before:
        names = say("and").join(before.techniques)
        yield say("line.pretrained", techniques=names, rows=before.rows, epochs=len(before.epochs))


def search_text(found: SearchRecord, *, blended: bool = False) -> RenderableType:
    """Show the best trials of a search once each, best first, with their trainings, and which models were chosen."""
    table = _table(*titles("trial", "validation", "trainings", "seconds", metric=found.metric))
    for trial in found.best:
        trainings: Sequence[SearchTraining] = trial.trainings or [trial]
        epochs = [count(own.trained, "epoch") for own in trainings]
        pairs = zip(epochs, trainings, strict=True)
        history = ", ".join(say("part.after_epochs", epochs=after, value=_metric(own)) for after, own in pairs)
        table.add_row(trial.name, _metric(trial), history, _seconds(sum(own.seconds for own in trainings)))
    figures = {"trials": found.trials, "seconds": found.seconds, "budget": found.budget, "shown": len(found.best)}
    every = "line.search" if len(found.best) == found.trials else "line.search_best"
    head = say(every, trainings=found.trainings or found.trials, **figures)
    models = say("part.plus").join(found.chosen)
    value = say("part.undefined") if found.validation is None else f"{found.validation:.4f}"
    key = "line.chosen_networks" if blended else "line.chosen"
    chosen = say(key, models=models, metric=found.metric, value=value)
    if found.ensemble:
        chosen = say("line.ensemble", chosen=chosen, gain=found.ensemble.value)
    covered = [text_line(coverage_sentence(found.coverage))] if found.coverage else []
    return Group(text_line(head), table, *covered, *([text_line(chosen)] if found.chosen else []))


def _metric(training: SearchTraining) -> str:
    if training.metric is not None:
        return f"{training.metric:.4f}"
    return say("part.failed" if training.loss is None else "part.undefined")


def evaluation_text(found: Evaluation) -> RenderableType:
    """Show every metric with its interval, and scores with fewer modalities if they were requested."""
    table = _table(*titles("metric", "value", "interval"))
    for name, value in found.metrics.items():
        table.add_row(name, f"{value:.4f}", _interval(found.intervals[name]))
    fewer = [subsets_text(found.subsets)] if found.subsets else []
    covered = [coverage_text(found.coverage)] if found.coverage else []
    sliced = slices_text(found.slices) if found.slices else []
    rows = rows_scored(found.n if found.by is None else found.by.rows, found.rows.removesuffix(" rows"))
    scored = rows if found.by is None else say("line.units", units=found.n, column=found.by.column, rows=rows)
    classes = [] if found.classes is None else [classes_text(found.classes)]
    more = [*groups_line(found.groups), *few_lines(found.few), *classes, *fewer, *sliced, *covered]
    return Group(text_line(scored), table, *more)


def classes_text(found: Sequence[ClassScores]) -> RenderableType:
    """Show precision, recall and F1 of each class; of many classes, those with the lowest F1."""
    shown = found if len(found) <= COLUMNS else sorted(found, key=_f1)[:COLUMNS]
    table = _table(*titles("class", "rows", "precision", "recall", "f1"))
    for own in shown:
        figures = (f"{own.metrics[name]:.3f} ({_interval(own.intervals[name], '.3f')})" for name in CLASS_METRICS)
        table.add_row(_short(own.name, LONGEST), f"{own.rows:,}", *figures)
    more = len(found) - len(shown)
    return Group(table, *([text_line(say("line.more_classes", classes=more))] if more else []))


def _f1(own: ClassScores) -> float:
    value = own.metrics["f1"]
    return value if math.isfinite(value) else math.inf


def subsets_text(found: Subsets) -> RenderableType:
    """Show the watched metric with fewer modalities, the loss against all of them, and Shapley values."""
    table = _table(*titles("modalities", "rows_with_one"), found.metric, *titles("interval", "change_from_all"))
    for result in found.results[: COLUMNS - 1] + found.results[COLUMNS - 1 :][-1:]:  # all modalities come last
        value, given = f"{result.value:.4f}", _short(" + ".join(result.modalities), LONGEST)
        table.add_row(given, f"{result.rows:,}", value, _interval(result.interval), _signed(result.difference))
    lines: list[RenderableType] = [text_line(say("line.subsets", subsets=found.listed)), table]
    if (more := len(found.results) - COLUMNS) > 0:
        lines.append(text_line(say("line.more_subsets", subsets=more)))
    if found.shares:
        brought = _table(*titles("modality", "shapley", "interval", metric=found.metric))
        for name, share in found.shares.items():
            brought.add_row(name, f"{share.value:+.4f}", _interval(share.interval, "+.4f"))
        lines.append(brought)
    else:
        lines.append(text_line(say("line.no_shapley")))
    return Group(*lines)


def predictions_text(answers: pa.Table, truth: Mapping[int, Any], rows: int) -> RenderableType:
    """Show predictions of the first rows beside the known labels."""
    table = _table(*titles("row", "prediction", "truth", "probability"))
    for answer in answers.take(list(truth)[:rows]).to_pylist():
        sure = answer.get(f"probability_{answer['prediction']}")
        shown = "" if sure is None else f"{sure:.3f}"
        table.add_row(str(answer["row"]), str(answer["prediction"]), str(truth[answer["row"]]), shown)
    return table


def problems_text(problems: Problems) -> RenderableType:
    """Show the largest groups of problems; empty if there are none."""
    groups = problems.groups()
    lines = [text_line(f"! {group}", "yellow") for group in groups[:SHOWN]]
    if len(groups) > SHOWN:
        lines.append(text_line(f"! {say('line.more_problems', kinds=len(groups) - SHOWN)}", "yellow"))
    return Group(*lines)


def _flag(setting: str) -> str:
    return f"--set {shlex.quote(setting)}" if setting else ""


def notice_text(notice: Mapping[str, Any]) -> str:
    """Format a finding about a column or table as one line."""
    name = f"{notice['column']}: " if notice["column"] else ""
    return f"{name}{notice['reason']}{f' ({cure})' if (cure := notice['cure']) else ''}"


def _cautions(pairs: Iterable[tuple[str, str]]) -> list[Text]:
    return [text_line(f"? {name}: {caution}", "cyan") for name, caution in pairs if caution]


def _short(text: str, longest: int = 30) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
