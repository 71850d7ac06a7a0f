"""Fit the modality of each column on the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sensorium.config import Config
from sensorium.errors import SchemaError
from sensorium.findings import ColumnPlan, Problems
from sensorium.modalities import EncoderAdvice
from sensorium.model import preferred_modality_options
from sensorium.planning._sizes import reduce_sizes
from sensorium.prepare import advice_finding, advised_encoder, learn_modality
from sensorium.schema import Schema
from sensorium.table import Rows

if TYPE_CHECKING:
    from sensorium.modalities import Modality


@dataclass(frozen=True)
class LearnedColumns:
    """Columns with their modalities, fitted on the training rows.

    Attributes:
        plans: a plan for each column of the table; columns without a training value are left out.
        kinds: used column → registered name of its modality.
        learnt: used column → its fitted modality.
        findings: sizes that were reduced, and encoders other than the default.
        advice: column → its encoder, if it is not the default of its modality.
    """

    plans: Sequence[ColumnPlan]
    kinds: Mapping[str, str]
    learnt: Mapping[str, Modality]
    findings: Problems = field(default_factory=Problems)
    advice: Mapping[str, EncoderAdvice] = field(default_factory=dict)


def learn_columns(schema: Schema, config: Config, rows: Rows, cores: int) -> LearnedColumns:
    """Fit the modality of each column that has a value in the given rows, with a size that suits the machine.

    Raises:
        SchemaError: no column has a value in these rows.
    """
    plans, kinds, learnt = list(schema.columns), dict(schema.kinds), dict[str, "Modality"]()
    preferred, advice = dict[str, dict[str, Any]](), dict[str, EncoderAdvice]()
    for place, plan in enumerate(plans):
        if plan.modality is None:
            continue
        column = schema.table.column(plan.name).take(rows)
        if len(column.values):
            preferred[plan.name] = preferred_modality_options(plan.name, plan.modality, config)
            learnt[plan.name] = learn_modality(plan, column, config, preferred[plan.name])
            kinds[plan.name] = plan.modality
            if found := advised_encoder(column, plan.modality, learnt[plan.name], config):
                advice[plan.name] = found
        else:
            reason = "no training row has a value"
            plans[place] = ColumnPlan(plan.name, None, reason, "there is nothing to learn from")
    if not learnt:
        raise SchemaError("no column has a value in the training rows", place=schema.table.name)
    fitting, findings = reduce_sizes(learnt, kinds, preferred, rows=len(rows), cores=cores, config=config)
    findings.extend([advice_finding(name, learnt[name], own) for name, own in advice.items()])
    return LearnedColumns(plans, kinds, fitting, findings, advice)
