"""Pretrained models of video and of series: as many pictures, steps and channels as they take."""

import numpy as np
import pytest
import torch
from PIL import Image

import sensorium
from sensorium.batch import Cells
from sensorium.encoders.pretrained_video import PretrainedVideo
from sensorium.errors import ConfigError
from sensorium.testing import check_encoder, make_pretrained, make_table
from sensorium.testing.families import FAMILIES, SIDE

FACTS = {"channels": 3, "size": SIDE, "ordered": True}


def videos(lengths):
    """Pictures whose brightness is their number."""
    values = torch.arange(max(lengths), dtype=torch.uint8)[None, :, None, None, None].repeat(
        len(lengths), 1, SIDE, SIDE, 3
    )
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return Cells(values * mask[..., None, None, None], torch.ones(len(lengths), dtype=torch.bool), mask)


@pytest.mark.parametrize("family", FAMILIES["video"])
def test_the_contract_of_encoders(family, tmp_path):
    check_encoder("pretrained_video", model=str(make_pretrained("video", tmp_path, 0, family)), tune="full")


def test_a_video_is_shown_evenly_whatever_its_length(tmp_path):
    encoder = PretrainedVideo(FACTS, model=str(make_pretrained("video", tmp_path)))
    shown = encoder._spread(videos([4, 1, 2, 8, 3]))[..., 0, 0, 0].tolist()
    assert shown == [[0, 1, 2, 3], [0, 0, 0, 0], [0, 0, 1, 1], [1, 3, 5, 7], [0, 1, 1, 2]]


def test_pictures_are_scaled_as_the_model_says(tmp_path):
    from transformers import AutoModel, VideoMAEImageProcessorPil

    folder = make_pretrained("video", tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)
    processor = VideoMAEImageProcessorPil.from_pretrained(folder)
    encoder = PretrainedVideo(FACTS, model=str(folder)).eval()
    encoder.load_pretrained()
    cells = Cells(torch.from_numpy(pixels)[None], torch.ones(1, dtype=torch.bool), torch.ones(1, 4, dtype=torch.bool))
    with torch.inference_mode():
        wanted = AutoModel.from_pretrained(folder)(
            pixel_values=torch.cat(
                [processor(Image.fromarray(p), return_tensors="pt")["pixel_values"] for p in pixels]
            ).reshape(1, 4, 3, SIDE, SIDE)
        ).last_hidden_state
        assert torch.allclose(encoder.states(cells).values, wanted, atol=1e-5)


def test_grey_is_shown_as_colour(tmp_path):
    encoder = PretrainedVideo({**FACTS, "channels": 1}, model=str(make_pretrained("video", tmp_path))).eval()
    cells = videos([4])
    grey = Cells(cells.values[..., :1], cells.present, cells.mask)
    assert torch.equal(encoder.states(grey).values, encoder.states(cells).values)


def test_the_column_is_prepared_as_the_model_requires(tmp_path):
    folder = str(make_pretrained("video", tmp_path))
    assert PretrainedVideo.preferred_options({"model": folder}) == {
        "frames": 4,
        "size": SIDE,
        "channels": 3,
        "fit": "crop",
    }


def test_another_size_is_told_where_the_model_has_fixed_places(tmp_path):
    table = make_table(tmp_path, rows=20, modalities=["video"])
    encoders = {"video": {"name": "pretrained_video", "model": str(make_pretrained("video", tmp_path / "m"))}}
    with pytest.raises(ConfigError, match="images of 32 × 32, not of 16 × 16"):
        sensorium.fit(
            table, "label", config={"encoders": encoders, "modalities": {"video": {"size": 16}}}, progress=False
        )
