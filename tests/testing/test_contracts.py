"""The public contract checks, over the whole registry; and that they catch what breaks a contract."""

import pytest
import torch
from torch import nn

from sensorium.augment import Augmentation
from sensorium.batch import Cells, Tokens
from sensorium.fusion._base import stack
from sensorium.registry import (
    Entry,
    adaptations,
    augmentations,
    encoders,
    fusions,
    heads,
    metrics,
    modalities,
    tasks,
    techniques,
)
from sensorium.table import open_table
from sensorium.testing import (
    check_adaptation,
    check_augmentation,
    check_encoder,
    check_fusion,
    check_head,
    check_metric,
    check_modality,
    check_task,
    check_technique,
)

LABELS = {
    "binary": ["a", "b", None, "a", "b"] * 8,
    "multiclass": ["x", "y", "z", None] * 10,
    "multilabel": [["a", "b"], ["b"], [], None, ["c", "a"]] * 8,
    "several": [{"kind": "x", "amount": 1}, {"kind": "y", "amount": 2}, None, {"kind": None, "amount": 3}] * 8,
    "count": [0, 3, None, 1, 12] * 8,
    "ordinal": [3, 1, 2, None] * 10,
    "regression": [1.5, 2.5, None, -3.25] * 10,
}


@pytest.mark.parametrize("name", modalities.names())
def test_modality(name):
    check_modality(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", augmentations.names())
def test_augmentation(name):
    check_augmentation(name)


@pytest.mark.parametrize("name", [n for n in encoders.names() if n != "module" and not n.startswith("pretrained_")])
def test_encoder(name):
    check_encoder(name)


@pytest.mark.parametrize("name", fusions.names())
def test_fusion(name):
    check_fusion(name)


@pytest.mark.parametrize("name", heads.names())
def test_head(name):
    check_head(name)


@pytest.mark.parametrize("name", adaptations.names())
def test_adaptation(name):
    check_adaptation(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", techniques.names())
def test_technique(name):
    options = {"threshold": 0.5} if name == "fixmatch" else {}  # after three epochs no answer is surer
    check_technique(name, **options)


@pytest.mark.parametrize("name", metrics.names())
def test_metric(name):
    check_metric(name)


@pytest.mark.parametrize("name", tasks.names())
def test_task(name):
    check_task(name, open_table({name: LABELS[name]}).column(name))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("weighted_sum", {"alpha": "per_feature"}),
        ("late", {"weights": "learned"}),
        ("gated", {"per_feature": False}),
        ("concat", {"layers": 0}),
        ("concat", {"layers": 2}),
        ("attention", {"heads": 2, "queries": 1}),
    ],
)
def test_fusion_with_other_options(name, options):
    check_fusion(name, **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tabular", {"numeric": "linear"}),
        ("tabular", {"numeric": "periodic"}),
        ("tabular", {"layers": ()}),
        ("image_cnn", {"reduce": "flatten"}),
        ("image_cnn", {"downsample": "stride", "norm": False}),
        ("image_cnn", {"downsample": "none", "filters": (4,)}),
        ("image_resnet", {"blocks": 2, "filters": (8, 16)}),
        ("scan_cnn", {"dimensions": "2d"}),
        ("scan_cnn", {"dimensions": "3d", "norm": False}),
        ("audio_cnn", {"stem": "pool", "norm": False}),
    ],
)
def test_encoder_with_other_options(name, options):
    check_encoder(name, **options)


class _Base(nn.Module):
    level, own_widths = "vector", False

    def __init__(self, widths, width):
        super().__init__()
        self.width = width

    def modality_weights(self, tokens, present):
        return None


class _Leaks(_Base):
    """Reads what absent modalities hold."""

    def forward(self, tokens, present):
        return stack(tokens).sum(1)


class _Mixes(_Base):
    """Looks at other rows."""

    def forward(self, tokens, present):
        fused = (stack(tokens) * present[..., None]).sum(1)
        return fused - fused.mean(0)


class _Deaf(_Base):
    """Lets no gradient through to the second modality."""

    def forward(self, tokens, present):
        return (stack([tokens[0], *(Tokens(t.values.detach(), t.mask) for t in tokens[1:])]) * present[..., None]).sum(
            1
        )


class _Breaks(_Base):
    """Not finite without the first modality."""

    def forward(self, tokens, present):
        return (stack(tokens) * present[..., None]).sum(1) / present[:, :1]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (_Leaks, "absent modalities"),
        (_Mixes, "is fused differently"),
        (_Deaf, "no gradient"),
        (_Breaks, "not finite"),
    ],
)
def test_check_fusion_catches(broken, message, monkeypatch):
    monkeypatch.setattr(Entry, "load", lambda self: broken)
    with pytest.raises(AssertionError, match=message):
        check_fusion("concat")


class _SeesNeighbours(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.width, self.embed = 4, nn.Embedding(vocabulary, 4)

    def forward(self, cells):
        values = self.embed(cells.values)
        return Tokens(values - values.mean((0, 1)), cells.mask)


class _SeesPadding(_SeesNeighbours):
    def forward(self, cells):
        values = self.embed(cells.values)
        return Tokens(values, torch.ones_like(cells.mask))


class _NeedsValues(_SeesNeighbours):
    def __init__(self, vocabulary):
        super().__init__(vocabulary)
        self.scale = torch.log(torch.tensor(4.0)).item()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (_SeesNeighbours, "order of rows|is encoded differently alone"),
        (_SeesPadding, "is encoded differently alone"),
        (_NeedsValues, "cannot be built on the device meta"),
    ],
)
def test_check_encoder_catches(broken, message, monkeypatch):
    real = Entry.load
    monkeypatch.setattr(Entry, "load", lambda self: broken if self.name == "bilstm" else real(self))
    with pytest.raises(AssertionError, match=message):
        check_encoder("bilstm")


class _Changes(Augmentation):
    def __init__(self, *, probability: float = 1.0):
        super().__init__(probability)

    def change(self, cells, random):
        return cells.values + torch.randn(cells.values.shape, generator=random)


class _WritesInPlace(_Changes):
    def change(self, cells, random):
        return cells.values.mul_(2 + torch.rand(1, generator=random))


class _HasItsOwnChance(_Changes):
    def change(self, cells, random):
        return cells.values + torch.randn(cells.values.shape)


class _ReadsPadding(_Changes):
    def change(self, cells, random):
        return (
            cells.values * (1 + torch.rand(len(cells.values), 1, 1, generator=random)) + cells.values.mean(1)[:, None]
        )


class _Widens(_Changes):
    def __call__(self, cells, random):
        found = super().__call__(cells, random)
        return Cells(found.values.double(), cells.present, cells.mask)


class _ChangesPadding(_Changes):
    def __call__(self, cells, random):
        return Cells(self.change(cells, random), cells.present, cells.mask)


class _AlwaysChanges(_Changes):
    def __init__(self, *, probability: float = 1.0):
        super().__init__(probability=1.0)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (_WritesInPlace, "writes to the cells"),
        (_HasItsOwnChance, "same seed gives"),
        (_ReadsPadding, "depends on absent modalities or padding|depends on the content of missing"),
        (_Widens, "makes torch.float64"),
        (_ChangesPadding, "changes missing cells or padding"),
        (_AlwaysChanges, "although its probability is 0"),
    ],
)
def test_check_augmentation_catches(broken, message, monkeypatch):
    real = Entry.load
    monkeypatch.setattr(Entry, "load", lambda self: broken if self.name == "spec_augment" else real(self))
    with pytest.raises(AssertionError, match=message):
        check_augmentation("spec_augment")


def test_check_augmentation_passes_what_keeps_the_contract(monkeypatch):
    real = Entry.load
    monkeypatch.setattr(Entry, "load", lambda self: _Changes if self.name == "spec_augment" else real(self))
    check_augmentation("spec_augment")
