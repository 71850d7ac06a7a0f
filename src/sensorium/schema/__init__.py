"""Infer the modality of each column and the task, with a reason for every guess; find data leakage."""

from sensorium.schema._split_column import split_column
from sensorium.schema._views import views_of
from sensorium.schema.advice import Advice, advise
from sensorium.schema.copies import Copies, Sides, value_ids
from sensorium.schema.duplicates import duplicate_findings
from sensorium.schema.infer import claim_of, infer_columns
from sensorium.schema.inferred_group import with_inferred_group
from sensorium.schema.leaks import add_hints, leakage_findings
from sensorium.schema.schema import Schema, infer_schema, infer_views

__all__ = [
    "Advice",
    "Copies",
    "Schema",
    "Sides",
    "add_hints",
    "advise",
    "claim_of",
    "duplicate_findings",
    "infer_columns",
    "infer_schema",
    "infer_views",
    "leakage_findings",
    "split_column",
    "value_ids",
    "views_of",
    "with_inferred_group",
]
