"""Samples of rows are evenly spaced, and the same in every call."""

import numpy as np
import pytest

from sensorium.table import evenly_spaced

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100, 99_991])
@pytest.mark.parametrize("most", [0, 1, 2, 6, 7, 50, 100, 1000])
@pytest.mark.parametrize("nearest", [False, True])
def test_rows_are_distinct_and_their_steps_differ_by_one_at_most(count, most, nearest):
    rows = evenly_spaced(count, most, nearest=nearest)
    assert rows.dtype == np.int64 and len(rows) == min(count, most)
    if len(rows) > 1:
        steps = np.diff(rows)
        assert (rows[0], rows[-1]) == (0, count - 1)
        assert steps.min() >= 1 and steps.max() - steps.min() <= 1


def test_places_between_rows_are_rounded_down_or_to_the_nearest():
    assert evenly_spaced(8, 4).tolist() == [0, 2, 4, 7]
    assert evenly_spaced(8, 4, nearest=True).tolist() == [0, 2, 5, 7]
