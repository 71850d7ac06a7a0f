"""Plan the time of a blend: how often its networks are trained, and which classical models are fitted to which folds.

Times are estimates for an ordinary CPU from the amount of work. So the plan is the same on every machine, however busy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sensorium.findings import count
from sensorium.planning import Plan, cut_folds
from sensorium.runtime.progress import duration_text
from sensorium.split import Fold

LEAST, FACTOR = 30.0, 2.5  # seconds, and times the seconds of its networks: a blend may take the longer of both
MOST, MOST_ROWS = 600.0, 20_000  # seconds that it may take at most with up to so many rows; in proportion with more
OF_NETWORK = 0.8  # share of `MOST` that the trainings of one network may take
FOLDS = (5, 3, 2)  # numbers of folds of classical models; the first whose fits are quick enough is used
NETWORK_SECONDS = 15.0  # for all trainings of one network; a slower one is trained on fewer folds
ENOUGH = 200  # rows that judge a network at least
FEWEST = 2  # trainings of a network at least, unless it is trained on a single fold
START_UP = 2.0  # seconds of the first fit that are no part of later ones: libraries are imported


def count_rows(plan: Plan) -> int:
    """Return the number of training and validation rows."""
    return len(plan.rows("train")) + len(plan.rows("validation"))


class Sized(Protocol):
    """Model whose fit takes time.

    Attributes:
        name: name for reports.
        is_single: whether it reads one modality of several.
    """

    @property
    def name(self) -> str: ...

    @property
    def is_single(self) -> bool: ...


@dataclass(frozen=True)
class TimeLimit:
    """Time that the trainings of a blend may take.

    Attributes:
        rows: training and validation rows.
        patience: factor of the limits, from the preset.
        preset: name of the preset.
    """

    rows: int
    patience: float
    preset: str

    @classmethod
    def of(cls, plan: Plan, patience: float) -> TimeLimit:
        """Return the limit of a planned table."""
        return cls(count_rows(plan), patience, plan.config.preset)

    @property
    def most(self) -> float:
        """Return the seconds that no blend of the table exceeds."""
        return self.patience * MOST * max(1.0, self.rows / MOST_ROWS)

    def after(self, once: float, spent: float) -> float:
        """Return the seconds that remain for classical models.

        Args:
            once: seconds of one training of each network.
            spent: seconds of all trainings of the networks.
        """
        whole = min(self.most, self.patience * max(LEAST, FACTOR * once))
        return max(whole - spent, (1 - OF_NETWORK) * whole)

    def network_reason(self, seconds: float, trainings: int) -> str:
        """Return why a network is not trained, given the seconds of one training of all epochs; empty if it is."""
        allowed = OF_NETWORK * self.most
        if seconds * trainings <= allowed:
            return ""
        each = f"{count(trainings, 'training')} of about {duration_text(seconds)}"
        return f"{each} would exceed the {duration_text(allowed)} of preset {self.preset}; preset fast trains it once"

    @property
    def cure(self) -> str:
        """Return what fits more classical models."""
        return (
            "compare --baselines fits each of them"
            if self.preset == "best"
            else "preset best may take ten times as long"
        )


@dataclass(frozen=True)
class FitTime:
    """Time that the fits of classical models may take.

    Attributes:
        seconds: seconds of an ordinary CPU.
        cure: how to get more time, for reports.
        clock: returns the seconds that are left; None if the estimates alone decide.
    """

    seconds: float
    cure: str
    clock: Callable[[], float] | None = None


@dataclass(frozen=True)
class NetworkFolds:
    """Folds that judge a network.

    A network that learns from half of the rows is often far worse than the one that learns from all. So a slow network
    is trained on some of five folds, each with four fifths of the rows, if these judge enough rows.

    Attributes:
        count: number of folds that the rows are cut into.
        trained: how many of these the network is trained on, the last ones.
    """

    count: int
    trained: int

    @property
    def trainings(self) -> float:
        """Return the time of all trainings in trainings on all rows, the one that makes the member included."""
        return 1 + self.trained * (self.count - 1) / self.count

    def reason(self, seconds: float) -> str:
        """Return why there are fewer folds than usual, given the seconds of one training; empty if there are not."""
        usual = NetworkFolds(FOLDS[0], FOLDS[0])
        if self == usual:
            return ""
        needed, limit = duration_text(usual.trainings * seconds), duration_text(NETWORK_SECONDS)
        return f"with {count(usual.trained, 'fold')}, its trainings would take about {needed}, beyond {limit}"

    def judging(self, plan: Plan) -> list[tuple[int, Fold]]:
        """Return number and rows of the folds that the network is trained on; in order of time, they learn from most.

        Raises:
            SchemaError: there are too few rows, groups or times.
        """
        return list(enumerate(cut_folds(plan, self.count)))[-self.trained :]

    @classmethod
    def options(cls, rows: int) -> list[NetworkFolds]:
        """Return the folds that a network of so many training and validation rows may be trained on, most first."""
        some = [cls(FOLDS[0], trained) for trained in range(FOLDS[0], 0, -1)]
        enough = [own for own in some if own.trained == own.count or own.trained * rows >= own.count * ENOUGH]
        return enough if enough[-1].trained <= FEWEST else [*enough, cls(FEWEST, FEWEST)]

    @classmethod
    def of(cls, seconds: float, rows: int) -> NetworkFolds:
        """Return the folds of a network, one training of which takes so many seconds."""
        options = cls.options(rows)
        return next((own for own in options[:-1] if own.trainings * seconds <= NETWORK_SECONDS), options[-1])


@dataclass(frozen=True)
class FitPlan:
    """Classical models that are fitted.

    Attributes:
        kept: positions of the models among those that were offered.
        folds: number of folds that each is fitted to.
        left_out: name of a model → the reason why it is not fitted.
        reason: why there are fewer folds than usual; empty if there are not.
    """

    kept: list[int]
    folds: int
    left_out: dict[str, str] = field(default_factory=dict)
    reason: str = ""


def plan_fits(
    models: Sequence[Sized], seconds: Callable[[int, int], float], allowed: float, *, folds: Sequence[int], least: int
) -> FitPlan:
    """Choose classical models and folds whose fits take no longer than allowed.

    As many folds are taken as the models of all columns have time for; a slow one is left out if two folds take too
    long. Models of single modalities fill the remaining time, quick ones first.

    Args:
        models: the models that could be fitted.
        seconds: returns the seconds of all fits of a model, given its position and the number of folds.
        allowed: seconds that all fits may take.
        folds: the numbers of folds to choose from, the usual one first.
        least: number of models that are fitted in any case.
    """
    usual = folds[0]

    def total(places: Sequence[int], each: int) -> float:
        return sum(seconds(place, each) for place in places)

    quickest = sorted(range(len(models)), key=lambda place: seconds(place, usual))
    kept = [place for place in quickest if not models[place].is_single]
    whole = total(kept, usual)
    chosen = next((each for each in folds if total(kept, each) <= allowed), folds[-1])
    while len(kept) > least and total(kept, chosen) > allowed:
        kept.pop()
    for place in quickest:
        if models[place].is_single and total([*kept, place], chosen) <= allowed:
            kept.append(place)
    left = f"the {duration_text(allowed)} that are left for classical models"

    def why(needed: float) -> str:
        return f"beyond {left}" if needed > allowed else f"and the other models need {left}"

    return FitPlan(
        kept=sorted(kept),
        folds=chosen,
        left_out={
            models[place].name: f"it would take about {duration_text(needed)}, {why(needed)}"
            for place, needed in ((place, seconds(place, chosen)) for place in range(len(models)) if place not in kept)
        },
        reason=f"{count(usual, 'fold')} would take about {duration_text(whole)}, beyond {left}"
        if chosen != usual
        else "",
    )


def while_time(
    seconds: Mapping[int, float], clock: Callable[[], float], leave_out: Callable[[int], None]
) -> Iterator[int]:
    """Yield fits while the clock leaves time for them, judged by how long the earlier ones took.

    The first is yielded in any case, as nothing is known of the speed of the machine. The consumer runs each fit before
    it asks for the next one.

    Args:
        seconds: position of a fit → its estimated seconds, in the order in which they run.
        clock: returns the seconds that are left.
        leave_out: called with each fit that has no time.
    """
    start, estimated = clock(), 0.0
    for place, own in seconds.items():
        left = clock()
        slowness = max(1.0, (start - left) / (START_UP + estimated))
        if estimated and slowness * own > left:
            leave_out(place)
            continue
        estimated += own
        yield place
