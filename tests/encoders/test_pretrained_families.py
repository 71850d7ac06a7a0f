"""Every family of pretrained models through the public door; which layers learn, and how fast; what does not fit."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import sensorium
from sensorium.config import Config
from sensorium.encoders._layers import find_layers
from sensorium.errors import ConfigError
from sensorium.model import Features, TowerPlan, build_encoder
from sensorium.registry import encoders
from sensorium.testing import check_encoder, make_pretrained, make_table
from sensorium.testing.cells import make_cells
from sensorium.testing.families import FAMILIES
from sensorium.train.optimizer import make_optimizer

MODALITIES = tuple(FAMILIES)
EVERY = [(modality, family) for modality, families in FAMILIES.items() for family in families]
ROWS = 24


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return make_table(tmp_path_factory.mktemp("table"), rows=ROWS, classes=2, modalities=MODALITIES, missing=0.1)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Modality and family → a folder, made only once."""
    root, made = tmp_path_factory.mktemp("models"), {}

    def folder_of(modality, family=""):
        if (modality, family) not in made:
            made[modality, family] = make_pretrained(modality, root / f"{modality}_{family}", 0, family)
        return str(made[modality, family])

    return folder_of


def settings(folders, **options):
    chosen = {kind: {"name": f"pretrained_{kind}", "model": str(folder), **options} for kind, folder in folders.items()}
    return {"encoders": chosen, "train": {"epochs": 1, "modality_dropout": 0.0}, "columns": list(folders)}


def encoder_of(modality, folder, **options):
    """The encoder, its weights taken, and cells for it."""
    name, options = f"pretrained_{modality}", {"model": folder, **options}
    cells, encoder_spec = make_cells([modality], options=encoders.load(name).preferred_options(options))
    torch.manual_seed(0)
    encoder = build_encoder(TowerPlan(modality, [modality], name, options), encoder_spec, {})
    encoder.load_pretrained()
    return encoder, cells[0]


def fit_save_and_load_elsewhere(table, tmp_path, folders, **options):
    model = sensorium.fit(table, "label", config=settings(folders, **options), progress=False)
    wanted = model.predict_proba(table)
    model.save(tmp_path / "model")
    for folder in folders.values():
        shutil.rmtree(folder)
    again = sensorium.load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(table), wanted)
    return model


@pytest.mark.slow
def test_each_modality_is_fitted_saved_and_answers_alike_elsewhere(table, tmp_path):
    folders = {modality: make_pretrained(modality, tmp_path / modality) for modality in MODALITIES}
    fit_save_and_load_elsewhere(table, tmp_path, folders)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "tune"), [(1, "last"), (2, "lora"), (3, "full"), (4, "frozen"), (5, "lora"), (6, "last")]
)
def test_each_family_is_fitted_saved_and_answers_alike_elsewhere(place, tune, table, tmp_path):
    folders = {
        modality: make_pretrained(modality, tmp_path / modality, 0, list(families)[place])
        for modality, families in FAMILIES.items()
        if place < len(families)
    }
    fit_save_and_load_elsewhere(table, tmp_path, folders, tune=tune)


@pytest.mark.slow
@pytest.mark.parametrize("tune", ["frozen", "last", "lora", "full"])
@pytest.mark.parametrize(("modality", "family"), EVERY)
def test_the_contract_of_encoders(modality, family, tune, folder_of):
    if (family, tune) == ("resnet", "lora"):
        pytest.skip("it has no matrices; told, see below")
    check_encoder(f"pretrained_{modality}", model=folder_of(modality, family), tune=tune)


def test_frozen_features_of_every_modality_are_computed_once(table, folder_of, tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path))
    plain, given = Features._encode, []
    monkeypatch.setattr(
        Features, "_encode", lambda self, cells, *a: (given.append(len(cells.present)), plain(self, cells, *a))[1]
    )
    folders = {modality: folder_of(modality) for modality in MODALITIES}
    for _ in range(2):
        sensorium.fit(table, "label", config=settings(folders), progress=False)
        assert sum(given) == ROWS * len(MODALITIES)


def test_other_numbers_of_preprocessing_are_other_features(folder_of, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(folder_of("image"), folder)
    before = encoder_of("image", str(folder))[0].identity()
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_mean": [0.1, 0.2, 0.3]}))
    assert encoder_of("image", str(folder))[0].identity() != before


# Family → how the names of its layers begin, from the lowest to the highest; and of what lies above them, if anything.
LAYERS = {
    "bert": (["encoder.layer.0.", "encoder.layer.1."], ""),
    "distilbert": (["transformer.layer.0.", "transformer.layer.1."], ""),
    "modernbert": (["layers.0.", "layers.1."], "final_norm."),
    "gpt2": (["h.0.", "h.1."], "ln_f."),
    "t5": (["block.0.", "block.1."], "final_layer_norm."),
    "vit": (["layers.0.", "layers.1."], "layernorm."),
    "dinov2": (["encoder.layer.0.", "encoder.layer.1."], "layernorm."),
    "convnext": (
        [
            "encoder.stages.0.",
            "encoder.stages.1.",
            ("encoder.stages.2.downsampling_layer.", "encoder.stages.2.layers.0."),
            "encoder.stages.2.layers.1.",
            "encoder.stages.3.",
        ],
        "layernorm.",
    ),
    "resnet": (
        ["encoder.stages.0.", "encoder.stages.1.layers.0.", "encoder.stages.1.layers.1.", "encoder.stages.2."],
        "",
    ),
    "swin": (["encoder.layers.0.", "encoder.layers.1.blocks.0.", "encoder.layers.1.blocks.1."], "layernorm."),
    "siglip": (["encoder.layers.0.", "encoder.layers.1."], "post_layernorm."),
    "wav2vec2": (["encoder.layers.0.", "encoder.layers.1."], ""),
    "wavlm": (["encoder.layers.0.", "encoder.layers.1."], ""),
    "ast": (["layers.0.", "layers.1."], "layernorm."),
    "whisper": (["layers.0.", "layers.1."], "layer_norm."),
    "videomae": (["encoder.layer.0.", "encoder.layer.1."], ""),
    "timesformer": (["encoder.layer.0.", "encoder.layer.1."], "layernorm."),
    "patchtst": (["encoder.layers.0.", "encoder.layers.1."], ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", LAYERS)
def test_the_layers_of_each_family_are_found(family, folder_of):
    modality = next(modality for modality, families in FAMILIES.items() if family in families)
    wanted, above = LAYERS[family]
    backbone = encoder_of(modality, folder_of(modality, family))[0].backbone
    found = find_layers(backbone)
    names = {id(parameter): name for name, parameter in backbone.named_parameters()}
    blocks = [{names[id(parameter)] for parameter in block} for block in found.blocks]
    assert blocks == [{name for name in names.values() if name.startswith(start)} for start in wanted]
    assert {names[id(p)] for p in found.above} == {name for name in names.values() if above and name.startswith(above)}
    assert len(found.below) + len(found.above) + sum(map(len, found.blocks)) == len(names)


def test_layers_of_a_network_without_any_list_are_one():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    found = find_layers(model)
    assert (len(found.below), [len(block) for block in found.blocks], len(found.above)) == (0, [4], 0)


def test_layers_of_stages_learn_at_their_depth_and_the_last_ones_alone_where_asked(folder_of):
    options = {"learning_rate_scale": 0.1, "layer_decay": 0.5}
    full = encoder_of("image", folder_of("image", "swin"), tune="full", **options)[0]
    rates = sorted(
        {round(group["lr"] / 2e-3, 6) for group in make_optimizer(full, Config.gather({}).train).param_groups}
    )
    assert rates == [0.0125, 0.025, 0.05, 0.1, 1.0]  # what lies below, three layers, our own
    last = encoder_of("image", folder_of("image", "swin"), tune="last", layers=1, **options)[0].backbone
    trained = {name for name, parameter in last.named_parameters() if parameter.requires_grad}
    assert {name.split(".blocks.")[0] for name in trained} == {
        "encoder.layers.1",
        "layernorm.weight",
        "layernorm.bias",
    }
    assert not any("blocks.0." in name for name in trained)


def test_what_a_model_keeps_fixed_stays_so(folder_of):
    encoder, _ = encoder_of("audio", folder_of("audio", "whisper"), tune="full")
    fixed = {name for name, parameter in encoder.backbone.named_parameters() if not parameter.requires_grad}
    assert fixed == {"embed_positions.weight"}


def test_running_means_of_frozen_layers_stay_too(folder_of):
    encoder, cells = encoder_of("image", folder_of("image", "resnet"), tune="last", layers=1)
    before = {name: value.clone() for name, value in encoder.backbone.state_dict().items() if "running_mean" in name}
    encoder.train()(cells)
    changed = {name for name, value in encoder.backbone.state_dict().items() if name in before} & {
        name for name, value in before.items() if not torch.equal(value, encoder.backbone.state_dict()[name])
    }
    assert changed and all(name.startswith("encoder.stages.2.") for name in changed)


def kept_bytes(encoder, cells):
    """What the gradient keeps of the forward pass; and the gradients."""
    kept = []
    torch.manual_seed(0)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(t.nbytes), t)[1], lambda t: t):
        loss = encoder.train()(cells).values.square().sum()
    loss.backward()
    return sum(kept), {name: p.grad for name, p in encoder.named_parameters() if p.grad is not None}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("modality", "family"),
    [
        ("text", "bert"),
        ("text", "t5"),
        ("image", "swin"),
        ("audio", "wav2vec2"),
        ("audio", "whisper"),
        ("video", "videomae"),
    ],
)
def test_checkpointing_keeps_less_and_trains_alike(modality, family, folder_of):
    folder, found = folder_of(modality, family), {}
    for checkpointing in (False, True):
        encoder, cells = encoder_of(modality, folder, tune="full", checkpointing=checkpointing)
        found[checkpointing] = kept_bytes(encoder, cells)
    assert found[True][0] < 0.7 * found[False][0]
    assert found[True][1].keys() == found[False][1].keys()
    for name, gradient in found[False][1].items():
        assert torch.allclose(gradient, found[True][1][name], atol=1e-6), name


@pytest.mark.slow
@pytest.mark.parametrize("tune", ["last", "lora"])
def test_checkpointing_gives_the_same_model(tune, folder_of, table):
    folders = {"text": folder_of("text"), "image": folder_of("image")}
    weights = [
        sensorium.fit(
            table, "label", config=settings(folders, tune=tune, checkpointing=checkpointing), progress=False
        ).fitted.network.state_dict()
        for checkpointing in (False, True)
    ]
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=1e-6), name


@pytest.mark.parametrize(
    ("modality", "family", "options", "message"),
    [
        ("text", "bert", {"checkpointing": True}, "no effect on a frozen model"),
        (
            "image",
            "convnext",
            {"checkpointing": True, "tune": "full"},
            "'convnext' model does not support gradient checkpointing",
        ),
        ("series", "patchtst", {"checkpointing": True, "tune": "full"}, "does not support gradient checkpointing"),
        ("image", "resnet", {"tune": "lora"}, "'resnet' model has no linear layers"),
    ],
)
def test_what_a_model_can_not_is_told(modality, family, options, message, folder_of):
    with pytest.raises(ConfigError, match=message):
        encoder_of(modality, folder_of(modality, family), **options)


@pytest.mark.parametrize(
    ("modality", "other"),
    [
        ("image", "text"),
        ("text", "image"),
        ("audio", "text"),
        ("audio", "image"),
        ("image", "video"),
        ("video", "image"),
        ("series", "audio"),
        ("text", "series"),
    ],
)
def test_a_model_of_another_modality_is_told(modality, other, folder_of, table):
    with pytest.raises(ConfigError, match=f"takes {other}, not {modality}") as caught:
        sensorium.fit(table, "label", config=settings({modality: folder_of(other)}), progress=False)
    assert f"pretrained_{other}" in str(caught.value)


@pytest.mark.parametrize("modality", MODALITIES)
def test_models_that_are_not_there_or_not_known_are_told(modality, table, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="cannot download"):
        sensorium.fit(table, "label", config=settings({modality: "owner/name-that-is-not-there"}), progress=False)
    folder = make_pretrained(modality, tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": f"{config['model_type']}x"}))
    with pytest.raises(ConfigError, match="transformers has no") as caught:
        sensorium.fit(table, "label", config=settings({modality: folder}), progress=False)
    assert config["model_type"] in caught.value.cure
    del config["model_type"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="transformers has no None model"):
        sensorium.fit(table, "label", config=settings({modality: folder}), progress=False)


def test_weights_of_another_model_are_told(tmp_path, folder_of):
    folder = make_pretrained("image", tmp_path / "m")
    shutil.copy(f"{folder_of('text')}/model.safetensors", folder)
    with pytest.raises(ConfigError, match="weights of the model are missing"):
        encoder_of("image", str(folder))


@pytest.mark.parametrize(
    ("modality", "family", "task"),
    [
        ("text", "bert", "BertForSequenceClassification"),
        ("text", "t5", "T5EncoderModel"),
        ("image", "vit", "ViTForImageClassification"),
        ("image", "clip", "CLIPVisionModel"),
        ("audio", "wav2vec2", "Wav2Vec2ForCTC"),
        ("audio", "whisper", "WhisperForConditionalGeneration"),
        ("video", "videomae", "VideoMAEForPreTraining"),
        ("series", "patchtst", "PatchTSTForPretraining"),
    ],
)
def test_a_model_saved_with_a_task_of_its_own_gives_its_backbone(modality, family, task, folder_of, tmp_path):
    import transformers

    folder, plain = tmp_path / "m", folder_of(modality, family)
    shutil.copytree(plain, folder)
    config = transformers.AutoConfig.from_pretrained(plain)
    config = config.vision_config if task == "CLIPVisionModel" else config
    torch.manual_seed(1)
    saved = getattr(transformers, task)(config)
    saved.save_pretrained(folder)
    found = encoder_of(modality, str(folder))[0].backbone.state_dict()
    own = saved.state_dict()
    for name, value in found.items():
        assert any(key.endswith(name) and torch.equal(value, own[key]) for key in own), name


def test_a_plain_configuration_may_stand_for_the_models_own(folder_of):
    folder = folder_of("image")
    config = json.loads(Path(folder, "config.json").read_text())
    plain = encoders.load("pretrained_image").complete({"model": folder, "config": config})["config"]
    assert plain == encoders.load("pretrained_image").complete({"model": folder})["config"]


def test_settings_of_another_size_are_told(folder_of):
    config = encoders.load("pretrained_image").complete({"model": folder_of("image")})["config"]
    with pytest.raises(ConfigError, match="do not match these settings"):
        encoder_of("image", folder_of("image"), config=config | {"intermediate_size": 48})
