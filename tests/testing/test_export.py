"""The dense forward: it answers as the usual one does, and a graph can hold it for any number of rows and steps."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from torch import nn

import sensorium
from sensorium.batch import Batch, Cells, Tokens
from sensorium.cli.list import list_
from sensorium.errors import ConfigError
from sensorium.model import (
    Blueprint,
    FusionModel,
    Tower,
    TowerPlan,
    check_exportable,
    dense_inputs,
    export_network,
    quantize,
)
from sensorium.prepare import prepare_columns
from sensorium.prepare.loader import Loader
from sensorium.registry import Entry, encoders, fusions, heads
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import check_export, make_pretrained
from sensorium.testing.families import FAMILIES

QUICK = [("encoder", "gru")]  # a fusion is exported below
PRETRAINED = [(modality, family) for modality, families in FAMILIES.items() for family in families]
ALL = [
    (part, name)
    for part, registry in (("encoder", encoders), ("fusion", fusions), ("head", heads))
    for name in registry.names()
    if not name.startswith("pretrained_")
]


@pytest.fixture(autouse=True)
def _plain_annotations():
    """Sizes that are symbols are no numbers to the checks of annotations."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@pytest.mark.parametrize(("part", "name"), QUICK)
def test_export(part, name):
    check_export(part, name)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "name"), [each for each in ALL if each not in QUICK])
def test_every_member_exports(part, name):
    check_export(part, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "name", "options"),
    [
        ("encoder", "tabular", {"numeric": "periodic"}),
        ("encoder", "image_cnn", {"reduce": "flatten"}),
        ("encoder", "scan_cnn", {"dimensions": "3d"}),
        ("encoder", "audio_cnn", {"stem": "pool"}),
        ("encoder", "gru", {"layers": 2}),
        ("encoder", "text_hashed", {"unit": "character"}),
        ("fusion", "late", {"weights": "energy"}),
        ("fusion", "weighted_sum", {"alpha": "per_feature"}),
        ("fusion", "concat", {"layers": 0}),
    ],
)
def test_export_with_other_options(part, name, options):
    check_export(part, name, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("modality", "family"), PRETRAINED)
def test_every_pretrained_family_exports(modality, family, tmp_path):
    folder = make_pretrained(modality, tmp_path / "model", family=family)
    check_export("encoder", f"pretrained_{modality}", model=str(folder))


class _Words(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.width, self.embed = 4, nn.Embedding(vocabulary, 4)

    def forward(self, cells):
        return Tokens(self.embed(cells.values), cells.mask)


class _Branches(_Words):
    def forward(self, cells):
        return super().forward(cells if cells.mask.all() else cells.take(torch.arange(len(cells.present))))


class _Unrolls(_Words):
    """An LSTM is recorded for the number of steps of the example."""

    def __init__(self, vocabulary):
        super().__init__(vocabulary)
        self.lstm = nn.LSTM(4, 4, batch_first=True)

    def forward(self, cells):
        return Tokens(self.lstm(self.embed(cells.values))[0], cells.mask)


class _CountsRows(_Words):
    """A size as a number is recorded as a constant."""

    def forward(self, cells):
        return Tokens(self.embed(cells.values) * len(cells.values), cells.mask)


class _DiffersDense(_Words):
    def dense(self, cells):
        return Tokens(2 * self.embed(cells.values), cells.mask)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "error", "message"),
    [
        (_Branches, ConfigError, "cannot record"),
        (_Unrolls, ConfigError, "cannot record"),
        (_CountsRows, ConfigError, "cannot record"),
        (_DiffersDense, AssertionError, "dense forward"),
    ],
)
def test_check_export_catches(broken, error, message, monkeypatch):
    real = Entry.load
    monkeypatch.setattr(Entry, "load", lambda self: broken if self.name == "text_cnn" else real(self))
    with pytest.raises(error, match=message):
        check_export("encoder", "text_cnn")


def _network(fusion="gated"):
    torch.manual_seed(0)
    towers = [
        Tower(name, [name], encoders.load(kind)(5), nn.Linear(encoders.load(kind)(5).width, 8))
        for name, kind in (("v", "vector_mlp"), ("t", "bilstm"))
    ]
    return FusionModel(towers, fusions.load(fusion)([8, 8], 8), nn.Linear(8, 3), outputs=3).eval()


def _batch(rows=4, steps=6):
    present = torch.arange(2 * rows).reshape(rows, 2) % 3 > 0
    lengths = 1 + torch.arange(rows) % steps
    mask = (torch.arange(steps) < lengths[:, None]) & present[:, 1, None]
    words = torch.randint(1, 5, (rows, steps), dtype=torch.int32) * mask
    cells = {"v": Cells(torch.randn(rows, 5), present[:, 0]), "t": Cells(words, present[:, 1], mask)}
    return Batch(cells, torch.arange(rows))


@torch.no_grad()
def test_what_missing_cells_hold_does_not_matter():
    network, batch = _network(), _batch()
    assert not batch.present.all()
    held = {name: torch.where(cells.present.reshape(-1, 1), cells.values, 4) for name, cells in batch.cells.items()}
    held["v"][~batch.cells["v"].present] = torch.nan
    other = Batch({n: Cells(held[n], c.present, c.mask) for n, c in batch.cells.items()}, batch.rows)
    torch.testing.assert_close(network.forward_dense(other), network(batch), atol=1e-6, rtol=0)


@pytest.mark.slow
@torch.no_grad()
def test_an_example_of_one_row_and_one_step_is_enough():
    network, other = _network(), _batch(7, 9)
    program = export_network(network, _batch(1, 1)).module()
    torch.testing.assert_close(program(dense_inputs(network, other)), network(other), atol=1e-5, rtol=0)


def test_a_member_that_cannot_be_exported_is_named():
    towers = [TowerPlan("picture", ["picture"], "module"), TowerPlan("text", ["text"], "bilstm")]
    with pytest.raises(ConfigError, match="encoder 'module' of 'picture' cannot be exported: only its author knows"):
        check_exportable(Blueprint(towers, "concat", {}, 8))
    check_exportable(Blueprint(towers[1:], "concat", {}, 8))


@pytest.mark.parametrize(("kind", "name"), [("encoders", "module"), ("encoders", "bilstm"), ("heads", "linear")])
def test_list_shows_whether_a_member_can_be_exported(kind, name, capsys):
    reason = encoders.entry(name).literal("EXPORT") if kind == "encoders" else None
    list_(kind, name, json=False)
    assert ("cannot be exported: only its author knows" in " ".join(capsys.readouterr().out.split())) == bool(reason)
    list_(kind, name, json=True)
    assert json.loads(capsys.readouterr().out)[kind][name]["export"] == (reason or True)


def test_the_page_lists_what_cannot_be_exported():
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| (?:encoder|fusion|head) `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    entries = [entry for registry in (encoders, fusions, heads) for entry in registry.entries.values()]
    assert listed == {entry.name: entry.literal("EXPORT") for entry in entries if entry.literal("EXPORT")}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    left, right = random.normal(size=(2, 80, 4))
    label = np.where(left[:, 0] + right[:, 0] > 0, "yes", "no")
    vectors = {"left": left.tolist(), "right": right.tolist()}
    return vectors | {"label": label} | {"left": [None if row % 9 == 0 else v for row, v in enumerate(vectors["left"])]}


def fit(table, **settings):
    vectors = {"modalities": {"left": "vector", "right": "vector"}, "width": 8, "train": {"epochs": 2}}
    return sensorium.fit(table, "label", config=vectors | settings, progress=False)


@pytest.mark.parametrize("fusion", ["concat", "late"])
def test_fused_vectors_lead_to_the_scores(fusion, table):
    fitted = fit(table, fusion=fusion).fitted
    rows = {**table, "left": [None, *table["left"][1:]], "right": [None, *table["right"][1:]]}
    prepared = prepare_columns(open_table(rows), fitted.learnt, Silent())
    vectors = fitted.embed(prepared)
    assert vectors.dtype == np.float32 and vectors.shape == (80, 1 if fusion == "late" else 8)
    assert np.isnan(vectors[0]).all() and np.isfinite(vectors[1:]).all()
    with torch.no_grad():
        logits = fitted.network.head(torch.from_numpy(vectors[1:])).numpy()
    np.testing.assert_allclose(logits, fitted.logits(prepared, np.arange(1, 80)), atol=1e-6)
    some = np.array([7, 3, 0])
    np.testing.assert_allclose(fitted.embed(prepared, some), vectors[some], atol=1e-6)


def test_an_ensemble_has_no_fused_vector(table):
    fitted = fit(table).fitted
    fitted = replace(fitted, members=fitted.members * 2, member_weights=())
    with pytest.raises(ConfigError, match="ensemble of 2 networks has no common fused vector"):
        fitted.embed(None)


@pytest.mark.slow
def test_a_fitted_model_of_many_columns_exports_also_quantized(run, made):
    fitted = sensorium.load(run / "model").fitted
    prepared = prepare_columns(open_table(made), fitted.learnt, Silent())
    loader = Loader(prepared, None, torch.device("cpu"))
    for small in (False, True):
        assert bool(quantize(fitted.network) if small else not small)
        fitted.network.eval()
        program = export_network(fitted.network, loader.batch(torch.arange(5))).module()
        for rows in ([7], [3, 4, 5], range(20, 60)):
            batch = loader.batch(torch.tensor(list(rows)))
            with torch.no_grad():
                found, usual = program(dense_inputs(fitted.network, batch)), fitted.network(batch)
            torch.testing.assert_close(found, usual, atol=1e-5, rtol=0)
