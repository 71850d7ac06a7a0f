"""The report of `selection.py`: what each criterion would have chosen, and paired differences to the watched metric."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _criteria import CRITERIA, Known, choose
from scipy.stats import t as student

TODAY = "metric"
PATIENCE = 8  # epochs, by default; few rows have more (`config/_preset.py`)
FEW, FEW_PATIENCE = 600, 20
FIGURES = ("table_metric", "metric", "scaled", "log_loss", "ece_scaled")
LABELS = {
    "table_metric": "metric of the table", "metric": "watched metric", "scaled": "log loss after temperature",
    "log_loss": "log loss", "ece_scaled": "ECE after temperature",
}  # fmt: skip
Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Mean:
    """Mean over tables of the mean over seeds, with a 95% interval (Student's t over the tables)."""

    value: float
    low: float
    high: float
    tables: int
    better: int  # tables whose mean is on the better side of 0


def load_cells(folder: Path) -> list[Cell]:
    """Read all cells of a folder of results."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/*.json"))]


def known_of(cell: Cell) -> Known:
    """Return the validation series of a cell."""
    names = ("metric", "error", "loss", "log_loss", "scaled")
    known = {name: np.array([epoch["validation"][name] for epoch in cell["epochs"]], np.float64) for name in names}
    cold = np.array([epoch["temperature"] < 1 for epoch in cell["epochs"]])
    hot = np.where(cold, known["log_loss"], np.minimum(known["log_loss"], known["scaled"]))
    return known | {"hot": hot, "relative": known["scaled"] / (cell["constant"] or 1.0)}


def judged(cell: Cell, figure: str, place: int) -> float:
    """Return a figure of the judged rows after an epoch; larger is better. NaN if the task has no such figure."""
    if figure != "table_metric" and cell["constant"] is None:  # the error of an amount is in its own unit
        return np.nan
    value = float(cell["epochs"][place]["test"][figure])
    return value if figure in ("table_metric", "metric") else -value


def mean_over_tables(cells: Sequence[Cell], values: Sequence[float]) -> Mean:
    """Average the values of the cells by table; NaN values do not count."""
    tables = sorted({cell["table"] for cell in cells})
    own = [[v for cell, v in zip(cells, values, strict=True) if cell["table"] == name] for name in tables]
    means = np.array([np.mean(found) for found in own if not np.isnan(found).any()])
    half = student.ppf(0.975, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5 if len(means) > 1 else np.nan
    return Mean(
        float(means.mean()), float(means.mean() - half), float(means.mean() + half), len(means), int(np.sum(means > 0))
    )


def stopped_at_none(criterion: str, cell: Cell) -> tuple[int, int]:
    """Choose among all epochs."""
    return choose(criterion, known_of(cell))


def stopped_by_metric(criterion: str, cell: Cell) -> tuple[int, int]:
    """Choose among the epochs until the watched metric has run out of the default patience: as many for each."""
    patience = FEW_PATIENCE if cell["rows"]["train"] <= FEW else PATIENCE
    return choose(criterion, known_of(cell), patience, TODAY)


def stopped_by_itself(criterion: str, cell: Cell) -> tuple[int, int]:
    """Choose among the epochs until the criterion itself has not improved for 8 epochs."""
    return choose(criterion, known_of(cell), PATIENCE)


MODES = {"all epochs": stopped_at_none, "stopped by the metric": stopped_by_metric, "patience 8": stopped_by_itself}


def report(cells: Sequence[Cell], mode: str) -> dict[str, dict[str, Any]]:
    """Return, per criterion, epochs trained and chosen, and the gain over the watched metric in each figure."""
    choices = {name: [MODES[mode](name, cell) for cell in cells] for name in CRITERIA}
    found: dict[str, dict[str, Any]] = {}
    for name, own in choices.items():
        epochs = [len(cell["epochs"]) for cell in cells]
        row: dict[str, Any] = {
            "epochs": float(np.mean([done / most for (_, done), most in zip(own, epochs, strict=True)])),
            "chosen": float(np.mean([(place + 1) / most for (place, _), most in zip(own, epochs, strict=True)])),
            "above_constant": sum(
                cell["constant"] is not None and cell["epochs"][place]["test"]["scaled"] > cell["constant"]
                for cell, (place, _) in zip(cells, own, strict=True)
            ),
        }
        for figure in FIGURES:
            pairs = zip(cells, own, choices[TODAY], strict=True)
            values = [judged(cell, figure, new[0]) - judged(cell, figure, old[0]) for cell, new, old in pairs]
            row[figure] = vars(mean_over_tables(cells, values))
        found[name] = row
    return found


def show(cells: Sequence[Cell], path: Path | None = None) -> None:
    """Print the report with and without early stopping, and write it as JSON."""
    figures = {mode: report(cells, mode) for mode in MODES}
    tables = sorted({cell["table"] for cell in cells})
    print(f"{len(cells)} cells of {len(tables)} tables: {', '.join(tables)}")
    for title, rows in figures.items():
        print(f"\n{title}: gain over {TODAY!r} on the judged rows, mean over tables (95% interval); positive is better")
        for name, row in rows.items():
            print(f"\n  {name}: {row['epochs']:.0%} of the epochs trained, epoch at {row['chosen']:.0%} chosen, "
                  f"{row['above_constant']} cells above the log loss of the constant")  # fmt: skip
            for figure in FIGURES if name != TODAY else ():
                own = row[figure]
                print(f"    {LABELS[figure]:<28}{own['value']:+.4f} ({own['low']:+.4f} to {own['high']:+.4f}), "
                      f"better on {own['better']} of {own['tables']} tables")  # fmt: skip
    if path:
        names = [f"{cell['table']} {cell['seed']}" for cell in cells]
        path.write_text(json.dumps({"cells": names, **figures}, indent=1) + "\n")
