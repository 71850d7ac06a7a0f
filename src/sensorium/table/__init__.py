"""Any source → one Arrow table whose cells keep the user's spelling.

One file per kind of source, found by the suffixes that it names; objects in memory come in through Arrow's interface.
"""

from sensorium.table._numbers import Lists, as_lists, natural
from sensorium.table._open import open_table
from sensorium.table._parted import ListNotation, are_codes, find_list_notation, likely_list_notation, lists_nothing
from sensorium.table._paths import bare_path, is_address
from sensorium.table._remote import RemoteFiles
from sensorium.table._series import as_read
from sensorium.table._spelt import is_gap_word, spells_lists, spelt_list
from sensorium.table._table import Column, Files, Table
from sensorium.table._write import check_writable, write_table

__all__ = [
    "Column",
    "Files",
    "ListNotation",
    "Lists",
    "RemoteFiles",
    "Table",
    "are_codes",
    "as_lists",
    "as_read",
    "bare_path",
    "check_writable",
    "find_list_notation",
    "is_address",
    "is_gap_word",
    "likely_list_notation",
    "lists_nothing",
    "natural",
    "open_table",
    "spells_lists",
    "spelt_list",
    "write_table",
]
