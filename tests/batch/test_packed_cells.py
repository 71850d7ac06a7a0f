"""Columns that share a tensor hold the same cells as columns of their own, and cost no work column by column."""

import pickle

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sensorium.augment import augment, build_augmentations
from sensorium.batch import Batch, CellMap
from sensorium.encoders.tabular import Tabular
from sensorium.model import FusionModel, Tower
from sensorium.prepare import Prepared, prepare_columns
from sensorium.prepare.loader import Loader
from sensorium.registry import fusions, modalities
from sensorium.runtime.progress import Silent
from sensorium.table import open_table

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")
ROWS = torch.tensor([7, 0, 3, 3, 11, 25])


def mixed_table(rows=40):
    random = np.random.default_rng(0)
    hidden = random.random((rows, 8)) < 0.3
    letters = np.array(["a", "b", "c"], object)[random.integers(0, 3, (rows, 2))]
    days = np.arange("2020-01-01", rows * 3, 3, dtype="datetime64[D]").astype(str)[:rows].astype(object)
    content = {
        "x": random.normal(size=rows), "c": letters[:, 0], "d": days, "flag": np.array(["yes", "no"] * (rows // 2)),
        "y": random.normal(size=rows), "k": letters[:, 1], "text": np.array(["a heist in space", "two friends"] * 20),
        "z": random.normal(size=rows),
    }  # fmt: skip
    return {
        name: [None if h else v for h, v in zip(hidden[:, i], cells.tolist(), strict=True)]
        for i, (name, cells) in enumerate(content.items())
    }


KINDS = {"x": "number", "c": "category", "d": "date", "flag": "boolean", "y": "number", "k": "category",
         "text": "text", "z": "number"}  # fmt: skip
TABULAR = tuple(name for name, kind in KINDS.items() if kind != "text")


def prepare(content, kinds):
    table = open_table(content)
    learnt = {name: modalities.load(kind).learn(table.column(name)) for name, kind in kinds.items()}
    return prepare_columns(table, learnt, Silent()), learnt


@pytest.fixture(scope="module")
def mixed():
    return prepare(mixed_table(), KINDS)


def apart(prepared):
    """The same columns, none of them packed."""
    return Prepared(prepared.columns, prepared.problems)


def batch_of(prepared, rows=ROWS):
    return Loader(prepared, None, CPU).batch(rows)


def assert_same(found, expected):
    assert list(found.cells) == list(expected.cells)
    assert torch.equal(found.present, expected.present)
    for name, cells in expected.cells.items():
        assert torch.equal(found.cells[name].values, cells.values), name
        assert torch.equal(found.cells[name].present, cells.present), name


def test_packed_batch_equals_that_of_single_columns(mixed):
    prepared, _ = mixed
    found, expected = batch_of(prepared), batch_of(apart(prepared))
    assert isinstance(found.cells, CellMap) and len(found.cells.packed) == 2 and not isinstance(expected.cells, CellMap)
    assert_same(found, expected)
    rows = torch.tensor([4, 1])
    assert_same(found.take(rows), expected.take(rows))


@pytest.mark.parametrize("names", [["y", "text", "d"], ["k", "x"], ["text"], ["z", "flag", "y", "x", "d"]])
def test_subset_of_packed_columns_equals_single_columns(mixed, names):
    prepared, _ = mixed
    some = prepared.only(names)
    assert_same(batch_of(some), batch_of(apart(some)))
    less = some.only(names[1:] or names)
    assert_same(batch_of(less), batch_of(apart(less)))
    assert np.array_equal(some.has_any(), apart(some).has_any())


def test_replaced_columns_are_no_longer_packed(mixed):
    prepared, _ = mixed
    new = {"y": prepared.columns["x"]}
    found = prepared.replaced(new)
    assert_same(batch_of(found), batch_of(apart(found)))
    assert torch.equal(batch_of(found).cells["y"].values, batch_of(found).cells["x"].values)


def test_arrays_of_packed_columns_are_held_and_pickled_once():
    prepared, _ = prepare({f"x{i}": np.random.default_rng(i).normal(size=500) for i in range(40)}, {
        f"x{i}": "number" for i in range(40)
    })  # fmt: skip
    whole = prepared.packed[0]
    for column in prepared.columns.values():
        assert np.shares_memory(column.values, whole.values) and column.values.flags.c_contiguous
    content = pickle.dumps(prepared)
    assert len(content) < 1.2 * (whole.values.nbytes + whole.present.nbytes)
    again = pickle.loads(content)
    assert_same(batch_of(again), batch_of(prepared))
    assert all(np.shares_memory(column.values, again.packed[0].values) for column in again.columns.values())


@pytest.mark.parametrize("names", [TABULAR, ("k", "z", "d"), ("x", "text"), ("text",)])
def test_presence_of_several_columns(mixed, names):
    prepared, _ = mixed
    found, expected = batch_of(prepared), batch_of(apart(prepared))
    assert torch.equal(found.has_any(names), expected.has_any(names))
    assert torch.equal(found.has_any(), expected.present.any(1))


@pytest.mark.parametrize("numeric", ["linear", "periodic", "piecewise"])
@pytest.mark.parametrize("names", [TABULAR, ("k", "z", "d", "c"), ("y",), ("c", "k")])
def test_packed_encoder_equals_encoder_of_single_columns(mixed, names, numeric):
    prepared, learnt = mixed
    torch.manual_seed(0)
    encoder = Tabular([learnt[name].encoder_spec() for name in names], numeric=numeric).eval()
    tower = Tower("tabular", names, encoder, torch.nn.Identity())
    packed, single = batch_of(prepared), batch_of(apart(prepared))
    for keep in (torch.ones(6) > 0, torch.tensor([True, False, True, True, False, True])):
        for forward in (tower, tower.forward_dense):
            found, expected = forward(packed, keep, False), forward(single, keep, False)
            assert torch.equal(found.values, expected.values) and torch.equal(found.mask, expected.mask)
    alone = encoder(*(single.cells[name] for name in names))
    assert torch.equal(alone.pooled(), tower(packed, torch.ones(6) > 0, False).pooled())


class Operations(TorchDispatchMode):
    """Counts the operations of torch, except views of cells: the type checks of the tests look at each column."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))


def wide(columns, kind):
    random = np.random.default_rng(0)
    cells = random.normal(size=(columns, 30)) if kind == "number" else np.array(["a", "b"])[
        random.integers(0, 2, (columns, 30))
    ]  # fmt: skip
    return prepare({f"w{i}": cells[i] for i in range(columns)}, {f"w{i}": kind for i in range(columns)})


@pytest.mark.parametrize("kind", ["number", "category"])
def test_operations_of_a_step_do_not_grow_with_the_columns(kind):
    def operations(columns):
        prepared, learnt = wide(columns, kind)
        encoder = Tabular([modality.encoder_spec() for modality in learnt.values()])
        tower = Tower("tabular", tuple(learnt), encoder, torch.nn.Identity())
        fusion = fusions.load("concat")([encoder.width], 8)
        network = FusionModel([tower], fusion, torch.nn.Linear(fusion.width, 1), outputs=1)
        plan = build_augmentations({name: {"swap": {}} for name in learnt}, {key: {} for key in learnt})
        loader, random = Loader(prepared, None, CPU), torch.Generator().manual_seed(0)
        network(loader.batch(ROWS))
        with Operations() as counted:
            batch = augment(loader.batch(ROWS), plan, random)
            network(batch).sum().backward()
        return counted.count

    few, many = operations(4), operations(60)
    assert 0 < few == many


def test_augmentation_of_packed_columns_changes_only_its_columns(mixed):
    prepared, _ = mixed
    plan = build_augmentations(
        {"x": {"noise": {"std": 0.5}, "swap": {}}, "z": {"noise": {"std": 0.5}, "swap": {}}, "k": {"swap": {}}},
        {key: {} for key in KINDS},
    )
    before = batch_of(prepared, torch.arange(40))
    after = augment(before, plan, torch.Generator().manual_seed(0))
    assert torch.equal(after.present, before.present)
    for name, cells in before.cells.items():
        changed = (after.cells[name].values != cells.values).reshape(40, -1).any(1)
        assert bool(changed.any()) == (name in plan), name
        assert not bool(changed[~cells.present].any()), name


def test_swapped_cells_stay_in_their_column():
    prepared, _ = prepare(
        {f"x{i}": (i * 1000 + np.arange(60.0)).tolist() for i in range(5)}, {f"x{i}": "number" for i in range(5)}
    )
    names = [f"x{i}" for i in range(5)]
    plan = build_augmentations({name: {"swap": {"probability": 0.5}} for name in names}, {key: {} for key in names})
    before = batch_of(prepared, torch.arange(60))
    after = augment(before, plan, torch.Generator().manual_seed(0))
    moves = []
    for name in names:
        old, new = before.cells[name].values[:, 0], after.cells[name].values[:, 0]
        assert {*new.tolist()} <= {*old.tolist()}
        assert 0.3 < float((old != new).float().mean()) < 0.7
        moves.append((old != new).tolist())
    assert len({tuple(move) for move in moves}) == 5  # each column on its own


def test_a_plain_dict_of_cells_packs_as_well(mixed):
    prepared, _ = mixed
    single = batch_of(apart(prepared))
    packed = Batch(dict(single.cells), single.rows).pack(("z", "x"))
    assert torch.equal(packed.values, torch.cat([single.cells["z"].values, single.cells["x"].values], 1))
    assert torch.equal(batch_of(prepared).pack(("z", "x")).values, packed.values)
