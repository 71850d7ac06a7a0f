"""Models that learnt elsewhere: their own preprocessing, frozen or tuned, one artifact that needs no other file."""

import shutil
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import sensorium
from sensorium.batch import Cells
from sensorium.config import Config
from sensorium.encoders.pretrained_image import PretrainedImage
from sensorium.encoders.pretrained_text import PretrainedText
from sensorium.errors import ConfigError, MissingExtraError
from sensorium.modalities.image import Image as Picture
from sensorium.model import Features
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import check_encoder, make_pretrained, make_table
from sensorium.train.optimizer import make_optimizer
from tiers import spread

TUNES = ("frozen", "last", "lora", "full")
ROWS = 60


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {kind: str(make_pretrained(kind, tmp_path_factory.mktemp(kind))) for kind in ("text", "image")}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return make_table(tmp_path_factory.mktemp("table"), rows=ROWS, modalities=["text", "image"], missing=0.1)


def settings(folders, **options):
    encoders = {kind: {"name": f"pretrained_{kind}", "model": folders[kind], **options} for kind in folders}
    return {"encoders": encoders, "train": {"epochs": 2}}


def fit(table, folders, *, progress=False, **options):
    return sensorium.fit(table, "label", config=settings(folders, **options), progress=progress)


@pytest.mark.parametrize("kind", ["text", "image"])
@pytest.mark.parametrize("tune", TUNES)
def test_the_contract_of_encoders(kind, tune, folders):
    check_encoder(f"pretrained_{kind}", model=folders[kind], tune=tune)


def test_text_is_what_transformers_makes_of_it(folders, table):
    from transformers import AutoModel, AutoTokenizer

    config = Config.gather(settings(folders), {"target": "label", "modalities": {"text": {"length": 64}}})
    data = plan_and_prepare(open_table(table), config, Silent())
    texts = [text for text in open_table(table).column("text").data.to_pylist() if text]
    tokenizer = AutoTokenizer.from_pretrained(folders["text"], pad_token="[PAD]")
    ids = tokenizer(texts, return_tensors="pt", padding=True)
    with torch.inference_mode():
        states = AutoModel.from_pretrained(folders["text"])(**ids).last_hidden_state
    mask = ids["attention_mask"][..., None]
    wanted = torch.nn.functional.layer_norm((states * mask).sum(1) / mask.sum(1), (states.shape[2],))
    found = data.cells.columns["text"]
    assert np.allclose(found.values[found.present], wanted.numpy(), atol=1e-5)


def test_pictures_are_scaled_as_the_model_says(folders, table):
    from transformers import AutoImageProcessor, AutoModel

    folder = folders["image"]
    processor, model = AutoImageProcessor.from_pretrained(folder), AutoModel.from_pretrained(folder)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    learnt = Picture(32, 3, "stretch", 255, 10**8)
    encoder = PretrainedImage({}, model=folder).eval()
    encoder.load_pretrained()
    pixels = torch.from_numpy(learnt.prepare(picture).copy())[None]
    with torch.inference_mode():
        states = encoder.states(Cells(pixels, torch.ones(1, dtype=torch.bool))).values
        wanted = model(**processor(picture, return_tensors="pt")).last_hidden_state
    assert torch.allclose(states, wanted, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("tune", spread(TUNES, ["frozen", "lora"]))
def test_a_saved_model_answers_alike_and_needs_its_folder_no_more(tune, table, tmp_path):
    folders = {kind: str(make_pretrained(kind, tmp_path / kind)) for kind in ("text", "image")}
    model = fit(table, folders, tune=tune)
    model.save(tmp_path / "model")
    for folder in folders.values():
        shutil.rmtree(folder)
    again = sensorium.load(tmp_path / "model")
    assert again.evaluate(table).metrics == pytest.approx(model.evaluate(table).metrics, nan_ok=True)
    for name, weight in model.fitted.network.state_dict().items():
        assert torch.equal(weight, again.fitted.network.state_dict()[name]), name


@pytest.mark.slow
def test_only_what_is_to_be_tuned_changes(table, folders):
    for tune in TUNES:
        model = fit(table, folders, tune=tune)
        fresh = PretrainedText({}, model=folders["text"], tune=tune)
        fresh.load_pretrained()
        trained = model.fitted.network.towers[0].encoder.backbone.state_dict()
        changed = {name for name, value in fresh.backbone.state_dict().items() if not torch.equal(value, trained[name])}
        layers = {name.split("layer.")[1].split(".")[0] for name in changed if "encoder.layer." in name}
        assert bool(changed) == (tune != "frozen")
        assert layers == {"frozen": set(), "last": {"0", "1"}, "lora": {"0", "1"}, "full": {"0", "1"}}[tune]
        assert all("lora_" in name for name in changed) or tune != "lora"
        assert any("embeddings" in name for name in changed) == (tune == "full")


def test_lower_layers_learn_more_slowly(folders):
    encoder = PretrainedText({}, model=folders["text"], tune="full", learning_rate_scale=0.1, layer_decay=0.5)
    groups = make_optimizer(encoder, Config.gather({}).train).param_groups
    rates = sorted({round(group["lr"] / 2e-3, 6) for group in groups}, reverse=True)
    assert rates == [1.0, 0.1, 0.05, 0.025]  # our own, the last layer, the first, what lies below them


@pytest.mark.slow
def test_frozen_features_are_computed_once_for_all_models_and_runs(table, folders, tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path))
    plain, given = Features._encode, []
    monkeypatch.setattr(
        Features, "_encode", lambda self, cells, *a: (given.append(len(cells.present)), plain(self, cells, *a))[1]
    )
    found = sensorium.compare(
        table, "label", fusions=["concat", "gated"], config=settings(folders), baselines=[], progress=False
    )
    assert len(found.results) == 4
    assert sum(given) == 2 * ROWS
    fit(table, folders)
    assert sum(given) == 2 * ROWS
    fit(table, folders, pool="first")
    assert sum(given) == 4 * ROWS


def test_frozen_features_and_the_whole_network_give_the_same_answers(table, folders):
    """Training reads features that were kept, prediction goes all the way from cells to answers."""
    model = fit(table, folders)
    again = model.evaluate(table)
    whole = sensorium.fit(table, "label", config={**settings(folders), "prepare": {"store": "none"}}, progress=False)
    assert whole.evaluate(table).metrics == pytest.approx(again.metrics, abs=1e-6, nan_ok=True)
    assert model.test.n > 0


@pytest.mark.parametrize(
    ("model", "message"),
    [("", "has no name"), ("./nowhere", "does not exist"), ("owner/name-that-is-not-there", "cannot download")],
)
def test_a_model_that_is_not_there_is_told(model, message, table, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match=message):
        sensorium.fit(table, "label", config=settings({"text": model}), progress=False)


@pytest.mark.parametrize("damage", ["config", "tokenizer", "weights", "no weights"])
def test_a_damaged_model_is_told(damage, table, tmp_path):
    folder = make_pretrained("text", tmp_path / "m")
    if damage == "config":
        (folder / "config.json").write_text("{")
    elif damage == "tokenizer":
        (folder / "tokenizer.json").unlink()
    elif damage == "weights":
        (folder / "model.safetensors").write_bytes(b"\x08" + bytes(30))
    else:
        (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"can(not|'t)( be)? read|can be read"):
        fit(table, {"text": str(folder)})


def test_pickled_weights_are_not_read(table, tmp_path):
    folder = make_pretrained("text", tmp_path / "m")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="cannot be read"):
        fit(table, {"text": str(folder)})


def test_without_transformers_the_extra_is_named(table, folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"sensorium\[pretrained\]"):
        fit(table, {"text": folders["text"]})
