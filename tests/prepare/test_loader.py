"""Batches hold every row once, each cell with its own values, zeros elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.findings import Problems
from sensorium.modalities import Encoded, Ragged
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")


def step(row, place):
    """What stands at a place of a row's sequence: nowhere zero, nowhere twice."""
    return 1000 * row + place + 1


def prepared(lengths):
    """Rows of one number (their own place) and one sequence; a sequence of length 0 is missing."""
    rows = len(lengths)
    sequences = [np.array([[step(row, t), -t] for t in range(n)], np.float32).reshape(n, 2)
                 for row, n in enumerate(lengths)]  # fmt: skip
    plain = Encoded(np.arange(rows, dtype=np.float32)[:, None], np.ones(rows, bool), [])
    ragged = Encoded(Ragged.of(sequences, np.empty((0, 2), np.float32)), np.array(lengths) > 0, [])
    return Prepared({"row": plain, "sequence": ragged}, Problems())


def rows_of(batch):
    return batch.cells["row"].values[:, 0].long().tolist()


def check_sequences(batch, lengths):
    """Each row's own steps, then zeros, under a mask that says which is which."""
    cells = batch.cells["sequence"]
    steps = cells.values.shape[1]
    assert steps % 16 == 0 and steps - 16 < max(1, *(lengths[row] for row in rows_of(batch)))
    for place, row in enumerate(rows_of(batch)):
        expected = [step(row, t) for t in range(lengths[row])]
        assert cells.values[place, :, 0].tolist() == expected + [0] * (steps - len(expected))
        assert cells.mask[place].tolist() == [True] * len(expected) + [False] * (steps - len(expected))
        assert cells.present[place] == bool(expected)


LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=60)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(lengths=LENGTHS, size=st.integers(1, 9), seed=st.integers(0, 3))
def test_shuffled_batches_hold_every_row_once_with_its_own_values(lengths, size, seed):
    target = np.arange(len(lengths)) * 10
    loader = Loader(prepared(lengths), target, CPU)
    chosen = np.flatnonzero(np.arange(len(lengths)) % 3 != 1)
    batches = list(loader.shuffled(chosen, size, torch.Generator().manual_seed(seed)))
    assert sorted(row for batch in batches for row in rows_of(batch)) == chosen.tolist()
    sizes = sorted(len(rows_of(batch)) for batch in batches)
    assert sizes[1:] == [size] * (len(sizes) - 1) and sizes[0] <= size
    for batch in batches:
        assert batch.target.tolist() == [10 * row for row in rows_of(batch)]
        check_sequences(batch, lengths)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(lengths=LENGTHS, size=st.integers(1, 9))
def test_batches_by_length_answer_every_place_once(lengths, size):
    loader = Loader(prepared(lengths), None, CPU)
    chosen = np.arange(len(lengths))[::-2].copy()
    answered = {}
    for places, batch in loader.by_length(chosen, size):
        assert batch.target is None
        assert chosen[places.numpy()].tolist() == rows_of(batch)
        check_sequences(batch, lengths)
        answered |= dict(zip(places.tolist(), rows_of(batch), strict=True))
    assert [answered[place] for place in range(len(chosen))] == chosen.tolist()


def test_batches_by_length_put_like_lengths_together():
    lengths = [40, 1] * 8
    batches = [batch for _, batch in Loader(prepared(lengths), None, CPU).by_length(np.arange(16), 8)]
    assert [batch.cells["sequence"].values.shape[1] for batch in batches] == [16, 48]


def order(seed, rounds=1):
    """The rows of all batches in their order, `rounds` epochs from one generator."""
    loader, chance = Loader(prepared([3] * 50), None, CPU), torch.Generator().manual_seed(seed)
    epochs = [[rows_of(batch) for batch in loader.shuffled(np.arange(50), 4, chance)] for _ in range(rounds)]
    return epochs if rounds > 1 else epochs[0]


def test_the_same_seed_shuffles_alike_another_seed_and_another_epoch_otherwise():
    assert order(1) == order(1)
    assert order(1) != order(2)
    first, second = order(1, rounds=2)
    assert first != second


def test_rows_of_unlike_length_still_meet():
    """Sorting by length must leave to chance which rows share a batch."""
    loader, met = Loader(prepared([n % 5 + 1 for n in range(40)]), None, CPU), set()
    chance = torch.Generator().manual_seed(0)
    for _ in range(60):
        for batch in loader.shuffled(np.arange(40), 4, chance):
            met |= {(a, b) for a in rows_of(batch) for b in rows_of(batch) if a < b}
    partners = [sum(row in pair for pair in met) for row in range(40)]
    assert min(partners) > 15


def test_a_column_without_any_value_gives_zeros_of_its_form():
    nothing = Encoded(
        Ragged.of([np.empty((0, 5), np.float32)] * 3, np.empty((0, 5), np.float32)), np.zeros(3, bool), []
    )
    batch = Loader(Prepared({"c": nothing}, Problems()), None, CPU).batch(torch.tensor([2, 0]))
    assert batch.cells["c"].values.shape == (2, 16, 5)
    assert not batch.cells["c"].values.any() and not batch.cells["c"].mask.any()
    assert batch.cells["c"].present.tolist() == [False, False]


@pytest.mark.parametrize("rows", [[0], [4, 4, 1], [3, 2, 1, 0]])
def test_a_batch_keeps_the_order_that_is_asked_for(rows):
    assert rows_of(Loader(prepared([1, 2, 3, 4, 5]), None, CPU).batch(torch.tensor(rows))) == rows


def test_presence_stands_in_the_order_of_the_columns():
    batch = Loader(prepared([0, 3]), None, CPU).batch(torch.tensor([0, 1]))
    assert [cells.present.tolist() for cells in batch.cells.values()] == [[True, True], [False, True]]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(1, 40))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_networks_read_the_first_steps_of_cells_that_are_longer(lengths, steps):
    whole = prepared(lengths)
    sequence = replace(whole.columns["sequence"], steps=steps)
    cut = [min(length, steps) for length in lengths]
    rows = torch.arange(len(lengths))
    check_sequences(Loader(whole.replaced({"sequence": sequence}), None, CPU).batch(rows), cut)
