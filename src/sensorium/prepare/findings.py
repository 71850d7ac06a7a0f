"""Collect what was guessed, dropped, converted or cut for whole columns and for the table, before the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sensorium.findings import ColumnPlan, Guess, Problem, Problems
from sensorium.modalities import Modality
from sensorium.prepare.lacking import absent_columns
from sensorium.split import Split
from sensorium.table import Table


class _Finds(Protocol):
    """Protocol of a task with findings."""

    def findings(self, column: str) -> list[Problem]: ...


def table_findings(
    table: Table, learnt: Mapping[str, Modality], split: Split | None, task: _Finds | None, target: str | None
) -> Problems:
    """Return the findings of the reader, absent columns, modalities, the split and the target, in this order.

    All have `row=None`.
    """
    found = [problem for problem in table.problems if problem.row is None]
    found += absent_columns(table, learnt)
    for name, modality in learnt.items():
        found += modality.findings(name)
    found += split.findings if split else ()
    found += task.findings(target) if task and target else []
    return Problems(found)


def unsaid(findings: Iterable[Problem], known_cautions: Mapping[str, str]) -> list[Problem]:
    """Return the findings whose cure is not already in the caution of their column.

    Args:
        findings: findings about whole columns.
        known_cautions: column → its caution.
    """
    return [
        finding for finding in findings if not (finding.cure and finding.cure in known_cautions.get(finding.column, ""))
    ]


def cautions(plans: Sequence[ColumnPlan], target: str | None, task: str, guess: Guess) -> Problems:
    """Return the cautions of a schema as problems: the guess as the reason, the setting that changes it as the cure."""
    found = [
        Problem(None, plan.name, f"{plan.modality or 'left out'}: {plan.reason}", plan.caution)
        for plan in plans
        if plan.caution
    ]
    if guess.caution and target:
        found.append(Problem(None, target, task, guess.caution))
    return Problems(found)
