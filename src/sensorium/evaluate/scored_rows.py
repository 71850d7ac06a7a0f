"""Task and outcome of evaluated rows, from which confusion matrices and curves are computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sensorium.errors import ConfigError, SchemaError
from sensorium.evaluate.confusion import ConfusionMatrix
from sensorium.evaluate.curves import Curves, make_curves, varied_labels
from sensorium.evaluate.operating_points import OperatingTable, operating_table
from sensorium.metrics import Outcome
from sensorium.tasks import Task, targets_of

Found = TypeVar("Found")
CURVE, OPERATING_POINT = "curve", "operating point"


@dataclass(frozen=True, eq=False, repr=False)
class ScoredRows:
    """Truth, scores and decisions of the rows of an evaluation, with the task that reads them.

    Every method returns target → result; a single target has the name "". Targets that a method does not suit are left
    out.

    Attributes:
        task: the task of the model.
        outcome: the outcome of the rows.
    """

    task: Task
    outcome: Outcome

    @property
    def has_classes(self) -> bool:
        """Return whether a target has classes or labels."""
        return self.task.has_classes

    def confusion(self) -> dict[str, ConfusionMatrix]:
        """Count the rows by true and predicted class.

        Raises:
            SchemaError: no target has classes or labels.
        """
        return self._each("confusion matrix", lambda part: bool(part.labels), _confusion)

    def curves(self, seed: int = 0) -> dict[str, Curves]:
        """Compute ROC, precision–recall and reliability curves.

        Raises:
            SchemaError: no target has classes or labels.
        """
        return self._each(CURVE, lambda part: bool(part.labels), lambda part, own: make_curves(own, part.labels, seed))

    def operating_points(self, prevalence: float | None = None) -> dict[str, list[OperatingTable]]:
        """Compute the operating points of the positive class, or of each label.

        Args:
            prevalence: share of positives for the predictive values; None for that of the rows.

        Raises:
            SchemaError: no target is binary or multilabel.
            ConfigError: the prevalence is not above 0 and below 1.
        """
        check_prevalence(prevalence)

        def tables(part: Task, own: Outcome) -> list[OperatingTable]:
            columns = varied_labels(own, part.labels)
            positive = part.labels if own.is_multilabel else part.labels[1:]
            threshold = dict(zip(positive, part.thresholds, strict=True))
            return [operating_table(column, threshold[column[0]], prevalence, own.groups) for column in columns]

        return self._each(OPERATING_POINT, lambda part: bool(part.thresholds), tables)

    def _each(
        self, what: str, suits: Callable[[Task], bool], make: Callable[[Task, Outcome], Found]
    ) -> dict[str, Found]:
        found = {}
        for name, part in targets_of(self.task).items():
            own = self._outcome_of(name)
            if suits(part) and len(own):
                found[name] = make(part, own)
        if not found:
            raise _unsuited(what)
        return found

    def _outcome_of(self, target: str) -> Outcome:
        """Return the outcome of a target on the rows with its label."""
        return self.outcome.of_target(target)[1] if target else self.outcome


def check_prevalence(prevalence: float | None) -> None:
    """Raise ConfigError if a prevalence is not above 0 and below 1."""
    if prevalence is not None and not 0 < prevalence < 1:
        raise ConfigError(
            f"the prevalence cannot be {prevalence:g}", place="prevalence", rule="a share above 0 and below 1"
        )


def check_details(task: Task, *, curves: bool, prevalence: float | None) -> None:
    """Check that curves and operating points suit a task, before rows are scored.

    Raises:
        SchemaError: no target has classes or labels, or a decision threshold.
        ConfigError: the prevalence is not above 0 and below 1.
    """
    check_prevalence(prevalence)
    if curves and not task.has_classes:
        raise _unsuited(CURVE)
    if prevalence is not None and not any(part.thresholds for part in targets_of(task).values()):
        raise _unsuited(OPERATING_POINT)


def _unsuited(what: str) -> SchemaError:
    rule = "binary and multilabel targets" if what == OPERATING_POINT else "targets with classes or labels"
    return SchemaError(f"the model has no {what}", place="evaluate", rule=f"for {rule} with labelled rows")


def _confusion(part: Task, own: Outcome) -> ConfusionMatrix:
    return ConfusionMatrix.of(own, part.labels)


def by_target(found: dict[str, Any]) -> Any:
    """Return the JSON values of the results of targets: those of a single target, or target → values."""
    values = {
        name: [each.to_json() for each in own] if isinstance(own, list) else own.to_json()
        for name, own in found.items()
    }
    return values.get("", values)
