"""The report of `tables.py`: metrics, paired differences, choice of the baseline, mean ranks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from _real_tables import RealTable
from _scores import LOWER_IS_BETTER, Gain, Scored, gain, score
from scipy.stats import rankdata

BASELINES = ("linear", "trees", "single", "fast")  # of which one is chosen per table, on validation rows


@dataclass(frozen=True)
class Measured:
    """A cell as it lies in the folder of results."""

    record: Mapping[str, Any]
    predictions: Path

    @property
    def is_done(self) -> bool:
        return self.record["state"] == "done"

    @cached_property
    def scored(self) -> Scored:
        with np.load(self.predictions) as found:
            return Scored(found["truth"], found["scores"], found["units"])

    def value(self, metric: str) -> float:
        return score(metric, self.scored)


Cells = dict[str, dict[str, dict[int, Measured]]]  # table → model → split


def load_cells(folder: Path) -> Cells:
    found: Cells = {}
    for path in sorted(folder.glob("*/*/*.json")):
        record = json.loads(path.read_text())
        models = found.setdefault(record["table"], {})
        models.setdefault(record["model"], {})[record["split"]] = Measured(record, path.with_suffix(".npz"))
    return found


@dataclass(frozen=True)
class TableReport:
    """What was measured on one table.

    Attributes:
        metric: name of the metric.
        values: model → mean of the metric over its splits; None if a cell did not end in time or failed.
        splits: model → number of splits.
        seconds: model → mean seconds of a cell.
        gains: model → paired difference of ours over the splits that both have.
        baseline: the baseline with the best metric on the validation rows; empty without one.
    """

    metric: str
    values: Mapping[str, float | None]
    splits: Mapping[str, int]
    seconds: Mapping[str, float]
    gains: Mapping[str, Gain]
    baseline: str

    def ranks(self) -> dict[str, float]:
        """Rank the models from 1; equal ones share the mean of their ranks, unfinished ones are last."""
        sign = 1 if self.metric in LOWER_IS_BETTER else -1
        keys = [np.inf if value is None else sign * value for value in self.values.values()]
        return dict(zip(self.values, map(float, rankdata(keys)), strict=True))


def report_table(models: Mapping[str, Mapping[int, Measured]], ours: str, metric: str) -> TableReport:
    """Compare the models of one table."""
    values = {
        name: float(np.mean([cell.value(metric) for cell in cells.values()])) if _is_done(cells) else None
        for name, cells in models.items()
    }
    return TableReport(
        metric,
        values,
        {name: len(cells) for name, cells in models.items()},
        {name: float(np.mean([cell.record["seconds"] for cell in cells.values()])) for name, cells in models.items()},
        {name: found for name in models if name != ours and (found := _gain(models, ours, name, metric))},
        choose_baseline(models, ours, metric),
    )


def _is_done(cells: Mapping[int, Measured]) -> bool:
    return all(cell.is_done for cell in cells.values())


def _gain(models: Mapping[str, Mapping[int, Measured]], ours: str, other: str, metric: str) -> Gain | None:
    """Return the paired difference over the splits that both have done."""
    first, second = models.get(ours, {}), models[other]
    shared = [split for split in sorted({*first} & {*second}) if first[split].is_done and second[split].is_done]
    if not shared:
        return None
    return gain(metric, [first[split].scored for split in shared], [second[split].scored for split in shared])


def choose_baseline(models: Mapping[str, Mapping[int, Measured]], ours: str, metric: str) -> str:
    """Return the finished baseline with the best mean metric on the validation rows of the cells."""
    sign = -1 if metric in LOWER_IS_BETTER else 1
    known = {
        name: sign * float(np.mean([cell.record["validation"][metric] for cell in models[name].values()]))
        for name in BASELINES
        if name != ours and models.get(name) and _is_done(models[name])
    }
    return max(known, key=lambda name: known[name]) if known else ""


def report_tables(cells: Cells, tables: Mapping[str, RealTable], ours: str, metric: str = "") -> dict[str, TableReport]:
    """Compare the models of each table, by its own metric or by one that all tables have."""
    return {
        name: report_table(models, ours, metric or tables[name].metric)
        for name, models in cells.items()
        if name in tables and not (metric and _lacks(models, metric))
    }


def show(reports: Mapping[str, TableReport], ours: str) -> None:
    """Print the report: a block per table, then the figures over all tables."""
    for name, report in reports.items():
        print(f"\n{name}: {report.metric}")
        for model in sorted(report.values, key=lambda model: report.ranks()[model]):
            print(f"  {line(report, model)}")
    show_means(list(reports.values()), ours)


def _lacks(models: Mapping[str, Mapping[int, Measured]], metric: str) -> bool:
    done = [cell for cells in models.values() for cell in cells.values() if cell.is_done]
    return not done or metric not in done[0].record["metrics"]


def line(report: TableReport, model: str) -> str:
    """A model of a table: metric, splits, seconds, and the difference of ours to it."""
    value, found = report.values[model], report.gains.get(model)
    shown = "not done" if value is None else f"{value:.4f}"
    difference = f"  ours {found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})" if found else ""
    chosen = ", chosen baseline" if model == report.baseline else ""
    return f"{model:<10}{shown:>9}  {report.splits[model]} splits {report.seconds[model]:>6.0f} s{difference}{chosen}"


def show_means(reports: Sequence[TableReport], ours: str) -> None:
    """Print mean ranks and, for ours, the standardised differences to the chosen baselines."""
    ranks: dict[str, list[float]] = {}
    for report in reports:
        for model, rank in report.ranks().items():
            ranks.setdefault(model, []).append(rank)
    print("\nmean rank")
    for model in sorted(ranks, key=lambda model: np.mean(ranks[model])):
        print(f"  {model:<10}{np.mean(ranks[model]):>6.2f}  {len(ranks[model])} tables")
    found = [report.gains[report.baseline] for report in reports if report.baseline in report.gains]
    if found:
        above, below = sum(one.value > 0 for one in found), sum(one.high < 0 for one in found)
        print(f"\n{ours} minus the chosen baseline, {len(found)} tables")
        print(f"  mean standardised difference {np.mean([one.standardised for one in found]):+.3f}")
        print(f"  above it by point on {above}, interval entirely below 0 on {below}")
