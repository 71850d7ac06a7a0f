"""Results of evaluating prediction sets and prediction intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sensorium.files.figures import finite


@dataclass(frozen=True)
class CoverageRate:
    """Share of rows whose region contains the truth, and the size of the regions.

    Attributes:
        names: modalities that the rows have, or their class; empty for all rows.
        rows: number of rows.
        calibration_rows: number of rows whose nonconformity scores determine the regions.
        fallback: whether these are rows of all categories, because their own are too few.
        coverage: share of rows whose set or interval contains the truth.
        interval: its 95% interval (Wilson's; for groups, with the design effect).
        size: mean number of classes or labels in a set, or mean width of an interval in the unit of the target.
        size_interval: its bootstrap 95% interval.
        empty: share of empty sets; None for amounts.
    """

    names: list[str]
    rows: int
    calibration_rows: int
    fallback: bool
    coverage: float
    interval: tuple[float, float]
    size: float
    size_interval: tuple[float, float]
    empty: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as JSON values; undefined ones are null."""
        found = {name: value for name, value in asdict(self).items() if name != "empty" or value is not None}
        for name in ("interval", "size_interval"):
            found[name] = [finite(bound) for bound in found[name]]
        return {**found, "coverage": finite(self.coverage), "size": finite(self.size)}


@dataclass(frozen=True)
class TargetCoverage:
    """Coverage of the regions of one target.

    Attributes:
        method: nonconformity score.
        every: all rows.
        modalities: rows by the modalities that they have.
        classes: rows by their true class, or with each label; empty for amounts.
        abstention: points of a curve: `answered` share of rows, those with the most certain predictions first, and
            `accuracy` of the predictions for these; for amounts, `mae` with the narrowest intervals first. Empty if
            all rows are equally certain.
        single: share of rows whose set has a single class or label, and the accuracy of these sets; None for amounts
            and for any number of labels per row.
    """

    method: str
    every: CoverageRate
    modalities: Sequence[CoverageRate]
    classes: Sequence[CoverageRate]
    abstention: Sequence[dict[str, float]]
    single: dict[str, float] | None = None

    @property
    def has_sets(self) -> bool:
        """Return whether regions are sets; else they are intervals."""
        return self.every.empty is not None

    def with_labels(self, labels: Sequence[Any]) -> TargetCoverage:
        """Return the coverage with labels in place of the numbers of classes."""
        return replace(self, classes=[replace(own, names=[str(labels[int(own.names[0])])]) for own in self.classes])

    def to_json(self) -> dict[str, Any]:
        """Return all rates and the abstention curve as JSON values."""
        return {
            "method": self.method,
            **{name: value for name, value in self.every.to_json().items() if name != "names"},
            "modalities": [rate.to_json() for rate in self.modalities],
            **({"classes": [rate.to_json() for rate in self.classes]} if self.has_sets else {}),
            **({"single": _finite(self.single)} if self.single else {}),
            "abstention": [_finite(point) for point in self.abstention],
        }


@dataclass(frozen=True)
class Coverages:
    """Coverage of prediction sets and intervals on the rows of an evaluation.

    Attributes:
        level: the coverage that was asked for, such as 0.9.
        per: the rows for which it was asked: those with values of the same `modalities`, of the same true `class`, or
            `all` together.
        targets: target, or "" if there is one only → its coverage.
    """

    level: float
    per: str
    targets: dict[str, TargetCoverage]

    def __str__(self) -> str:
        """Return one line per target and per subset of the modalities."""
        lines = list[str]()
        for name, found in self.targets.items():
            what = "sets" if found.has_sets else "intervals"
            lines.append(f"{name + ': ' if name else ''}{self.level:.4g} prediction {what} ({found.method})")
            lines += [_line(rate) for rate in [found.every, *found.modalities]]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return `level`, `per` and the coverage of the target, or `targets` with that of each."""
        own = {name: found.to_json() for name, found in self.targets.items()}
        return {"level": self.level, "per": self.per, **(own[""] if [*own] == [""] else {"targets": own})}

    def with_labels(self, labels: Mapping[str, Sequence[Any]]) -> Coverages:
        """Return the coverages with the labels of each target in place of the numbers of classes."""
        return replace(self, targets={name: own.with_labels(labels[name]) for name, own in self.targets.items()})


def _line(rate: CoverageRate) -> str:
    low, high = rate.interval
    name = " + ".join(rate.names) or "all rows"
    return f"{name}: {rate.rows:,} rows, coverage {rate.coverage:.4g} ({low:.4g} to {high:.4g}), size {rate.size:.4g}"


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    return {name: finite(value) for name, value in values.items()}
