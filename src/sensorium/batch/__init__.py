"""Types of a batch, and the names of its axes.

b  rows of a batch          m  modalities (towers) of the model
t  tokens of one cell       d  width of a token
c  columns                  f  values of several columns, side by side
"""

from sensorium.batch._batch import Batch
from sensorium.batch._cells import Cells
from sensorium.batch._layout import Layout
from sensorium.batch._packed import CellMap, PackedCells
from sensorium.batch._tokens import Tokens

__all__ = ["Batch", "CellMap", "Cells", "Layout", "PackedCells", "Tokens"]
