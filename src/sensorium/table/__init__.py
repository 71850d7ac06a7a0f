"""Read any source as one Arrow table whose cells keep the user's spelling.

Each kind of source has one file, which declares its suffixes; objects in memory are converted through Arrow's
interface.
"""

from sensorium.table._addresses import hide_secrets
from sensorium.table._arrays import Floats, Rows, Truths, evenly_spaced
from sensorium.table._arrow_types import SECONDS_PER_UNIT, as_microseconds, as_seconds, is_date_type, is_number_type
from sensorium.table._codes import spelt_codes, spelt_moments, without_codes
from sensorium.table._column import Column
from sensorium.table._date_order import are_iso_dates, date_order
from sensorium.table._date_words import words
from sensorium.table._dates import DATE_ORDERS, PIVOT, TWIN, SpeltDates, read_dates
from sensorium.table._encoded_files import encoded_content, encoded_head, is_encoded_file, resembles_base64
from sensorium.table._file_cell import FILE_FIELDS, FileCell
from sensorium.table._files import Files
from sensorium.table._list_notation import ListNotation, spells_numbers
from sensorium.table._notation import (
    LEGACY,
    NAMES,
    USUAL_SPELLINGS,
    Conventions,
    Notation,
    Note,
    Reading,
    SavedNotation,
    Survey,
    has_limits,
    is_clearly_numbers,
    is_gap,
    may_be_numbers,
    mixed_amounts,
    read_texts,
    readings_of_signs,
    refusal,
    same_but_for_zeros,
    spelt_plainly,
    stands_for_gaps,
    survey,
)
from sensorium.table._numbers import Lists, as_lists, natural
from sensorium.table._open import open_table
from sensorium.table._parted import are_codes, find_list_notation, likely_list_notation, lists_nothing
from sensorium.table._paths import bare_path, is_address, without_query
from sensorium.table._remote import RemoteFiles
from sensorium.table._series import as_read
from sensorium.table._source_columns import EVERY
from sensorium.table._spelt import is_gap_word, spells_lists, spelt_list
from sensorium.table._spelt_names import spelt_names
from sensorium.table._table import Table
from sensorium.table._types import narrow
from sensorium.table._write import TEXTS, check_fits, check_writable, write_csv, write_table

__all__ = [
    "DATE_ORDERS",
    "EVERY",
    "FILE_FIELDS",
    "LEGACY",
    "NAMES",
    "PIVOT",
    "SECONDS_PER_UNIT",
    "TEXTS",
    "TWIN",
    "USUAL_SPELLINGS",
    "Column",
    "Conventions",
    "FileCell",
    "Files",
    "Floats",
    "ListNotation",
    "Lists",
    "Notation",
    "Note",
    "Reading",
    "RemoteFiles",
    "Rows",
    "SavedNotation",
    "SpeltDates",
    "Survey",
    "Table",
    "Truths",
    "are_codes",
    "are_iso_dates",
    "as_lists",
    "as_microseconds",
    "as_read",
    "as_seconds",
    "bare_path",
    "check_fits",
    "check_writable",
    "date_order",
    "encoded_content",
    "encoded_head",
    "evenly_spaced",
    "find_list_notation",
    "has_limits",
    "hide_secrets",
    "is_address",
    "is_clearly_numbers",
    "is_date_type",
    "is_encoded_file",
    "is_gap",
    "is_gap_word",
    "is_number_type",
    "likely_list_notation",
    "lists_nothing",
    "may_be_numbers",
    "mixed_amounts",
    "narrow",
    "natural",
    "open_table",
    "read_dates",
    "read_texts",
    "readings_of_signs",
    "refusal",
    "resembles_base64",
    "same_but_for_zeros",
    "spells_lists",
    "spells_numbers",
    "spelt_codes",
    "spelt_list",
    "spelt_moments",
    "spelt_names",
    "spelt_plainly",
    "stands_for_gaps",
    "survey",
    "without_codes",
    "without_query",
    "words",
    "write_csv",
    "write_table",
]
