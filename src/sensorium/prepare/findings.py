"""What was guessed, dropped, converted or cut for whole columns and for the table: said once, before the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sensorium.findings import ColumnPlan, Guess, Problem, Problems
from sensorium.modalities import Modality
from sensorium.prepare.columns import absent_columns
from sensorium.split import Split
from sensorium.table import Table


class _Finds(Protocol):
    """A task, as far as its findings go."""

    def findings(self, column: str) -> list[Problem]: ...


def table_findings(
    table: Table, learnt: Mapping[str, Modality], split: Split | None, task: _Finds | None, target: str | None
) -> Problems:
    """Of the reader, of columns that a model knows and the table lacks, of each column's modality, of the split and of
    the target, in this order; all with `row=None`.
    """
    found = [problem for problem in table.problems if problem.row is None]
    found += absent_columns(table, learnt)
    for name, modality in learnt.items():
        found += modality.findings(name)
    found += split.findings if split else ()
    found += task.findings(target) if task and target else []
    return Problems(found)


def unsaid(findings: Iterable[Problem], said: Mapping[str, str]) -> list[Problem]:
    """Findings without those whose cure the caution of their column names already: nothing is told twice.

    Args:
        findings: of whole columns.
        said: column → its caution.
    """
    return [told for told in findings if not (told.cure and told.cure in said.get(told.column, ""))]


def cautions(plans: Sequence[ColumnPlan], target: str | None, task: str, guess: Guess) -> Problems:
    """The guesses of a schema that may be wrong: what was guessed and why as the reason, the way out as the cure."""
    found = [
        Problem(None, plan.name, f"{plan.modality or 'left out'}: {plan.reason}", plan.caution)
        for plan in plans
        if plan.caution
    ]
    if guess.caution and target:
        found.append(Problem(None, target, task, guess.caution))
    return Problems(found)
