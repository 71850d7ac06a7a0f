"""The bars that `tables.py --report` judges: metrics, calibration and time of the default fit, with their figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from _report import Measured, TableReport
from _scores import Gain, gain

FLOORS = {"fomc_stance": 0.60, "clothing_reviews": 0.950, "av_digits": 0.94}  # of the mean metric over the splits
BESIDE_LINEAR = "mitbih_ecg"  # not below the statistics with a linear model, in at most SECONDS
SHIFTED = ("stocknet",)  # later days than those learned from: calibration is reported, not judged
KEEPS_GAIN = ("av_digits", "openmoji")  # over every single modality
SECONDS, LONGEST, TIMES_FAST = 60.0, 600.0, 3.0
SHARE = 2 / 3  # of the tables on which ours is above the chosen baseline

Models = Mapping[str, Mapping[int, Measured]]


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        name: what is required.
        passed: whether it is met; None if a cell that it needs is missing, or if it is only reported.
        figures: what was measured.
    """

    name: str
    passed: bool | None
    figures: str

    def __str__(self) -> str:
        word = {True: "met", False: "NOT met", None: "not judged"}[self.passed]
        return f"  {word:<11}{self.name}: {self.figures}"

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def bars(tables: Mapping[str, Models], reports: Mapping[str, TableReport], ours: str) -> list[Bar]:
    """Judge all bars.

    Args:
        tables: table → model → split → cell.
        reports: table → its report, by the table's own metric.
        ours: the model that is judged.
    """
    found = [*_over_tables(list(reports.values()), ours)]
    for name, report in reports.items():
        models = tables[name]
        found += [*_of_metric(name, report, ours), *_of_calibration(name, models, ours), *_of_time(name, models, ours)]
    return found


def _over_tables(reports: Sequence[TableReport], ours: str) -> Iterator[Bar]:
    gains = [report.gains[report.baseline] for report in reports if report.baseline in report.gains]
    if not gains:
        return
    below, above = sum(own.high < 0 for own in gains), sum(own.value > 0 for own in gains)
    mean = float(np.mean([own.standardised for own in gains]))
    ranks: dict[str, list[float]] = {}
    for report in reports:
        for model, rank in report.ranks().items():
            ranks.setdefault(model, []).append(rank)
    means = {model: float(np.mean(own)) for model, own in ranks.items() if len(own) == len(reports)}
    first = min(means, key=lambda model: means[model])
    yield Bar("no interval is entirely below 0", below == 0, f"{below} of {len(gains)} tables")
    yield Bar("the mean standardised difference is above 0", mean > 0, f"{mean:+.3f}")
    yield Bar("above the chosen baseline on two thirds", above >= SHARE * len(gains), f"{above} of {len(gains)} tables")
    shown = ", ".join(f"{model} {means[model]:.2f}" for model in sorted(means, key=lambda model: means[model]))
    yield Bar("first in mean rank", first == ours if len(means) > 1 else None, shown)


def _of_metric(name: str, report: TableReport, ours: str) -> Iterator[Bar]:
    value = report.values.get(ours)
    if name in FLOORS:
        floor = FLOORS[name]
        shown = "not done" if value is None else f"{value:.4f} over {report.splits[ours]} splits"
        yield Bar(f"{name}, {report.metric} at least {floor}", None if value is None else value >= floor, shown)
    if name == BESIDE_LINEAR and (own := report.gains.get("linear")):
        yield Bar(f"{name}, not below linear", own.high >= 0, _shown(own))
    if name in KEEPS_GAIN and (own := report.gains.get("single")):
        yield Bar(f"{name}, gain over every single modality", own.low > 0, _shown(own))


def _of_calibration(name: str, models: Models, ours: str) -> Iterator[Bar]:
    cells = {split: cell for split, cell in models.get(ours, {}).items() if cell.is_done}
    known = [cell.record["metrics"] for cell in cells.values() if "ece" in cell.record["metrics"]]
    if not known:
        return
    error, limit = (float(np.mean([own[key] for own in known])) for key in ("ece", "ece_limit"))
    is_judged = name not in SHIFTED
    yield Bar(f"{name}, calibration error", error <= limit if is_judged else None, f"{error:.3f}, limit {limit:.3f}")
    for metric in ("log_loss", "brier"):
        other = models.get("linear", {})
        shared = [split for split in sorted({*cells} & {*other}) if other[split].is_done]
        if shared:
            own = gain(metric, [cells[each].scored for each in shared], [other[each].scored for each in shared])
            yield Bar(f"{name}, {metric} not above linear", own.high >= 0 if is_judged else None, _shown(own))


def _of_time(name: str, models: Models, ours: str) -> Iterator[Bar]:
    """The seconds of the fits, without the predictions; all seconds of cells that were not done in time."""
    own, fast = (_fit_seconds(models.get(model, {})) for model in (ours, "fast"))
    if not (own and fast):
        yield Bar(f"{name}, time of the fit", None, "not measured")
        return
    limit = min(LONGEST, max(TIMES_FAST * float(np.mean(fast)), SECONDS))
    limit = SECONDS if name == BESIDE_LINEAR else limit
    seconds = float(np.mean(own))
    yield Bar(f"{name}, time of the fit", seconds <= limit, f"{seconds:.0f} s, limit {limit:.0f} s")


def _fit_seconds(cells: Mapping[int, Measured]) -> list[float]:
    found = [cell.record.get("fit_seconds") if cell.is_done else cell.record["seconds"] for cell in cells.values()]
    return [float(seconds) for seconds in found if seconds is not None]


def _shown(own: Gain) -> str:
    return f"{own.value:+.4f} ({own.low:+.4f} to {own.high:+.4f})"
