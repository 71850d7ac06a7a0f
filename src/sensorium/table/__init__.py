"""Any source → one Arrow table whose cells keep the user's spelling.

One file per kind of source, found by the suffixes that it names; objects in memory come in through Arrow's interface.
"""

from sensorium.table._date_words import words
from sensorium.table._dates import DATE_ORDERS, PIVOT, TWIN, SpeltDates, date_order, read_dates
from sensorium.table._numbers import Lists, as_lists, natural
from sensorium.table._open import open_table
from sensorium.table._remote import RemoteFiles
from sensorium.table._series import as_read
from sensorium.table._spelt import spells_lists, spelt_list
from sensorium.table._table import Column, Files, Table
from sensorium.table._write import check_writable, write_table

__all__ = [
    "DATE_ORDERS",
    "PIVOT",
    "TWIN",
    "Column",
    "Files",
    "Lists",
    "RemoteFiles",
    "SpeltDates",
    "Table",
    "as_lists",
    "as_read",
    "check_writable",
    "date_order",
    "natural",
    "open_table",
    "read_dates",
    "spells_lists",
    "spelt_list",
    "words",
    "write_table",
]
