"""Infer the modality of each column, with a reason for every guess."""

from sensorium.schema._split_column import split_column
from sensorium.schema._views import views_of
from sensorium.schema.infer import claim_of, infer_columns
from sensorium.schema.leaks import add_hints, names_unit

__all__ = ["add_hints", "claim_of", "infer_columns", "names_unit", "split_column", "views_of"]
