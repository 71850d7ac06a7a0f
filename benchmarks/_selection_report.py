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
PATIENCE = 8
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
    if figure not in ("table_metric", "metric") and cell["constant"] is None:
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


def report(cells: Sequence[Cell], patience: int | None) -> dict[str, dict[str, Any]]:
    """Return, per criterion, epochs trained and chosen, and the gain over the watched metric in each figure."""
    choices = {name: [choose(name, known_of(cell), patience) for cell in cells] for name in CRITERIA}
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
    figures = {"all epochs": report(cells, None), f"patience {PATIENCE}": report(cells, PATIENCE)}
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
        path.write_text(json.dumps({"cells": len(cells), "tables": tables, **figures}, indent=1) + "\n")
