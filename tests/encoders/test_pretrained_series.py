"""A pretrained PatchTST: the last steps, each channel by itself, gaps unknown to it."""

import json

import pytest
import torch

import sensorium
from sensorium.batch import Cells
from sensorium.encoders.pretrained_series import PretrainedSeries
from sensorium.errors import ConfigError
from sensorium.testing import check_encoder, make_pretrained, make_table

STEPS, PATCH, STRIDE = 24, 6, 3  # of the tiny model


def change(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def encoder_of(folder, channels=2, **options):
    encoder = PretrainedSeries({"channels": channels, "steps": STEPS}, model=str(folder), **options).eval()
    encoder.load_pretrained()
    return encoder


def cells_of(values, known=None, lengths=None):
    """(b, t, c) values, which are known, and how many steps each row has."""
    rows, steps, _ = values.shape
    known = torch.ones_like(values) if known is None else known
    mask = torch.arange(steps) < torch.tensor(lengths or [steps] * rows)[:, None]
    marked = torch.cat([values * known, known], 2) * mask[..., None]
    return Cells(marked, torch.ones(rows, dtype=torch.bool), mask)


@pytest.mark.parametrize("tune", ["frozen", "last", "lora", "full"])
def test_the_contract_of_encoders(tune, tmp_path):
    check_encoder("pretrained_series", model=str(make_pretrained("series", tmp_path)), tune=tune)


def test_a_whole_series_gives_what_transformers_gives(tmp_path):
    from transformers import PatchTSTModel

    folder = make_pretrained("series", tmp_path)
    values = torch.randn(3, STEPS, 2).cumsum(1)
    with torch.inference_mode():
        found = encoder_of(folder).states(cells_of(values))
        model = PatchTSTModel.from_pretrained(folder, do_mask_input=False)
        wanted = model(past_values=values).last_hidden_state  # (b, c, n, d)
    assert torch.allclose(found.values[..., :32], wanted[:, 0], atol=1e-5)
    assert torch.allclose(found.values[..., 32:], wanted[:, 1], atol=1e-5)
    assert found.mask.all()


def test_the_last_steps_of_a_longer_series_count(tmp_path):
    encoder, values = encoder_of(make_pretrained("series", tmp_path)), torch.randn(2, 40, 2)
    with torch.inference_mode():
        found, wanted = (encoder.features(cells_of(some)) for some in (values, values[:, -STEPS:]))
    assert torch.equal(found, wanted)


def test_what_a_gap_holds_changes_nothing(tmp_path):
    encoder, values = encoder_of(make_pretrained("series", tmp_path)), torch.randn(2, STEPS, 2)
    known = (torch.rand(2, STEPS, 2) < 0.7).float()
    cells = cells_of(values, known)
    other = Cells(cells.values.clone(), cells.present, cells.mask)
    other.values[..., :2] += 9 * (1 - known)
    with torch.inference_mode():
        assert torch.allclose(encoder.features(cells), encoder.features(other), atol=1e-6)
        assert not torch.allclose(encoder.features(cells), encoder.features(cells_of(values)), atol=1e-2)


def test_patches_before_a_series_began_do_not_count(tmp_path):
    encoder = encoder_of(make_pretrained("series", tmp_path))
    patches = (STEPS - PATCH) // STRIDE + 1
    for length, real in ((STEPS, patches), (6, 2), (1, 1), (4, 2)):
        mask = encoder.states(cells_of(torch.randn(1, length, 2), lengths=[length])).mask[0]
        assert mask.sum() == real and mask[-real:].all(), length


def test_a_summary_token_is_the_first_state(tmp_path):
    folder = make_pretrained("series", tmp_path)
    change(folder, use_cls_token=True)
    encoder = PretrainedSeries({"channels": 2}, model=str(folder), pool="first").eval()
    states = encoder.states(cells_of(torch.randn(1, 3, 2)))
    assert states.mask[0].tolist() == [True, *[False] * 6, True]


def test_channels_share_the_model_or_must_be_as_many(tmp_path):
    folder = make_pretrained("series", tmp_path)
    assert encoder_of(folder, channels=5).features(cells_of(torch.randn(2, STEPS, 5))).shape == (2, 5 * 32)
    change(folder, share_embedding=False)
    with pytest.raises(ConfigError, match="weights for 2 channels, but the column has 5 channels"):
        PretrainedSeries({"channels": 5}, model=str(folder))
    assert PretrainedSeries({"channels": 2}, model=str(folder)).features_width == 64


def test_two_columns_need_to_be_one(tmp_path):
    table = make_table(tmp_path, rows=20, modalities=["series"])
    settings = {
        "towers": {"all": ["series", "other"]},
        "modalities": {"other": "series"},
        "encoders": {"all": {"name": "pretrained_series", "model": str(make_pretrained("series", tmp_path / "m"))}},
    }
    with table.open() as stream:
        lines = stream.read().splitlines()
    place = lines[0].split(",").index("series")
    lines = [f"{line},{'other' if not n else line.split(',')[place]}" for n, line in enumerate(lines)]
    table.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="encodes one column, not 2"):
        sensorium.fit(table, "label", config=settings, progress=False)


def test_other_models_of_series_are_told(tmp_path):
    from transformers import AutoModel, PatchTSMixerConfig

    AutoModel.from_config(PatchTSMixerConfig(context_length=8, patch_length=4, d_model=8)).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="family 'patchtsmixer' are not supported"):
        PretrainedSeries.preferred_options({"model": str(tmp_path)})
