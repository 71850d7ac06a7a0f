"""Record of decision thresholds."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, NonNegativeInt

from sensorium.files.figures import Figure
from sensorium.model._record import Record

BeforeAndAfter: TypeAlias = Annotated[
    list[Figure], Field(min_length=2, max_length=2)
]  # at the default threshold, and chosen
Probability: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class ThresholdRecord(Record):
    """Record of the decision thresholds of a model.

    Attributes:
        rule: the setting `threshold`; `set` if the thresholds were set after training.
        thresholds: one for the positive class, or one for each label.
        reasons: how each was obtained (see `evaluate.thresholds.DecisionThresholds`); empty if they were set.
        chosen_by: `validation`: the validation rows chose the thresholds; `out_of_fold`: training and validation rows,
            each predicted by models that did not learn from it. None if no rows chose them.
        rows, groups: number of these rows, and of their groups.
        measured: name → value at the default threshold and at thresholds that other rows chose, a mean over labels.
        targets: target → its record, if there are several; the other entries are then empty.
    """

    LEFT_OUT: ClassVar = frozenset(
        {"rule", "thresholds", "reasons", "chosen_by", "rows", "groups", "measured", "targets"}
    )
    rule: str | None = None
    thresholds: list[Probability] | None = None
    reasons: list[Literal["chosen", "fixed", "few_rows", "expected_cost", "not_reached"]] | None = None
    chosen_by: Literal["validation", "out_of_fold"] | None = None
    rows: NonNegativeInt | None = None
    groups: NonNegativeInt | None = None
    measured: dict[str, BeforeAndAfter] | None = None
    targets: dict[str, ThresholdRecord] | None = None

    def without_metrics(self) -> ThresholdRecord:
        """Return the record without measured values, for a model whose network has changed."""
        targets = self.targets and {name: own.without_metrics() for name, own in self.targets.items()}
        return self.updated(measured=None, targets=targets)
