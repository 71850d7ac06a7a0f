"""Tweets and prices of stocks by day: what is known on a day does not change with the days after it.

SENSORIUM_DATA names the folder of the data sets; see benchmarks/stocknet.py.
"""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from sensorium.config import Config
from sensorium.modalities import Ragged
from sensorium.prepare import learn_modality
from sensorium.schema import infer_columns
from sensorium.split import make_split
from sensorium.table import open_table

DATA = Path(os.environ.get("SENSORIUM_DATA") or Path(__file__).parents[3] / "shared" / "data")
TABLE = DATA / "stocknet" / "table.parquet"
SERIES = ["movement", "close", "high", "low", "log_volume"]
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not TABLE.is_file(), reason=f"no {TABLE}; SENSORIUM_DATA names the folder of the data sets"),
]


@pytest.fixture(scope="module")
def rows():
    return parquet.read_table(TABLE)


@pytest.fixture(scope="module")
def some(rows):
    """Every third row: all take three times as long and tell no more."""
    return rows.take(np.arange(0, len(rows), 3))


def changed_after(table, day):
    """Later rows are shuffled, column by column, and become others: a mean would not notice a mere shuffle."""
    random = np.random.default_rng(0)
    later = np.flatnonzero(np.asarray(pc.greater(table["date"], day)))
    for place, name in enumerate(table.column_names):
        if name not in ("date", "split", "rises"):
            old = table[name].to_pylist()
            cells = list(old)
            for row, other in zip(later, random.permutation(later), strict=True):
                cells[row] = other_than(old[other])
            table = table.set_column(place, name, pa.array(cells, table.schema.field(name).type))
    return table


def other_than(cell):
    if isinstance(cell, list):
        return [1000 - 7 * value for value in cell]
    return f"{cell} unheard of" if isinstance(cell, str) else cell + 1000


def arrays_of(encoded):
    values = encoded.values
    parts = (values.values, values.offsets) if isinstance(values, Ragged) else (values,)
    return b"".join(part.tobytes() for part in (*parts, encoded.present))


def features(rows, day, split="train"):
    """Column → the arrays of the rows up to a day, as a model gets them; learnt of the training rows, or of `all`."""
    config = Config.gather({"target": "rises", "modalities": dict.fromkeys(SERIES, "series")})
    table = open_table(rows, config.table)
    codes = make_split(table, table.column("rises"), config.split, "split", 0)
    learn_from = codes.rows("train") if split == "train" else np.arange(len(table))
    past = np.flatnonzero(np.asarray(pc.less_equal(table.column("date").data, day)))
    found = {}
    for plan in infer_columns(table, config):
        if plan.modality:
            column = table.column(plan.name)
            learnt = learn_modality(plan, column.take(learn_from), config)
            found[plan.name] = arrays_of(learnt.encode(column.take(past)))
    return found


def last_day(rows, split):
    return pc.max(rows.filter(pc.equal(rows["split"], split))["date"]).as_py()


@pytest.mark.parametrize("split", ["train", "val"])
def test_features_up_to_a_day_do_not_change_with_what_comes_after(some, split):
    day = last_day(some, split)
    before, after = features(some, day), features(changed_after(some, day), day)
    assert set(SERIES) | {"tweets", "ticker", "sector", "n_tweets"} <= set(before)
    assert [name for name in before if before[name] != after[name]] == []


def test_statistics_of_later_rows_would_be_seen(some):
    day = last_day(some, "train")
    before, after = features(some, day, "all"), features(changed_after(some, day), day, "all")
    assert set(SERIES) <= {name for name in before if before[name] != after[name]}


def test_the_series_of_a_row_end_before_its_label(rows):
    """The move that the label tells is the last step of the *next* trading day's row, and of none before."""
    ordered = rows.sort_by([("ticker", "ascending"), ("date", "ascending")])
    day = ordered["date"].to_numpy().astype("datetime64[D]")
    rises, last = np.asarray(ordered["rises"]), np.array([steps[-1] for steps in ordered["movement"].to_pylist()])
    ticker = ordered["ticker"].to_numpy()
    follows = np.flatnonzero((ticker[1:] == ticker[:-1]) & (np.diff(day) == np.timedelta64(1, "D")))
    assert len(follows) > 5000
    assert ((last[follows + 1] > 0) == rises[follows]).mean() > 0.99
    assert abs(((last > 0) == rises).mean() - 0.5) < 0.05


def test_windows_over_the_days_of_each_stock_know_the_past_alone(rows):
    def windows(table):
        moves = pa.array([steps[-1] for steps in table["movement"].to_pylist()])
        long = table.select(["ticker", "date", "n_tweets"]).append_column("move", moves)
        settings = {"entity": "ticker", "time": "date", "values": ["move", "n_tweets"], "target": "move", "length": 10}
        found = open_table(long, Config.gather({"table": {"windows": settings}}).table)
        past = found.arrow.filter(pc.less_equal(found.arrow["date"], pa.scalar(moment, pa.timestamp("us"))))
        return past.select(["ticker", "date", "move", "n_tweets", "window_start"])

    day = last_day(rows, "val")
    moment = np.datetime64(day, "us").astype(object)
    before, after = windows(rows), windows(changed_after(rows, day))
    assert len(before) > 10_000 and before.equals(after)
