"""Pretrained models of sound: their own spectrograms, their own rate, and clips that don't see their padding."""

import json

import numpy as np
import pytest
import torch

import sensorium
from sensorium.batch import Cells
from sensorium.encoders._kaldi_filters import KaldiFilters
from sensorium.encoders._whisper_filters import WhisperFilters
from sensorium.encoders.pretrained_audio import PretrainedAudio
from sensorium.errors import ConfigError
from sensorium.testing import check_encoder, make_pretrained, make_table
from sensorium.testing.families import FAMILIES

LENGTHS = (3000, 700, 8000, 90_000, 40)


def waves(rate):
    """A batch of unequal clips, padding zeros, and the clips by themselves."""
    random = np.random.default_rng(0)
    clips = [(0.1 * random.normal(size=length)).astype(np.float32) for length in LENGTHS]
    samples = torch.zeros(len(clips), max(LENGTHS))
    for row, clip in enumerate(clips):
        samples[row, : len(clip)] = torch.from_numpy(clip)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    return Cells(samples, torch.ones(len(clips), dtype=torch.bool), mask), clips


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {
        family: make_pretrained("audio", tmp_path_factory.mktemp(family), 0, family) for family in FAMILIES["audio"]
    }


def encoder_of(folder, **options):
    rate = json.loads((folder / "preprocessor_config.json").read_text())["sampling_rate"]
    encoder = PretrainedAudio({"form": "waveform", "rate": rate}, model=str(folder), **options).eval()
    encoder.load_pretrained()
    return encoder


@pytest.mark.filterwarnings("ignore:At least one mel filter")  # of the extractor's own
@pytest.mark.parametrize("normalize", [True, False])
def test_the_spectrogram_transformer_sees_what_its_extractor_gives(normalize):
    from transformers import ASTFeatureExtractor

    extractor = ASTFeatureExtractor(max_length=512, do_normalize=normalize)
    cells, clips = waves(16_000)
    clips[-1] = np.pad(clips[-1], (0, 400 - len(clips[-1])))  # it refuses clips shorter than a window
    wanted = extractor(clips, sampling_rate=16_000, return_tensors="pt")["input_values"]
    settings = {"rate": 16_000, "mels": 128, "frames": 512, "mean": -4.2677393, "deviation": 4.5689974}
    found = KaldiFilters(settings | {"normalize": normalize})(cells.values, cells.mask)
    assert torch.allclose(found, wanted, atol=2e-3)


@pytest.mark.parametrize("mels", [80, 128])
def test_whisper_sees_what_its_extractor_gives(mels):
    from transformers import WhisperFeatureExtractor

    cells, clips = waves(16_000)
    wanted = WhisperFeatureExtractor(mels)(clips, sampling_rate=16_000, return_tensors="pt")["input_features"]
    settings = {"rate": 16_000, "mels": mels, "samples": 480_000, "window": 400, "hop": 160}
    assert torch.allclose(WhisperFilters(settings)(cells.values), wanted, atol=1e-4)


@pytest.mark.parametrize("family", ["wav2vec2", "wav2vec2_masked", "hubert", "wavlm"])
def test_a_waveform_gives_what_transformers_gives_for_the_clip_alone(family, folders):
    from transformers import AutoFeatureExtractor, AutoModel

    encoder = encoder_of(folders[family])
    extractor, model = AutoFeatureExtractor.from_pretrained(folders[family]), AutoModel.from_pretrained(folders[family])
    cells, clips = waves(8000)
    with torch.inference_mode():
        found = encoder.states(cells)
        for row, clip in enumerate(clips[:-1]):  # the last one is shorter than the model can take
            inputs = extractor(clip, sampling_rate=8000, return_tensors="pt")
            wanted = model(input_values=inputs["input_values"]).last_hidden_state[0]
            assert torch.allclose(found.values[row][found.mask[row]], wanted, atol=1e-4), row
    assert found.mask[-1].sum() == 1


def test_only_states_of_the_clip_itself_count_in_whispers_mean(folders):
    encoder = encoder_of(folders["whisper"])
    samples = torch.randn(1, 8000) * 0.1
    there = torch.ones(1, dtype=torch.bool)
    for length, states in ((8000, 25), (1600, 5), (1601, 6), (1, 1)):
        mask = torch.arange(8000)[None] < length
        assert encoder.states(Cells(samples * mask, there, mask)).mask.sum() == states


@pytest.mark.parametrize("normalize", [True, False])
def test_clips_are_standardised_where_the_model_says_so(normalize, tmp_path):
    from transformers import Wav2Vec2FeatureExtractor

    folder = make_pretrained("audio", tmp_path / "m")
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=8000, do_normalize=normalize)
    extractor.save_pretrained(folder)
    cells, clips = waves(8000)
    found, lengths = encoder_of(folder).front(cells.values, cells.mask)
    for row, clip in zip(found, clips, strict=True):
        wanted = extractor(clip, sampling_rate=8000, return_tensors="pt")["input_values"][0]
        assert torch.allclose(row[: len(clip)], wanted, atol=1e-4)
        assert not row[len(clip) :].any()
    assert lengths[:-1].tolist() == list(LENGTHS[:-1])


@pytest.mark.parametrize("family", ["wav2vec2", "whisper"])  # slow tests take them all
def test_the_contract_of_encoders(family, folders):
    check_encoder("pretrained_audio", model=str(folders[family]), tune="full")


@torch.no_grad()
@pytest.mark.parametrize("family", ["wav2vec2", "wavlm"])
def test_clips_of_all_lengths_with_a_mask_get_the_same_tokens(family, folders):
    """The dense forward, for export: no clip knows how long the others are."""
    encoder, (cells, _) = encoder_of(folders[family]), waves(8000)
    torch.testing.assert_close(encoder.dense(cells).values, encoder(cells).values, atol=1e-5, rtol=0)


def test_training_draws_on_nothing_but_torchs_chance(folders, tmp_path):
    """SpecAugment of the model itself would draw from NumPy, which no seed of a run governs."""
    encoder = encoder_of(folders["wav2vec2"], tune="full", dropout=0.0).train()
    cells, _ = waves(8000)
    found = []
    for seed in (0, 1):
        np.random.seed(seed)
        torch.manual_seed(0)
        found.append(encoder(cells).values)
    assert torch.equal(*found)


@pytest.mark.parametrize("given", [{"form": "log_mel"}, {"sample_rate": 4000}])
def test_a_column_prepared_otherwise_is_told(given, folders, tmp_path):
    table = make_table(tmp_path, rows=20, modalities=["audio"])
    settings = {
        "modalities": {"audio": given},
        "encoders": {"audio": {"name": "pretrained_audio", "model": str(folders["hubert"])}},
    }
    with pytest.raises(ConfigError, match="takes a waveform at 8000 Hz, not"):
        sensorium.fit(table, "label", config=settings, progress=False)


def test_a_family_that_is_not_known_is_told(tmp_path):
    from transformers import AutoModel, Speech2TextConfig

    config = Speech2TextConfig(vocab_size=20, d_model=16, encoder_layers=1, decoder_layers=1)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="family 'speech_to_text' are not supported"):
        PretrainedAudio.preferred_options({"model": str(tmp_path)})
