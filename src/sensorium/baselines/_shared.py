"""Blocks that several models of the same rows share, so that each is learned once."""

from __future__ import annotations

from sensorium.baselines._blocks import Block, Form
from sensorium.baselines._features import FlatColumns, learn_block
from sensorium.prepare.summaries import Summaries
from sensorium.table import Rows


class SharedBlocks:
    """Learned blocks of the columns of one table.

    What a block learns depends on its column, the rows, the form and the seed alone. So a model of all columns and a
    model of one modality, fitted to the same fold, have the same blocks.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, Form, int, bytes], Block] = {}

    def learn(self, cells: Summaries, rows: Rows, form: Form, seed: int) -> FlatColumns:
        """Return the features of some rows of the table, as `FlatColumns.learn` does.

        Args:
            cells: the columns, at the rows.
            rows: positions of the rows in the table.
            form, seed: as for `FlatColumns.learn`.
        """
        found, place = dict[str, Block](), rows.tobytes()
        for name, column in cells.columns.items():
            key = (name, form, seed, place)
            if key not in self._known:
                self._known[key] = learn_block(column, form, seed)
            found[name] = self._known[key]
        return FlatColumns(form, found)
