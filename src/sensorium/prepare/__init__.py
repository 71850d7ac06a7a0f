"""Prepare a table: modalities learn from the training rows, then all cells become arrays and batches.

Only `loader` imports torch.
"""

from sensorium.prepare.columns import Prepared, at_rows, check_some_column, prepare_columns
from sensorium.prepare.encoder_choice import advice_finding, advised_encoder, encoder_choice, with_advice
from sensorium.prepare.findings import cautions, table_findings, unsaid
from sensorium.prepare.hashes import hash_arrays, hash_cells, hash_encoded, names_files
from sensorium.prepare.lacking import absent_columns, unread_columns
from sensorium.prepare.learn import learn_modality, modality_options
from sensorium.prepare.store import code_of, open_store
from sensorium.prepare.swapped import swapped_columns

__all__ = [
    "Prepared",
    "absent_columns",
    "advice_finding",
    "advised_encoder",
    "at_rows",
    "cautions",
    "check_some_column",
    "code_of",
    "encoder_choice",
    "hash_arrays",
    "hash_cells",
    "hash_encoded",
    "learn_modality",
    "modality_options",
    "names_files",
    "open_store",
    "prepare_columns",
    "swapped_columns",
    "table_findings",
    "unread_columns",
    "unsaid",
    "with_advice",
]
