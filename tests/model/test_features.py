"""Features of frozen encoders are computed in chunks; rows, presence and problems are those of the whole column."""

import numpy as np
import pytest
import torch

from sensorium.modalities import Work
from sensorium.modalities.number import Number
from sensorium.model import Features, learn_features
from sensorium.model.features import CHUNK
from sensorium.table import open_table

pytestmark = pytest.mark.unit

ROWS = 2 * CHUNK + 40


class Doubled(torch.nn.Module):
    """A frozen encoder whose features are a cell's number and its double; it counts the cells it learns from."""

    features_width = 2

    def __init__(self):
        super().__init__()
        self.seen = 0

    def identity(self):
        return "doubled"

    def features(self, cells):
        return torch.cat([cells.values, 2 * cells.values], 1)

    def learn_features(self, batches):
        self.seen += sum(len(cells.values) for cells in batches)


def column(odd=()):
    """`x` counts the rows as text; the cells in `odd` hold a word instead."""
    cells = [f"word{row}" if row in odd else str(row) for row in range(ROWS)]
    return open_table({"x": cells}).column("x")


def features(of):
    return Features(Number.learn(of), Doubled(), torch.device("cpu"))


def test_problems_keep_their_row_beyond_the_first_chunk():
    rows = [3, CHUNK - 1, CHUNK, 2 * CHUNK + 7]
    found = features(column()).encode(column(rows))
    assert [(problem.row, problem.value) for problem in found.problems] == [(row, f"word{row}") for row in rows]
    assert np.flatnonzero(~found.present).tolist() == rows


def test_values_are_those_of_encoding_the_column_at_once():
    of = column([5, CHUNK + 5])
    modality = Number.learn(of)
    plain = modality.encode(of)
    found = Features(modality, Doubled(), torch.device("cpu")).encode(of)
    assert found.values.dtype == np.float32 and found.values.shape == (ROWS, 2)
    np.testing.assert_array_equal(found.values[:, :1], np.where(plain.present[:, None], plain.values, 0))
    np.testing.assert_array_equal(found.values[:, 1], 2 * found.values[:, 0])


def test_a_column_without_rows_has_no_features():
    found = features(column()).encode(column().slice(0, 0))
    assert found.values.shape == (0, 2) and found.present.shape == (0,) and not found.problems


@pytest.mark.parametrize(("most", "seen"), [(ROWS, ROWS), (ROWS - 1, ROWS / 2), (100, 92)])
def test_a_static_encoder_learns_from_evenly_spaced_rows(most, seen, monkeypatch):
    monkeypatch.setattr("sensorium.model.features.MOST", most)
    encoder, of = Doubled(), column()
    learn_features(encoder, Number.learn(of), of)
    assert encoder.seen == seen


def test_progress_counts_cells_whose_features_are_computed():
    steps, computed = [], []

    class Watched(Doubled):
        def features(self, cells):
            computed.append(len(cells.values))
            return super().features(cells)

    def advance(cells):
        steps.append((cells, sum(computed)))

    of = column([5, CHUNK + 5])
    Features(Number.learn(of), Watched(), torch.device("cpu")).encode(of, Work(1, advance))
    done = np.cumsum([cells for cells, _ in steps])
    assert done[-1] == ROWS
    assert len(done) > ROWS / CHUNK * 4  # several steps per chunk
    assert all(shown <= so_far + 2 for shown, (_, so_far) in zip(done, steps, strict=True))
